//! Members as callers give them, checked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wharf_aws::acm;
use wharf_model::tag::Tag;

use crate::Fault;

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("ValidationException", message)
}

pub(super) fn unsupported(member: &str) -> Fault {
    invalid(format!("{member} is not supported here; leave it out"))
}

pub(super) fn required<T>(member: &str, given: Option<T>) -> Result<T, Fault> {
    given.ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// Returns the text that a member holds as base64.
pub(super) fn text(member: &str, given: &str) -> Result<String, Fault> {
    let bytes = STANDARD
        .decode(given)
        .map_err(|_| Fault::caller("SerializationException", format!("{member} is not base64.")))?;
    String::from_utf8(bytes).map_err(|_| invalid(format!("{member} is not a PEM text")))
}

pub(super) fn tags(given: Vec<acm::Tag>) -> Vec<Tag> {
    given.into_iter().map(|tag| Tag { key: tag.key, value: tag.value.unwrap_or_default() }).collect()
}

/// Returns a token that may be one.
pub(super) fn token(given: Option<String>) -> Result<Option<String>, Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match given {
        Some(token) if token.is_empty() || token.len() > 32 || !token.bytes().all(plain) => {
            Err(invalid("idempotencyToken must have 1 to 32 letters, digits and underscores"))
        }
        token => Ok(token),
    }
}

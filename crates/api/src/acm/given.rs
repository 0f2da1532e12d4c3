//! Members as callers give them, checked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) use crate::given::loose_tags as tags;
use crate::{Fault, given};

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("ValidationException", message)
}

pub(super) fn unsupported(member: &str) -> Fault {
    invalid(format!("{member} is not supported here; leave it out"))
}

pub(super) fn required<T>(member: &str, given: Option<T>) -> Result<T, Fault> {
    given::required("ValidationException", member, given)
}

/// Returns the text that a member holds as base64.
pub(super) fn text(member: &str, given: &str) -> Result<String, Fault> {
    let bytes = STANDARD
        .decode(given)
        .map_err(|_| Fault::caller("SerializationException", format!("{member} is not base64.")))?;
    String::from_utf8(bytes).map_err(|_| invalid(format!("{member} is not a PEM text")))
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

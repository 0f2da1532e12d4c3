//! Members as callers give them, checked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wharf_aws::Hidden;
use wharf_control::operations::secrets::Value;
use wharf_model::secret::Plain;

pub(super) use crate::given::{shown_tags, tags};
use crate::{Fault, given};

/// The key that AWS uses where none is named.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("InvalidParameterException", message)
}

pub(super) fn unsupported(member: &str) -> Fault {
    invalid(format!("{member} is not supported here; leave it out"))
}

pub(super) fn required<T>(member: &str, given: Option<T>) -> Result<T, Fault> {
    given::required("ValidationException", member, given)
}

/// Returns a name, if it may be one.
pub(super) fn name(given: Option<String>) -> Result<String, Fault> {
    let name = required("name", given)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@!-".contains(&byte);
    if (1..=512).contains(&name.len()) && name.bytes().all(plain) {
        Ok(name)
    } else {
        Err(Fault::caller(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ))
    }
}

/// Returns the id that a new version is to have.
pub(super) fn token(given: Option<String>) -> Result<Option<String>, Fault> {
    match given {
        Some(token) if !(32..=64).contains(&token.len()) => {
            Err(invalid("ClientRequestToken must be 32-64 characters long."))
        }
        token => Ok(token),
    }
}

/// Returns the value that is given, if one is.
pub(super) fn value(text: Option<Hidden>, binary: Option<Hidden>) -> Result<Option<Value>, Fault> {
    match (text, binary) {
        (Some(_), Some(_)) => Err(invalid(
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )),
        (Some(Hidden(text)), None) => Ok(Some(Value { plain: Plain::new(text), binary: false })),
        (None, Some(Hidden(bytes))) => match STANDARD.decode(&bytes) {
            Ok(_) => Ok(Some(Value { plain: Plain::new(bytes), binary: true })),
            Err(_) => Err(Fault::caller("SerializationException", "SecretBinary is not base64.")),
        },
        (None, None) => Ok(None),
    }
}

/// Refuses every key but the one of this Wharf.
pub(super) fn key(given: Option<&str>) -> Result<(), Fault> {
    match given {
        None | Some("" | DEFAULT_KEY) => Ok(()),
        Some(_) => Err(invalid(format!("KmsKeyId is not supported here; only '{DEFAULT_KEY}' is"))),
    }
}

/// Returns how many items are wanted.
pub(super) fn limit(given: Option<i64>) -> Result<usize, Fault> {
    given::limit(given, 100).ok_or_else(|| invalid("MaxResults must be between 1 and 100."))
}

pub(super) fn bad_token() -> Fault {
    Fault::caller("InvalidNextTokenException", "The NextToken value is invalid.")
}

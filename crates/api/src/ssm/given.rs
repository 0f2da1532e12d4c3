//! Members as callers give them, checked.

use wharf_control::operations::parameters::Tier;
use wharf_model::secret::{ParameterKind, ParameterTier};

pub(super) use crate::given::{shown_tags, tags};
use crate::{Fault, given};

/// The key that AWS uses where none is named.
pub(super) const DEFAULT_KEY: &str = "alias/aws/ssm";

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("ValidationException", message)
}

pub(super) fn required<T>(member: &str, given: Option<T>) -> Result<T, Fault> {
    given::required("ValidationException", member, given)
}

pub(super) fn kind(given: &str) -> Result<ParameterKind, Fault> {
    match given {
        "String" => Ok(ParameterKind::String),
        "StringList" => Ok(ParameterKind::StringList),
        "SecureString" => Ok(ParameterKind::SecureString),
        other => Err(invalid(format!(
            "1 validation error detected: Value '{other}' at 'type' failed to satisfy constraint: Member must satisfy \
             enum value set: [SecureString, StringList, String]"
        ))),
    }
}

pub(super) fn tier(given: Option<&str>) -> Result<Tier, Fault> {
    match given {
        None => Ok(Tier::Unsaid),
        Some("Standard") => Ok(Tier::Exactly(ParameterTier::Standard)),
        Some("Advanced") => Ok(Tier::Exactly(ParameterTier::Advanced)),
        Some("Intelligent-Tiering") => Ok(Tier::Intelligent),
        Some(other) => Err(invalid(format!(
            "1 validation error detected: Value '{other}' at 'tier' failed to satisfy constraint: Member must satisfy \
             enum value set: [Standard, Advanced, Intelligent-Tiering]"
        ))),
    }
}

/// Refuses every key but the one of this Wharf.
pub(super) fn key(given: Option<&str>, kind: Option<ParameterKind>) -> Result<(), Fault> {
    match given {
        None => Ok(()),
        Some(_) if kind.is_some_and(|kind| kind != ParameterKind::SecureString) => {
            Err(invalid("KeyId is required for SecureString type parameter only."))
        }
        Some(DEFAULT_KEY) => Ok(()),
        Some(other) => Err(Fault::caller(
            "InvalidKeyId",
            format!("KeyId '{other}' is not supported here; only '{DEFAULT_KEY}' is"),
        )),
    }
}

/// Returns how many items are wanted.
pub(super) fn limit(given: Option<i64>, most: usize) -> Result<usize, Fault> {
    let asked = given.unwrap_or_default();
    given::limit(given, most)
        .ok_or_else(|| invalid(format!("MaxResults '{asked}' must be between 1 and {most}.")))
}

pub(super) fn bad_token() -> Fault {
    Fault::caller("InvalidNextToken", "The specified token isn't valid.")
}

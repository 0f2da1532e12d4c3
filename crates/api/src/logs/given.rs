//! Members as callers give them, checked.

use wharf_model::{Arn, Timestamp};

use crate::{Fault, given};

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("InvalidParameterException", message)
}

pub(super) fn required<T>(member: &str, given: Option<T>) -> Result<T, Fault> {
    given::required("InvalidParameterException", member, given)
}

/// Returns a group's name, if it may be one.
pub(super) fn group_name(given: Option<String>) -> Result<String, Fault> {
    let name = required("logGroupName", given)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#".contains(&byte);
    if (1..=512).contains(&name.len()) && name.bytes().all(plain) {
        Ok(name)
    } else {
        Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+ and have a length of 1 to 512"
        )))
    }
}

/// Returns the name of the group that is meant, by name or by ARN.
pub(super) fn group(name: Option<String>, identifier: Option<String>) -> Result<String, Fault> {
    match (name, identifier) {
        (Some(_), Some(_)) => {
            Err(invalid("LogGroup name and LogGroup identifier cannot be specified together."))
        }
        (name @ Some(_), None) => group_name(name),
        (None, Some(identifier)) => group_name(Some(by_arn(&identifier).unwrap_or(identifier))),
        (None, None) => group_name(None),
    }
}

/// Returns the name in a group's ARN, which may end in `:*`.
pub(super) fn by_arn(given: &str) -> Option<String> {
    let arn: Arn = given.parse().ok()?;
    let name = arn.resource.strip_prefix("log-group:")?;
    Some(name.strip_suffix(":*").unwrap_or(name).to_owned())
}

/// Returns a stream's name, if it may be one.
pub(super) fn stream_name(given: Option<String>) -> Result<String, Fault> {
    let name = required("logStreamName", given)?;
    if (1..=512).contains(&name.chars().count()) && !name.contains([':', '*']) {
        Ok(name)
    } else {
        Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]* and have a length of 1 to 512"
        )))
    }
}

/// Returns how many items are wanted.
pub(super) fn limit(given: Option<i64>, most: usize) -> Result<usize, Fault> {
    let asked = given.unwrap_or_default();
    given::limit(given, most).ok_or_else(|| invalid(format!("limit '{asked}' must be between 1 and {most}")))
}

pub(super) fn time(given: Option<i64>) -> Option<Timestamp> {
    given.map(Timestamp)
}

pub(super) fn bad_token() -> Fault {
    invalid("The specified nextToken is invalid.")
}

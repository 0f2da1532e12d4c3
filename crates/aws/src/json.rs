//! `awsJson1.0` and `awsJson1.1` bodies.
//!
//! Wrong types are reported in the words of AWS's own decoder ("NUMBER_VALUE can not be converted to
//! a String"), followed by the member's path, which AWS leaves out.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::DecodeError;

/// Returns the input that a JSON body holds. An empty body counts as `{}`.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let mut value = if body.iter().all(u8::is_ascii_whitespace) {
        Value::Object(serde_json::Map::new())
    } else {
        serde_json::from_slice(body)
            .map_err(|error| DecodeError::Malformed { reason: format!("the body is not JSON: {error}") })?
    };
    if !value.is_object() {
        return Err(DecodeError::Malformed { reason: "the body is not a JSON object".to_owned() });
    }
    drop_nulls(&mut value);
    serde_path_to_error::deserialize(value).map_err(|error| {
        let member = error.path().to_string();
        explain(member, &error.into_inner().to_string())
    })
}

/// Returns an answer's body. An answer of `()` has none.
pub fn encode<T: Serialize>(output: &T) -> Result<Vec<u8>, serde_json::Error> {
    let bytes = serde_json::to_vec(output)?;
    Ok(if bytes == b"null" { Vec::new() } else { bytes })
}

/// Removes members whose value is `null`, which AWS treats as if they were not there.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn explain(member: String, message: &str) -> DecodeError {
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        let member = if member == "." { field.to_owned() } else { format!("{member}.{field}") };
        return DecodeError::Missing { member };
    }
    let found = message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "));
    let reason = match found {
        Some((found, expected)) => mismatch(found, expected),
        None => message.to_owned(),
    };
    DecodeError::WrongType { member, reason }
}

/// Puts serde's "found" and "expected" into the words of AWS's decoder.
fn mismatch(found: &str, expected: &str) -> String {
    let found = if found.starts_with("integer") || found.starts_with("floating point") {
        "NUMBER_VALUE"
    } else if found.starts_with("string") {
        "STRING_VALUE"
    } else if found == "boolean `true`" {
        "TRUE_VALUE"
    } else if found == "boolean `false`" {
        "FALSE_VALUE"
    } else if found == "map" {
        return "Start of structure or map found where not expected.".to_owned();
    } else if found == "sequence" {
        return "Start of list found where not expected.".to_owned();
    } else {
        found
    };
    if expected == "a sequence" {
        return "Expected list or null".to_owned();
    }
    if expected.starts_with("struct ") || expected == "a map" {
        return "Expected structure or map, or null".to_owned();
    }
    let wanted = match expected {
        "a string" => "a String",
        "a boolean" => "a Boolean",
        "i8" | "i16" | "i32" | "u8" | "u16" | "u32" | "usize" => "an Integer",
        "i64" | "u64" => "a Long",
        "f32" | "f64" => "a Double",
        other => other,
    };
    format!("{found} can not be converted to {wanted}")
}

#[cfg(test)]
mod tests;

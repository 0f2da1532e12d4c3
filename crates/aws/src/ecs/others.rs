//! The members of an input that have no field of their own.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// The members of an input that have no field of their own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Others(BTreeMap<String, Value>);

impl Others {
    /// Returns the first of these members that asks for something. A member asks for nothing when it is empty, zero or
    /// false, or has the value that stands beside it here, which is AWS's default.
    pub fn first_asked_for(&self, members: &[(&'static str, &str)]) -> Option<&'static str> {
        let asks = |(name, default): &&(&'static str, &str)| {
            self.0.get(*name).is_some_and(|value| value.as_str() != Some(*default) && !is_nothing(value))
        };
        members.iter().find(asks).map(|(name, _)| *name)
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_nothing),
    }
}

//! A secret as `valueFrom` names it: an ARN, and behind it a key of its JSON, a stage and a version.

use serde_json::Value;
use wharf_model::Arn;

#[cfg(test)]
mod tests;

/// Which value, and what of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretReference {
    /// The secret's ARN or name.
    pub(super) secret: String,
    /// The key of its JSON whose value is meant.
    pub(super) key: Option<String>,
    /// The stage.
    pub(super) stage: Option<String>,
    /// The version.
    pub(super) version: Option<String>,
}

impl SecretReference {
    /// Returns a secret's whole current value.
    pub(super) fn whole(secret: &str) -> SecretReference {
        SecretReference { secret: secret.to_owned(), key: None, stage: None, version: None }
    }

    /// Takes an ARN with what follows it apart.
    pub(super) fn new(given: &Arn) -> SecretReference {
        let mut parts = given.resource.split(':');
        let kind = parts.next().unwrap_or_default();
        let name = parts.next().unwrap_or_default();
        let mut next = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let secret = Arn { resource: format!("{kind}:{name}"), ..given.clone() }.to_string();
        SecretReference { secret, key: next(), stage: next(), version: next() }
    }
}

/// Returns the value of a key of a JSON object, as text; says what is missing without showing anything of it.
pub(super) fn member(json: &str, key: &str) -> Result<String, String> {
    let parsed: Value =
        serde_json::from_str(json).map_err(|_| format!("its value is not JSON, so it has no key {key}"))?;
    match parsed.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
        None => Err(format!("retrieved secret from Secrets Manager did not contain json key {key}")),
    }
}

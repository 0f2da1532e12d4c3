//! How a parameter, and one of its values, is named.

use wharf_model::Arn;

/// A parameter's name or ARN, with a version behind a colon where one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// As it was given.
    pub given: String,
    /// The parameter's name.
    pub name: String,
    /// The version.
    pub version: Option<u64>,
    /// What follows the colon, when it is no number: labels are not kept here, so nothing has it.
    pub label: Option<String>,
}

impl Reference {
    /// Takes a reference apart.
    pub fn new(given: &str) -> Reference {
        let full = Reference::name_of(given);
        let (name, selector) = match full.split_once(':') {
            Some((name, selector)) => (name.to_owned(), Some(selector.to_owned())),
            None => (full, None),
        };
        let version = selector.as_ref().and_then(|selector| selector.parse().ok());
        let label = selector.filter(|_| version.is_none());
        Reference { given: given.to_owned(), name, version, label }
    }

    /// Returns the name in an ARN, or what was given when it is none.
    pub fn name_of(given: &str) -> String {
        let Ok(arn) = given.parse::<Arn>() else { return given.to_owned() };
        match arn.resource.strip_prefix("parameter/") {
            // In an ARN a name without slashes and one with a single one at its beginning look alike.
            Some(rest) if rest.contains('/') => format!("/{rest}"),
            Some(rest) => rest.to_owned(),
            None => given.to_owned(),
        }
    }

    /// Returns what follows the name, colon included, as it is shown.
    pub fn selector(&self) -> Option<String> {
        let label = self.label.clone();
        self.version.map(|version| format!(":{version}")).or(label.map(|label| format!(":{label}")))
    }
}

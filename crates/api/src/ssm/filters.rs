//! Which parameters a listing shows.

use wharf_aws::ssm::{Filter, ParameterFilter};
use wharf_control::operations::parameters::is_below;
use wharf_model::secret::{Parameter, ParameterKind};

use super::given::{DEFAULT_KEY, invalid};
use crate::Fault;

/// A filter that has been understood.
#[derive(Debug)]
pub(super) struct Known {
    subject: Subject,
    way: Way,
    values: Vec<String>,
}

#[derive(Debug)]
enum Subject {
    Name,
    Path,
    Kind,
    Key,
    Tier,
    DataType,
    Label,
    Tag(String),
}

#[derive(Debug)]
enum Way {
    Equals,
    BeginsWith,
    Contains,
    Deep,
}

pub(super) fn invalid_key(message: impl Into<String>) -> Fault {
    Fault::caller("InvalidFilterKey", message)
}

/// Returns a filter of today's form.
pub(super) fn read(given: &ParameterFilter) -> Result<Known, Fault> {
    let subject = match given.key.as_str() {
        "Name" => Subject::Name,
        "Path" => Subject::Path,
        "Type" => Subject::Kind,
        "KeyId" => Subject::Key,
        "Tier" => Subject::Tier,
        "DataType" => Subject::DataType,
        "Label" => Subject::Label,
        other => match other.strip_prefix("tag:") {
            Some(key) => Subject::Tag(key.to_owned()),
            None => return Err(invalid_key(format!("The specified filter key '{other}' isn't valid."))),
        },
    };
    let is_path = matches!(subject, Subject::Path);
    let way = match (given.option.as_deref(), is_path) {
        (None | Some("OneLevel"), true) | (None | Some("Equals"), false) => Way::Equals,
        (Some("Recursive"), true) => Way::Deep,
        (Some("BeginsWith"), false) => Way::BeginsWith,
        (Some("Contains"), false) if matches!(subject, Subject::Name) => Way::Contains,
        (other, _) => {
            return Err(Fault::caller(
                "InvalidFilterOption",
                format!(
                    "The filter option '{}' isn't valid for the key {}.",
                    other.unwrap_or_default(),
                    given.key
                ),
            ));
        }
    };
    if given.values.is_empty() && !matches!(subject, Subject::Tag(_)) {
        return Err(Fault::caller(
            "InvalidFilterValue",
            format!("The following filter values are missing : null for filter key {}", given.key),
        ));
    }
    Ok(Known { subject, way, values: given.values.clone() })
}

/// Returns a filter of the former form, whose names are compared by their beginnings.
pub(super) fn read_former(given: &Filter) -> Result<Known, Fault> {
    let (subject, way) = match given.key.as_str() {
        "Name" => (Subject::Name, Way::BeginsWith),
        "Type" => (Subject::Kind, Way::Equals),
        "KeyId" => (Subject::Key, Way::Equals),
        other => return Err(invalid(format!("The filter key '{other}' must be one of Name, Type, KeyId."))),
    };
    Ok(Known { subject, way, values: given.values.clone() })
}

impl Known {
    /// Returns whether the filter is about names and paths.
    pub(super) fn is_about_names(&self) -> bool {
        matches!(self.subject, Subject::Name | Subject::Path)
    }

    /// Returns whether a parameter has what is asked for.
    pub(super) fn holds(&self, parameter: &Parameter) -> bool {
        let Some(version) = parameter.versions.last() else { return false };
        match &self.subject {
            Subject::Name => {
                // A slash before the name may be left out here.
                let bare = parameter.name.trim_start_matches('/');
                self.matches(&parameter.name)
                    || self.values.iter().any(|value| !value.starts_with('/') && self.one(bare, value))
            }
            Subject::Path => {
                let deep = matches!(self.way, Way::Deep);
                self.values.iter().any(|path| is_below(&parameter.name, path, deep))
            }
            Subject::Kind => self.matches(version.kind.as_str()),
            Subject::Key => version.kind == ParameterKind::SecureString && self.matches(DEFAULT_KEY),
            Subject::Tier => self.matches(version.tier.as_str()),
            Subject::DataType => self.matches("text"),
            // No parameter has labels here.
            Subject::Label => false,
            Subject::Tag(key) => parameter
                .tags
                .iter()
                .any(|tag| tag.key == *key && (self.values.is_empty() || self.matches(&tag.value))),
        }
    }

    fn matches(&self, text: &str) -> bool {
        self.values.iter().any(|value| self.one(text, value))
    }

    fn one(&self, text: &str, value: &str) -> bool {
        match self.way {
            Way::Equals | Way::Deep => text == value,
            Way::BeginsWith => text.starts_with(value),
            Way::Contains => text.contains(value),
        }
    }
}

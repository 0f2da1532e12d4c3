//! Secrets and parameters as they are kept: their values only ever encrypted.

use crate::{Arn, Timestamp, tag::Tag};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A value that is not to be seen: it is not shown, also not for debugging.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plain(String);

impl Plain {
    /// Hides a value.
    pub fn new(value: impl Into<String>) -> Plain {
        Plain(value.into())
    }

    /// Returns the value.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain(not shown)")
    }
}

/// An encrypted value, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// Takes what an encryption wrote.
    pub fn new(text: String) -> Sealed {
        Sealed(text)
    }

    /// Returns what an encryption wrote.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A secret of Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Its ARN: the name, a hyphen and six random characters.
    pub arn: Arn,
    /// What it is for.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything of it was changed last.
    pub changed_at: Timestamp,
    /// Its deletion, when one was asked for.
    pub deletion: Option<Deletion>,
    /// Its values, the oldest first.
    pub versions: Vec<SecretVersion>,
}

/// A deletion that can still be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it happens.
    pub due_at: Timestamp,
}

/// A value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// Its id, which the caller may choose.
    pub id: String,
    /// Its staging labels, such as `AWSCURRENT`.
    pub stages: Vec<String>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// Whether the value is bytes; they are kept as base64.
    pub binary: bool,
    /// The value.
    pub value: Sealed,
}

/// A parameter of the parameter store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name; one with slashes begins with one.
    pub name: String,
    /// Its ARN.
    pub arn: Arn,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Its values, the oldest first; at least one.
    pub versions: Vec<ParameterVersion>,
}

/// A value of a parameter, with what was said of the parameter then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterVersion {
    /// Counted from 1.
    pub version: u64,
    /// What kind of value it is.
    pub kind: ParameterKind,
    /// The value, encrypted whatever its kind.
    pub value: Sealed,
    /// What it is for.
    pub description: Option<String>,
    /// The regular expression that values must match.
    pub allowed_pattern: Option<String>,
    /// How large its values may be.
    pub tier: ParameterTier,
    /// When it was stored.
    pub modified_at: Timestamp,
    /// Who stored it.
    pub modified_by: String,
}

/// What kind of value a parameter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterKind {
    /// A text.
    String,
    /// Texts with commas between them.
    StringList,
    /// A text that is only shown to those who ask for it to be decrypted.
    SecureString,
}

impl ParameterKind {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            ParameterKind::String => "String",
            ParameterKind::StringList => "StringList",
            ParameterKind::SecureString => "SecureString",
        }
    }
}

/// How large a parameter's values may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterTier {
    /// 4 KB.
    Standard,
    /// 8 KB.
    Advanced,
}

impl ParameterTier {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            ParameterTier::Standard => "Standard",
            ParameterTier::Advanced => "Advanced",
        }
    }

    /// Returns the most bytes of a value.
    pub fn bytes_max(self) -> usize {
        match self {
            ParameterTier::Standard => 4096,
            ParameterTier::Advanced => 8192,
        }
    }
}

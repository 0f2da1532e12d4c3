//! Shapes of what a container is told that its definition does not say itself.

use serde::{Deserialize, Serialize};

/// A value kept elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Secret {
    /// The environment variable, or the log option.
    pub name: String,
    /// The ARN of a secret, or the name or ARN of a parameter.
    pub value_from: String,
}

/// A file of environment variables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvironmentFile {
    /// The object's ARN.
    pub value: String,
    /// `s3`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The secret with which a private registry is asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RepositoryCredentials {
    /// The secret's ARN or name.
    pub credentials_parameter: String,
}

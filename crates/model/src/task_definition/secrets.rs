//! What a container is told that its definition does not say itself.

use serde::{Deserialize, Serialize};

/// A value kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The environment variable, or the log option.
    pub name: String,
    /// The ARN of a secret, or the name or ARN of a parameter.
    pub value_from: String,
}

/// A file of environment variables in a bucket (`type` is `s3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentFile {
    /// The object's ARN.
    pub value: String,
}

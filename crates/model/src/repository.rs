//! Image repositories.

use crate::{Arn, RepositoryName, Timestamp, tag::Tag};
use serde::{Deserialize, Serialize};

/// A repository of the own image registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Its name.
    pub name: RepositoryName,
    /// Its ARN.
    pub arn: Arn,
    /// The name that images in it are pushed to and pulled from, without tag.
    pub uri: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// The JSON text of its lifecycle policy, as given.
    #[serde(default)]
    pub lifecycle_policy: Option<LifecyclePolicy>,
    /// The JSON text of the policy that lets others use it, as given.
    #[serde(default)]
    pub policy: Option<String>,
}

/// What lets images of a repository expire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecyclePolicy {
    /// The JSON text, as given.
    pub text: String,
    /// When it was last applied; nothing before the first time.
    pub evaluated_at: Option<Timestamp>,
}

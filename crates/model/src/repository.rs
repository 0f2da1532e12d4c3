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
}

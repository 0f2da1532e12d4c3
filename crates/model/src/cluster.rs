//! Clusters.

use crate::{Arn, ClusterName, tag::Tag};
use serde::{Deserialize, Serialize};

/// A cluster: a namespace for services and tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its name.
    pub name: ClusterName,
    /// Its ARN.
    pub arn: Arn,
    /// Whether it can be used.
    pub status: ClusterStatus,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Whether a cluster can be used. A deleted one stays describable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClusterStatus {
    /// In use.
    Active,
    /// Deleted.
    Inactive,
}

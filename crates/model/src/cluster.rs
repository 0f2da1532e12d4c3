//! Clusters.

use crate::{Arn, ClusterName, capacity::StrategyItem, tag::Tag};
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
    /// Where the words of executed commands go, when that was said.
    #[serde(default)]
    pub execute_command_logging: Option<ExecuteCommandLogging>,
    /// The capacity providers that its tasks may be placed by.
    #[serde(default)]
    pub capacity_providers: Vec<String>,
    /// The strategy for those who name neither one nor a launch type.
    #[serde(default)]
    pub default_strategy: Vec<StrategyItem>,
}

/// Whether a cluster can be used. A deleted one stays describable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClusterStatus {
    /// In use.
    Active,
    /// Deleted.
    Inactive,
}

/// Where the words of executed commands go (`executeCommandConfiguration.logging`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecuteCommandLogging {
    /// Nowhere.
    None,
    /// To the container's own log configuration.
    Default,
}

impl ExecuteCommandLogging {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            ExecuteCommandLogging::None => "NONE",
            ExecuteCommandLogging::Default => "DEFAULT",
        }
    }
}

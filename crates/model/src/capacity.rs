//! Capacity providers, and strategies that spread tasks over them.

use crate::{Arn, Timestamp, tag::Tag};
use serde::{Deserialize, Serialize};

/// The built-in provider of Fargate tasks.
pub const FARGATE: &str = "FARGATE";
/// The built-in provider of Fargate tasks that can be interrupted.
pub const FARGATE_SPOT: &str = "FARGATE_SPOT";

/// A capacity provider that a caller made, over a group of container instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapacityProvider {
    /// Its name, unique in the account.
    pub name: String,
    /// Its ARN.
    pub arn: Arn,
    /// The auto scaling group whose instances it places tasks on.
    pub group: Arn,
    /// Whether its settings were changed since it was made.
    pub updated: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl CapacityProvider {
    /// Returns the name of its auto scaling group: what follows `autoScalingGroupName/` in the group's ARN.
    pub fn group_name(&self) -> &str {
        group_name(&self.group)
    }
}

/// Returns the name of an auto scaling group.
pub fn group_name(group: &Arn) -> &str {
    group.resource.rsplit_once("autoScalingGroupName/").map_or(group.resource.as_str(), |(_, name)| name)
}

/// A share of a strategy (`CapacityProviderStrategyItem`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyItem {
    /// The provider's name.
    pub provider: String,
    /// So many tasks come first; of one item at most.
    pub base: u32,
    /// Its part of the rest.
    pub weight: u32,
}

/// Returns whether a provider places Fargate tasks.
pub fn is_fargate(provider: &str) -> bool {
    matches!(provider, FARGATE | FARGATE_SPOT)
}

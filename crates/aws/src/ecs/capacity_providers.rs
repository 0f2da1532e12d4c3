//! Shapes of the capacity provider operations.

use super::{Failure, Others, Tag};
use serde::{Deserialize, Serialize};

/// Input of `CreateCapacityProvider`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CreateCapacityProviderInput {
    /// Its name.
    pub name: String,
    /// The group of instances it is over.
    pub auto_scaling_group_provider: Option<AutoScalingGroupProviderInput>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Input of `UpdateCapacityProvider`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UpdateCapacityProviderInput {
    /// Its name.
    pub name: String,
    /// What is changed.
    pub auto_scaling_group_provider: Option<AutoScalingGroupProviderInput>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// The group of instances that a capacity provider is over, as it is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AutoScalingGroupProviderInput {
    /// The group's ARN.
    pub auto_scaling_group_arn: Option<String>,
    /// Whether the group is scaled.
    pub managed_scaling: Option<ManagedScaling>,
    /// Whether instances with tasks are kept.
    pub managed_termination_protection: Option<String>,
    /// Whether instances are drained before they end.
    pub managed_draining: Option<String>,
}

/// Whether a group is scaled.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ManagedScaling {
    /// `DISABLED`.
    pub status: Option<String>,
    /// What is not honoured.
    #[serde(flatten, skip_serializing)]
    pub others: Others,
}

/// Input of `DeleteCapacityProvider`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeleteCapacityProviderInput {
    /// The provider.
    pub capacity_provider: String,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Output of the operations on one capacity provider.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityProviderOutput {
    /// The provider.
    pub capacity_provider: CapacityProvider,
}

/// Input of `DescribeCapacityProviders`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DescribeCapacityProvidersInput {
    /// The providers.
    pub capacity_providers: Vec<String>,
    /// Those of this cluster.
    pub cluster: Option<String>,
    /// What more to show.
    pub include: Vec<String>,
    /// Where to go on.
    pub next_token: Option<String>,
    /// The most to return.
    pub max_results: Option<i32>,
}

/// Output of `DescribeCapacityProviders`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeCapacityProvidersOutput {
    /// Those that are there.
    pub capacity_providers: Vec<CapacityProvider>,
    /// Those that are not.
    pub failures: Vec<Failure>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A capacity provider.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityProvider {
    /// Its ARN.
    pub capacity_provider_arn: String,
    /// Its name.
    pub name: String,
    /// `ACTIVE` or `INACTIVE`.
    pub status: &'static str,
    /// The group of instances it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_scaling_group_provider: Option<AutoScalingGroupProvider>,
    /// What came of the last change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_status: Option<&'static str>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// `EC2_AUTOSCALING`, `FARGATE` or `FARGATE_SPOT`.
    pub r#type: &'static str,
}

/// The group of instances that a capacity provider is over.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoScalingGroupProvider {
    /// The group's ARN.
    pub auto_scaling_group_arn: String,
    /// Whether the group is scaled.
    pub managed_scaling: ManagedScaling,
    /// Whether instances with tasks are kept.
    pub managed_termination_protection: &'static str,
    /// Whether instances are drained before they end.
    pub managed_draining: &'static str,
}

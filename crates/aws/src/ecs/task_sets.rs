//! Shapes of the task set operations.

use super::{CapacityProviderStrategyItem, Failure, LoadBalancer, NetworkConfiguration, Others, Tag};
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Input of `CreateTaskSet`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CreateTaskSetInput {
    /// The service.
    pub service: String,
    /// The cluster.
    pub cluster: Option<String>,
    /// What its maker calls it.
    pub external_id: Option<String>,
    /// What tasks are started from.
    pub task_definition: String,
    /// Where interfaces are made.
    pub network_configuration: Option<NetworkConfiguration>,
    /// The target groups.
    pub load_balancers: Vec<LoadBalancer>,
    /// The launch type.
    pub launch_type: Option<String>,
    /// The capacity providers.
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// The platform's version.
    pub platform_version: Option<String>,
    /// Its share of the service.
    pub scale: Option<Scale>,
    /// Makes the request repeatable.
    pub client_token: Option<String>,
    /// The tags.
    pub tags: Vec<Tag>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Input of `UpdateTaskSet`, `DeleteTaskSet` and `UpdateServicePrimaryTaskSet`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TaskSetInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The service.
    pub service: String,
    /// The task set.
    pub task_set: String,
    /// The task set that serves from now on.
    pub primary_task_set: String,
    /// Its share of the service.
    pub scale: Option<Scale>,
    /// Whether it goes though it is not scaled to nothing.
    pub force: bool,
}

/// Output of the operations on one task set.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskSetOutput {
    /// The task set.
    pub task_set: TaskSet,
}

/// Input of `DescribeTaskSets`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DescribeTaskSetsInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The service.
    pub service: String,
    /// The task sets.
    pub task_sets: Vec<String>,
    /// What more to show.
    pub include: Vec<String>,
}

/// Output of `DescribeTaskSets`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeTaskSetsOutput {
    /// Those that are there.
    pub task_sets: Vec<TaskSet>,
    /// Those that are not.
    pub failures: Vec<Failure>,
}

/// A share of a service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Scale {
    /// How much.
    pub value: f64,
    /// `PERCENT`.
    pub unit: Option<String>,
}

/// A task set.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskSet {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub task_set_arn: String,
    /// Its service's ARN.
    pub service_arn: String,
    /// Its cluster's ARN.
    pub cluster_arn: String,
    /// Who deploys it, in its maker's words.
    pub started_by: String,
    /// What its maker calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// `PRIMARY`, `ACTIVE` or `DRAINING`.
    pub status: &'static str,
    /// What tasks are started from.
    pub task_definition: String,
    /// How many tasks it should have.
    pub computed_desired_count: u32,
    /// How many of its tasks will run.
    pub pending_count: usize,
    /// How many of its tasks run.
    pub running_count: usize,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed.
    pub updated_at: Timestamp,
    /// The launch type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_type: Option<&'static str>,
    /// The capacity providers.
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// The platform's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<&'static str>,
    /// The platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_family: Option<&'static str>,
    /// Where interfaces are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_configuration: Option<NetworkConfiguration>,
    /// The target groups.
    pub load_balancers: Vec<LoadBalancer>,
    /// Its service registries.
    pub service_registries: Vec<Value>,
    /// Its share of the service.
    pub scale: Scale,
    /// `STEADY_STATE` or `STABILIZING`.
    pub stability_status: &'static str,
    /// Since when.
    pub stability_status_at: Timestamp,
    /// Its tags, where they are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}

//! Shapes of the cluster operations.

use super::{CapacityProviderStrategyItem, Failure, KeyValuePair, Others, Tag};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Input of `CreateCluster`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CreateClusterInput {
    /// The name.
    pub cluster_name: Option<String>,
    /// The tags.
    pub tags: Vec<Tag>,
    /// The settings.
    pub settings: Vec<KeyValuePair>,
    /// How commands are executed in it.
    pub configuration: Option<ClusterConfiguration>,
    /// Its capacity providers.
    pub capacity_providers: Vec<String>,
    /// The strategy for those who name none.
    pub default_capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Input of `UpdateCluster`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct UpdateClusterInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The settings.
    pub settings: Vec<KeyValuePair>,
    /// How commands are executed in it.
    pub configuration: Option<ClusterConfiguration>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Input of `UpdateClusterSettings`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct UpdateClusterSettingsInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The settings.
    pub settings: Vec<KeyValuePair>,
}

/// Input of `PutClusterCapacityProviders`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PutClusterCapacityProvidersInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// Its capacity providers from now on.
    pub capacity_providers: Option<Vec<String>>,
    /// The strategy for those who name none.
    pub default_capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>>,
}

/// How a cluster is configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClusterConfiguration {
    /// How commands are executed in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execute_command_configuration: Option<ExecuteCommandConfiguration>,
    /// What is not honoured.
    #[serde(flatten, skip_serializing)]
    pub others: Others,
}

/// How commands are executed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExecuteCommandConfiguration {
    /// `NONE` or `DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<String>,
    /// What is not honoured.
    #[serde(flatten, skip_serializing)]
    pub others: Others,
}

/// Input of `DeleteCluster`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct DeleteClusterInput {
    /// The cluster.
    pub cluster: Option<String>,
}

/// Output of the operations on one cluster.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterOutput {
    /// The cluster.
    pub cluster: Cluster,
}

/// Input of `DescribeClusters`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct DescribeClustersInput {
    /// The clusters.
    pub clusters: Vec<String>,
    /// What more to show.
    pub include: Vec<String>,
}

/// Output of `DescribeClusters`.
#[derive(Debug, Clone, Serialize)]
pub struct DescribeClustersOutput {
    /// Those that are there.
    pub clusters: Vec<Cluster>,
    /// Those that are not.
    pub failures: Vec<Failure>,
}

/// Input of `ListClusters`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListClustersInput {
    /// Where to go on.
    pub next_token: Option<String>,
    /// The most to return.
    pub max_results: Option<i32>,
}

/// Output of `ListClusters`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListClustersOutput {
    /// The ARNs.
    pub cluster_arns: Vec<String>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A cluster.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its ARN.
    pub cluster_arn: String,
    /// Its name.
    pub cluster_name: String,
    /// `ACTIVE` or `INACTIVE`.
    pub status: &'static str,
    /// How many container instances it has.
    pub registered_container_instances_count: usize,
    /// How many of its tasks run.
    pub running_tasks_count: usize,
    /// How many of its tasks will.
    pub pending_tasks_count: usize,
    /// How many services it has.
    pub active_services_count: usize,
    /// Numbers by launch type.
    pub statistics: Vec<KeyValuePair>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Its settings.
    pub settings: Vec<KeyValuePair>,
    /// Its capacity providers.
    pub capacity_providers: Vec<String>,
    /// The strategy for those who name none.
    pub default_capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// How it is configured, where that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<ClusterConfiguration>,
    /// What its capacity providers made, where that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<Value>>,
}

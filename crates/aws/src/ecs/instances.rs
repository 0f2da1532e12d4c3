//! Shapes of the container instance operations.

use super::{Attribute, Failure, NetworkConfiguration, Others, Tag, TaskOverrideInput};
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Input of `RegisterContainerInstance`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegisterContainerInstanceInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The machine's identity document.
    pub instance_identity_document: Option<String>,
    /// Its signature; nobody here could have made one.
    pub instance_identity_document_signature: Option<String>,
    /// What the machine offers.
    pub total_resources: Vec<Resource>,
    /// The versions of its agent and runtime.
    pub version_info: Option<VersionInfo>,
    /// The instance, when it was registered before.
    pub container_instance_arn: Option<String>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Input of `DeregisterContainerInstance`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeregisterContainerInstanceInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The instance.
    pub container_instance: String,
    /// Whether its tasks are stopped.
    pub force: bool,
}

/// Output of the operations on one container instance.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerInstanceOutput {
    /// The instance.
    pub container_instance: ContainerInstance,
}

/// Input of `DescribeContainerInstances`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DescribeContainerInstancesInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The instances.
    pub container_instances: Vec<String>,
    /// What more to show.
    pub include: Vec<String>,
}

/// Input of `UpdateContainerInstancesState`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UpdateContainerInstancesStateInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The instances.
    pub container_instances: Vec<String>,
    /// `ACTIVE` or `DRAINING`.
    pub status: String,
}

/// Output of the operations on several container instances.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerInstancesOutput {
    /// Those that are there.
    pub container_instances: Vec<ContainerInstance>,
    /// Those that are not.
    pub failures: Vec<Failure>,
}

/// Input of `ListContainerInstances`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListContainerInstancesInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// Those for which this expression holds.
    pub filter: Option<String>,
    /// Those of this status.
    pub status: Option<String>,
    /// Where to go on.
    pub next_token: Option<String>,
    /// The most to return.
    pub max_results: Option<i32>,
}

/// Output of `ListContainerInstances`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListContainerInstancesOutput {
    /// The ARNs.
    pub container_instance_arns: Vec<String>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Input of `StartTask`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StartTaskInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The instances.
    pub container_instances: Vec<String>,
    /// Whether ECS adds its own tags.
    #[serde(rename = "enableECSManagedTags")]
    pub enable_ecs_managed_tags: bool,
    /// The group.
    pub group: Option<String>,
    /// Where interfaces are made.
    pub network_configuration: Option<NetworkConfiguration>,
    /// What to change of the definition.
    pub overrides: Option<TaskOverrideInput>,
    /// From where tags are taken.
    pub propagate_tags: Option<String>,
    /// The caller's own reference.
    pub reference_id: Option<String>,
    /// Who starts them.
    pub started_by: Option<String>,
    /// The tags.
    pub tags: Vec<Tag>,
    /// The definition.
    pub task_definition: String,
    /// Whether commands can be run in them.
    pub enable_execute_command: bool,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// A resource of an instance.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Resource {
    /// `CPU`, `MEMORY`, `PORTS` or `PORTS_UDP`.
    pub name: String,
    /// `INTEGER` or `STRINGSET`.
    pub r#type: String,
    /// Always zero.
    pub double_value: f64,
    /// Always zero.
    pub long_value: i64,
    /// How much.
    pub integer_value: i64,
    /// Which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_set_value: Option<Vec<String>>,
}

/// The versions of an agent and its runtime.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct VersionInfo {
    /// The agent's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// The agent's build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_hash: Option<String>,
    /// The version of the container runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker_version: Option<String>,
}

/// A container instance.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerInstance {
    /// Its ARN.
    pub container_instance_arn: String,
    /// The machine's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec2_instance_id: Option<String>,
    /// The capacity provider it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_provider_name: Option<String>,
    /// Counts changes.
    pub version: u64,
    /// The versions of its agent and runtime.
    pub version_info: VersionInfo,
    /// What is left.
    pub remaining_resources: Vec<Resource>,
    /// What it offers.
    pub registered_resources: Vec<Resource>,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: &'static str,
    /// Whether its agent is there.
    pub agent_connected: bool,
    /// Its tasks that run.
    pub running_tasks_count: usize,
    /// Its tasks that will.
    pub pending_tasks_count: usize,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// What is attached to it.
    pub attachments: Vec<Value>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// How it is, where that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_status: Option<ContainerInstanceHealth>,
}

/// How a container instance is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerInstanceHealth {
    /// `OK`, `IMPAIRED` or `INSUFFICIENT_DATA`.
    pub overall_status: &'static str,
    /// Single checks.
    pub details: Vec<Value>,
}

//! Shapes of the task operations.

use super::{
    CapacityProviderStrategyItem, EnvironmentFile, EphemeralStorage, Failure, KeyValuePair, ManagedAgent,
    Others, PlacementConstraint, PlacementStrategy, Tag,
};
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Input of `RunTask`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RunTaskInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The definition.
    pub task_definition: String,
    /// How many.
    pub count: Option<i32>,
    /// The launch type.
    pub launch_type: Option<String>,
    /// Where interfaces are made.
    pub network_configuration: Option<NetworkConfiguration>,
    /// What to change of the definition.
    pub overrides: Option<TaskOverrideInput>,
    /// The group.
    pub group: Option<String>,
    /// Who starts them.
    pub started_by: Option<String>,
    /// Makes the request repeatable.
    pub client_token: Option<String>,
    /// The tags.
    pub tags: Vec<Tag>,
    /// From where tags are taken.
    pub propagate_tags: Option<String>,
    /// Whether ECS adds its own tags.
    #[serde(rename = "enableECSManagedTags")]
    pub enable_ecs_managed_tags: bool,
    /// The capacity providers.
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// What nodes must be.
    pub placement_constraints: Vec<PlacementConstraint>,
    /// What makes a node the better one.
    pub placement_strategy: Vec<PlacementStrategy>,
    /// The caller's own reference.
    pub reference_id: Option<String>,
    /// The platform's version.
    pub platform_version: Option<String>,
    /// Whether commands can be run in them.
    pub enable_execute_command: bool,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Where interfaces are made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NetworkConfiguration {
    /// For `awsvpc`.
    pub awsvpc_configuration: Option<AwsVpcConfiguration>,
}

/// Subnets and security groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AwsVpcConfiguration {
    /// The subnets.
    pub subnets: Vec<String>,
    /// The groups.
    pub security_groups: Vec<String>,
    /// `ENABLED` or `DISABLED`.
    pub assign_public_ip: Option<String>,
}

/// What RunTask changes of a definition.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TaskOverrideInput {
    /// Of its containers.
    pub container_overrides: Vec<ContainerOverrideInput>,
    /// The CPU limit.
    pub cpu: Option<String>,
    /// The memory limit.
    pub memory: Option<String>,
    /// The application's role.
    pub task_role_arn: Option<String>,
    /// The role by which images are pulled.
    pub execution_role_arn: Option<String>,
    /// The task's disk.
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// What RunTask changes of a container.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerOverrideInput {
    /// The container.
    pub name: String,
    /// The command.
    pub command: Option<Vec<String>>,
    /// Environment variables to add or replace.
    pub environment: Vec<KeyValuePair>,
    /// Files of environment variables.
    pub environment_files: Vec<EnvironmentFile>,
    /// CPU shares.
    pub cpu: Option<i32>,
    /// The hard memory limit.
    pub memory: Option<i32>,
    /// The soft memory limit.
    pub memory_reservation: Option<i32>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Output of `RunTask` and `DescribeTasks`.
#[derive(Debug, Clone, Serialize)]
pub struct TasksOutput {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Those that are not there or were not started.
    pub failures: Vec<Failure>,
}

/// Input of `StopTask`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct StopTaskInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The task.
    pub task: String,
    /// Why.
    pub reason: Option<String>,
}

/// Output of `StopTask`.
#[derive(Debug, Clone, Serialize)]
pub struct TaskOutput {
    /// The task.
    pub task: Task,
}

/// Input of `DescribeTasks`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct DescribeTasksInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The tasks.
    pub tasks: Vec<String>,
    /// What more to show.
    pub include: Vec<String>,
}

/// Input of `ListTasks`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListTasksInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// Those of this instance.
    pub container_instance: Option<String>,
    /// Those of this family.
    pub family: Option<String>,
    /// Those that were started by this.
    pub started_by: Option<String>,
    /// Those of this service.
    pub service_name: Option<String>,
    /// Those that should be this.
    pub desired_status: Option<String>,
    /// Those of this launch type.
    pub launch_type: Option<String>,
    /// Where to go on.
    pub next_token: Option<String>,
    /// The most to return.
    pub max_results: Option<i32>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// Output of `ListTasks`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTasksOutput {
    /// The ARNs.
    pub task_arns: Vec<String>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A task.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// What is attached to it: its network interface.
    pub attachments: Vec<Attachment>,
    /// What it needs of its node.
    pub attributes: Vec<KeyValuePair>,
    /// Its zone.
    pub availability_zone: String,
    /// The capacity provider that placed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_provider_name: Option<String>,
    /// Its cluster.
    pub cluster_arn: String,
    /// `CONNECTED` once its interface is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connectivity: Option<&'static str>,
    /// When its interface was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connectivity_at: Option<Timestamp>,
    /// Its instance, for the EC2 launch type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_instance_arn: Option<String>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// Its CPU limit.
    pub cpu: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// What it should be.
    pub desired_status: &'static str,
    /// Whether commands can be run in it.
    pub enable_execute_command: bool,
    /// Its disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// When its last container ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_stopped_at: Option<Timestamp>,
    /// Its group.
    pub group: String,
    /// How its containers are.
    pub health_status: &'static str,
    /// Where it stands.
    pub last_status: &'static str,
    /// Its launch type.
    pub launch_type: &'static str,
    /// Its memory limit.
    pub memory: String,
    /// What was changed of its definition.
    pub overrides: TaskOverride,
    /// The platform's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<&'static str>,
    /// The platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_family: Option<&'static str>,
    /// When the first pull began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_started_at: Option<Timestamp>,
    /// When the last pull ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_stopped_at: Option<Timestamp>,
    /// When it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Who started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
    /// Why it stopped, as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_code: Option<&'static str>,
    /// When it was gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// Why it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_reason: Option<String>,
    /// When its stop began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopping_at: Option<Timestamp>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Its ARN.
    pub task_arn: String,
    /// Its definition.
    pub task_definition_arn: String,
    /// Counts its changes.
    pub version: u64,
    /// The accelerators it has.
    pub inference_accelerators: Vec<Value>,
}

/// Something that is attached to a task.
#[derive(Debug, Clone, Serialize)]
pub struct Attachment {
    /// Its id.
    pub id: String,
    /// `ElasticNetworkInterface`.
    pub r#type: &'static str,
    /// Where it stands.
    pub status: &'static str,
    /// What is known of it.
    pub details: Vec<KeyValuePair>,
}

/// A container of a task.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Its ARN.
    pub container_arn: String,
    /// Its task's ARN.
    pub task_arn: String,
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// The image's digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// The runtime's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<String>,
    /// Where it stands.
    pub last_status: &'static str,
    /// The exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Ports on its host, for other network modes.
    pub network_bindings: Vec<NetworkBinding>,
    /// Its interfaces.
    pub network_interfaces: Vec<NetworkInterface>,
    /// How it is.
    pub health_status: &'static str,
    /// What serves it on its node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub managed_agents: Vec<ManagedAgent>,
    /// CPU shares.
    pub cpu: String,
    /// The hard memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// The soft memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<String>,
}

/// A port of the host that leads to a container.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkBinding {
    /// The host's addresses.
    #[serde(rename = "bindIP")]
    pub bind_ip: &'static str,
    /// The port of the container.
    pub container_port: u16,
    /// The port of the host.
    pub host_port: u16,
    /// `tcp` or `udp`.
    pub protocol: &'static str,
}

/// An interface of a container.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkInterface {
    /// The attachment.
    pub attachment_id: String,
    /// The address.
    pub private_ipv4_address: String,
}

/// What was changed of a definition.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskOverride {
    /// Of its containers.
    pub container_overrides: Vec<ContainerOverride>,
    /// The CPU limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// The memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// The application's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_role_arn: Option<String>,
    /// The role by which images are pulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,
    /// The task's disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// Of its accelerators.
    pub inference_accelerator_overrides: Vec<Value>,
}

/// What was changed of a container.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerOverride {
    /// The container.
    pub name: String,
    /// The command.
    pub command: Vec<String>,
    /// The environment.
    pub environment: Vec<KeyValuePair>,
    /// Files with environment variables.
    pub environment_files: Vec<EnvironmentFile>,
    /// Accelerators.
    pub resource_requirements: Vec<Value>,
    /// CPU shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    /// The hard memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u32>,
    /// The soft memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<u32>,
}

//! Shapes of the task definition operations.

use super::{Failure, KeyValuePair, Others, Tag};
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Input of `RegisterTaskDefinition`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegisterTaskDefinitionInput {
    /// The family.
    pub family: String,
    /// The application's role.
    pub task_role_arn: Option<String>,
    /// The role by which images are pulled.
    pub execution_role_arn: Option<String>,
    /// How its tasks are connected.
    pub network_mode: Option<String>,
    /// The containers.
    pub container_definitions: Vec<ContainerDefinitionInput>,
    /// The launch types to validate for.
    pub requires_compatibilities: Vec<String>,
    /// The CPU limit: units, or `1 vCPU`.
    pub cpu: Option<String>,
    /// The memory limit: mebibytes, or `2 GB`.
    pub memory: Option<String>,
    /// The platform.
    pub runtime_platform: Option<RuntimePlatform>,
    /// The tags.
    pub tags: Vec<Tag>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// A container as it is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerDefinitionInput {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// CPU shares.
    pub cpu: i32,
    /// The hard memory limit in mebibytes.
    pub memory: Option<i32>,
    /// The soft memory limit in mebibytes.
    pub memory_reservation: Option<i32>,
    /// The ports it listens on.
    pub port_mappings: Vec<PortMapping>,
    /// Whether the task ends with it; it does unless this is false.
    pub essential: Option<bool>,
    /// Replaces the image's entry point.
    pub entry_point: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Environment variables.
    pub environment: Vec<KeyValuePair>,
    /// Seconds from the stop signal to the kill.
    pub stop_timeout: Option<i32>,
    /// Replaces the image's user.
    pub user: Option<String>,
    /// Replaces the image's working directory.
    pub working_directory: Option<String>,
    /// Whether the root file system is read-only.
    pub readonly_root_filesystem: Option<bool>,
    /// Labels.
    pub docker_labels: BTreeMap<String, String>,
    /// Resource limits.
    pub ulimits: Vec<Ulimit>,
    /// Where its output goes.
    pub log_configuration: Option<LogConfiguration>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
}

/// A port that a container listens on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PortMapping {
    /// The port in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_port: Option<i32>,
    /// The port of the host, or of the task's interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_port: Option<i32>,
    /// `tcp` or `udp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// A name for service discovery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Not honoured: what is spoken on the port.
    #[serde(skip_serializing)]
    pub app_protocol: Option<String>,
    /// Not honoured: a range instead of one port.
    #[serde(skip_serializing)]
    pub container_port_range: Option<String>,
}

/// A resource limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ulimit {
    /// Its name.
    pub name: String,
    /// The soft limit.
    pub soft_limit: i64,
    /// The hard limit.
    pub hard_limit: i64,
}

/// Where a container's output goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LogConfiguration {
    /// The driver.
    pub log_driver: String,
    /// Its options.
    pub options: BTreeMap<String, String>,
    /// Not honoured, and shown empty as on AWS.
    pub secret_options: Vec<Value>,
}

/// A platform.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RuntimePlatform {
    /// `X86_64` or `ARM64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_architecture: Option<String>,
    /// `LINUX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system_family: Option<String>,
}

/// Output of the operations on one task definition.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDefinitionOutput {
    /// The definition.
    pub task_definition: TaskDefinition,
    /// Its tags, where they are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}

/// Input of `DescribeTaskDefinition` and `DeregisterTaskDefinition`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NamedTaskDefinitionInput {
    /// The definition.
    pub task_definition: String,
    /// What more to show.
    pub include: Vec<String>,
}

/// Input of `DeleteTaskDefinitions`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeleteTaskDefinitionsInput {
    /// The definitions.
    pub task_definitions: Vec<String>,
}

/// Output of `DeleteTaskDefinitions`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteTaskDefinitionsOutput {
    /// Those that were deleted.
    pub task_definitions: Vec<TaskDefinition>,
    /// Those that were not.
    pub failures: Vec<Failure>,
}

/// Input of `ListTaskDefinitions` and `ListTaskDefinitionFamilies`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListTaskDefinitionsInput {
    /// The family, or how families begin.
    pub family_prefix: Option<String>,
    /// Their status.
    pub status: Option<String>,
    /// `ASC` or `DESC`.
    pub sort: Option<String>,
    /// Where to go on.
    pub next_token: Option<String>,
    /// The most to return.
    pub max_results: Option<i32>,
}

/// Output of `ListTaskDefinitions`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTaskDefinitionsOutput {
    /// The ARNs.
    pub task_definition_arns: Vec<String>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Output of `ListTaskDefinitionFamilies`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTaskDefinitionFamiliesOutput {
    /// The families.
    pub families: Vec<String>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A task definition.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDefinition {
    /// Its ARN.
    pub task_definition_arn: String,
    /// Its containers.
    pub container_definitions: Vec<ContainerDefinition>,
    /// Its family.
    pub family: String,
    /// The application's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_role_arn: Option<String>,
    /// The role by which images are pulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,
    /// How its tasks are connected.
    pub network_mode: &'static str,
    /// The revision.
    pub revision: u32,
    /// Its volumes.
    pub volumes: Vec<Value>,
    /// `ACTIVE` or `INACTIVE`.
    pub status: &'static str,
    /// What an instance must be able to do.
    pub requires_attributes: Vec<RequiredAttribute>,
    /// Its placement constraints.
    pub placement_constraints: Vec<Value>,
    /// The launch types it can be started with.
    pub compatibilities: Vec<&'static str>,
    /// The platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_platform: Option<RuntimePlatform>,
    /// The launch types it was validated for.
    pub requires_compatibilities: Vec<&'static str>,
    /// The CPU limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// The memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it was deregistered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deregistered_at: Option<Timestamp>,
    /// Who registered it.
    pub registered_by: String,
}

/// Something that an instance must be able to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequiredAttribute {
    /// Its name.
    pub name: &'static str,
}

/// A container as it is shown.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerDefinition {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// CPU shares.
    pub cpu: u32,
    /// The hard memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u32>,
    /// The soft memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<u32>,
    /// Its ports.
    pub port_mappings: Vec<PortMapping>,
    /// Whether the task ends with it.
    pub essential: bool,
    /// The entry point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_point: Option<Vec<String>>,
    /// The command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// The environment.
    pub environment: Vec<KeyValuePair>,
    /// Its mounts.
    pub mount_points: Vec<Value>,
    /// The containers whose volumes it has.
    pub volumes_from: Vec<Value>,
    /// Seconds from the stop signal to the kill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<u32>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Whether the root file system is read-only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readonly_root_filesystem: Option<bool>,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub docker_labels: BTreeMap<String, String>,
    /// Resource limits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ulimits: Vec<Ulimit>,
    /// Where its output goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_configuration: Option<LogConfiguration>,
    /// Kernel parameters.
    pub system_controls: Vec<Value>,
}

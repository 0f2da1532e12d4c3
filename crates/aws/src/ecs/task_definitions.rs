//! Shapes of the task definition operations, and of what a definition says of the task as a whole.

mod container;
mod lifecycle;
mod linux;
mod logs;
mod ports;
mod secrets;
mod volumes;

pub use container::*;
pub use lifecycle::*;
pub use linux::*;
pub use logs::*;
pub use ports::*;
pub use secrets::*;
pub use volumes::*;

use super::{Failure, Others, PlacementConstraint, Tag};
use crate::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// Whose processes its containers see.
    pub pid_mode: Option<String>,
    /// Whose shared memory its containers see.
    pub ipc_mode: Option<String>,
    /// The containers.
    pub container_definitions: Vec<ContainerDefinition>,
    /// What its containers may mount.
    pub volumes: Vec<Volume>,
    /// The disk that its containers share.
    pub ephemeral_storage: Option<EphemeralStorage>,
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
    /// What nodes must be.
    pub placement_constraints: Vec<PlacementConstraint>,
    /// What is not honoured.
    #[serde(flatten)]
    pub others: Others,
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
    /// Whose processes its containers see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid_mode: Option<&'static str>,
    /// Whose shared memory its containers see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipc_mode: Option<&'static str>,
    /// Its volumes.
    pub volumes: Vec<Volume>,
    /// The disk that its containers share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// `ACTIVE` or `INACTIVE`.
    pub status: &'static str,
    /// What an instance must be able to do.
    pub requires_attributes: Vec<RequiredAttribute>,
    /// Its placement constraints.
    pub placement_constraints: Vec<PlacementConstraint>,
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

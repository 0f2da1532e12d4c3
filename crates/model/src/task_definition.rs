//! Task definitions: what a revision says of the task as a whole. What it says of one container, of volumes, ports and
//! so on has a file each.

pub mod container;
pub mod lifecycle;
pub mod linux;
pub mod logs;
pub mod ports;
pub mod secrets;
pub mod volume;

pub use container::{
    ContainerDefinition, HostEntry, ResourceKind, ResourceRequirement, SystemControl, Ulimit,
    VersionConsistency,
};
pub use lifecycle::{Dependency, DependencyCondition, HealthCheck, RestartPolicy};
pub use linux::{Device, DevicePermission, KernelCapabilities, LinuxParameters, Tmpfs};
pub use logs::{FirelensConfiguration, FirelensKind, LogConfiguration, LogDriver};
pub use ports::{ApplicationProtocol, PortMapping, Transport};
pub use secrets::{EnvironmentFile, Secret};
pub use volume::{
    DockerVolume, DockerVolumeScope, EfsAuthorization, EfsVolume, MountPoint, Volume, VolumeFrom,
    VolumeSource,
};

use crate::{Arn, CpuUnits, Family, Mebibytes, Timestamp, placement::Constraint, tag::Tag};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A revision of a task definition. Registered once, never changed; revision numbers are never reused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDefinition {
    /// The family.
    pub family: Family,
    /// The revision, counted from 1.
    pub revision: u32,
    /// Its ARN.
    pub arn: Arn,
    /// Whether tasks may still be started from it.
    pub status: TaskDefinitionStatus,
    /// How its tasks are connected.
    pub network_mode: NetworkMode,
    /// Whose processes its containers see.
    #[serde(default)]
    pub pid_mode: Option<PidMode>,
    /// Whose shared memory and semaphores its containers see.
    #[serde(default)]
    pub ipc_mode: Option<IpcMode>,
    /// The task's CPU limit. Required for Fargate.
    pub cpu: Option<CpuUnits>,
    /// The task's memory limit. Required for Fargate.
    pub memory: Option<Mebibytes>,
    /// The disk that the task's containers share, in gibibytes.
    #[serde(default)]
    pub ephemeral_storage_gib: Option<u32>,
    /// The containers, at least one of them essential.
    pub containers: Vec<ContainerDefinition>,
    /// What its containers may mount.
    #[serde(default)]
    pub volumes: Vec<Volume>,
    /// What the nodes of its tasks must be.
    #[serde(default)]
    pub placement_constraints: Vec<Constraint>,
    /// The launch types it was validated for, as asked (`requiresCompatibilities`).
    pub requires_compatibilities: Vec<LaunchType>,
    /// The platform it was made for, as given.
    #[serde(default)]
    pub runtime_platform: Option<RuntimePlatform>,
    /// The role of the application; kept so that it can be shown and checked, see `api` for what it grants.
    pub task_role_arn: Option<String>,
    /// The role by which images are pulled and logs are written.
    pub execution_role_arn: Option<String>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// The principal that registered it.
    pub registered_by: String,
    /// When it was deregistered.
    pub deregistered_at: Option<Timestamp>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A platform, in ECS's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimePlatform {
    /// `X86_64` or `ARM64`.
    pub cpu_architecture: Option<String>,
    /// `LINUX`.
    pub operating_system_family: Option<String>,
}

impl TaskDefinition {
    /// Returns the family and revision.
    pub fn name(&self) -> Revision {
        Revision { family: self.family.clone(), revision: self.revision }
    }
}

/// A family and one of its revisions, written `family:revision`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Revision {
    /// The family.
    pub family: Family,
    /// The revision, counted from 1.
    pub revision: u32,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.family, self.revision)
    }
}

/// Whether tasks may be started from a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskDefinitionStatus {
    /// They may.
    Active,
    /// It was deregistered.
    Inactive,
}

/// How a task is connected to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkMode {
    /// A network interface of its own.
    Awsvpc,
    /// Ports of the host, mapped to those of its containers.
    Bridge,
    /// The host's own network.
    Host,
    /// No network beyond itself.
    None,
}

/// Whose processes the containers of a task see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PidMode {
    /// The host's.
    Host,
    /// Those of all containers of the task.
    Task,
}

/// Whose shared memory, semaphores and message queues the containers of a task see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IpcMode {
    /// The host's.
    Host,
    /// Those of all containers of the task.
    Task,
    /// Their own.
    None,
}

/// What kind of capacity a task runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LaunchType {
    /// Any node; sizes from Fargate's table.
    Fargate,
    /// A container instance.
    Ec2,
}

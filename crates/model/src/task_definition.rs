//! Task definitions.

use crate::{Arn, CpuUnits, Family, Mebibytes, Timestamp, tag::Tag};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

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
    /// The task's CPU limit. Required for Fargate.
    pub cpu: Option<CpuUnits>,
    /// The task's memory limit. Required for Fargate.
    pub memory: Option<Mebibytes>,
    /// The containers, at least one of them essential.
    pub containers: Vec<ContainerDefinition>,
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
}

/// What kind of capacity a task runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LaunchType {
    /// Any node; sizes from Fargate's table.
    Fargate,
    /// A container instance.
    Ec2,
}

/// A container of a task definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerDefinition {
    /// Its name, unique in the definition.
    pub name: String,
    /// The image, as given.
    pub image: String,
    /// CPU shares; 0 where none were asked for.
    pub cpu: CpuUnits,
    /// The hard memory limit.
    pub memory: Option<Mebibytes>,
    /// The soft memory limit.
    pub memory_reservation: Option<Mebibytes>,
    /// Whether the task ends with it.
    pub essential: bool,
    /// Replaces the image's entry point.
    pub entry_point: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Environment variables, in the order given.
    pub environment: Vec<(String, String)>,
    /// The ports it listens on.
    pub port_mappings: Vec<PortMapping>,
    /// Where its output goes; nowhere but the node's own files when absent.
    pub log_configuration: Option<LogConfiguration>,
    /// Replaces the image's working directory.
    pub working_directory: Option<String>,
    /// Replaces the image's user: a name or id, optionally `:group`.
    pub user: Option<String>,
    /// Whether the root file system is mounted read-only.
    pub readonly_root_filesystem: bool,
    /// Seconds from the stop signal to the kill; 30 when absent.
    pub stop_timeout_secs: Option<u32>,
    /// Resource limits.
    pub ulimits: Vec<Ulimit>,
    /// Labels, shown by the metadata endpoint.
    pub docker_labels: BTreeMap<String, String>,
}

/// A port that a container listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortMapping {
    /// The port inside the task.
    pub container_port: u16,
    /// The same port for `awsvpc`, echoed when it was given.
    pub host_port: Option<u16>,
    /// The transport.
    pub protocol: Transport,
    /// A name for service discovery, echoed.
    pub name: Option<String>,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Where a container's output goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogConfiguration {
    /// The driver.
    pub driver: LogDriver,
    /// The driver's options, as given.
    pub options: BTreeMap<String, String>,
}

/// A log driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogDriver {
    /// A log group of the own Logs service.
    Awslogs,
    /// Files on the node.
    JsonFile,
}

/// A resource limit of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// The name as ECS writes it, such as `nofile`.
    pub name: String,
    /// The soft limit.
    pub soft: i64,
    /// The hard limit.
    pub hard: i64,
}

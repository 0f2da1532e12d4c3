//! Tasks as the control plane keeps and shows them.
//!
//! `desired_status` and what was asked for are the control plane's; `last_status`, the times, exit codes and
//! reasons are the node's, except before a node has the task and while its targets are deregistered.

use crate::{
    Arn, ClusterName, CpuUnits, DeploymentId, EniId, Mebibytes, NodeId, ServiceName, TaskId, Timestamp, Word,
    tag::Tag,
    task_definition::{EnvironmentFile, LaunchType, Revision, Transport},
    word::fitted,
};
use serde::{Deserialize, Serialize};

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its ARN.
    pub arn: Arn,
    /// The cluster it runs in.
    pub cluster: ClusterName,
    /// The definition it was started from.
    pub definition: Revision,
    /// The launch type.
    pub launch_type: LaunchType,
    /// The capacity provider that placed it, when a strategy did.
    #[serde(default)]
    pub capacity_provider: Option<String>,
    /// The node it was placed on.
    pub node: NodeId,
    /// Its network interface; only tasks of network mode `awsvpc` have one.
    pub interface: Option<EniId>,
    /// The zone of its subnet, or of its node.
    pub zone: Word,
    /// The group: `service:…`, `family:…`, or what the caller chose.
    pub group: String,
    /// Who started it: a deployment's id for a service's task, else what the caller gave.
    pub started_by: Option<String>,
    /// The service it belongs to, with the deployment that started it.
    pub service: Option<(ServiceName, DeploymentId)>,
    /// What the caller changed of the definition.
    pub overrides: TaskOverride,
    /// The task's CPU limit after overrides.
    pub cpu: CpuUnits,
    /// The task's memory limit after overrides.
    pub memory: Mebibytes,
    /// What it should be.
    pub desired_status: DesiredStatus,
    /// Where it stands.
    pub last_status: TaskStatus,
    /// How its essential containers are together; absent when none of them is checked.
    #[serde(default)]
    pub health: Option<HealthStatus>,
    /// Counts changes from 1.
    pub version: u64,
    /// Its containers, in the definition's order.
    #[serde(deserialize_with = "fitted")]
    pub containers: Vec<Container>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Times that are known only once reached.
    pub times: TaskTimes,
    /// Why it stopped, as a code.
    pub stop_code: Option<StopCode>,
    /// Why it stopped, in words.
    pub stopped_reason: Option<String>,
    /// Whether commands can be run in its containers.
    #[serde(default)]
    pub enable_execute_command: bool,
    /// Until when its service does not stop it for having too many.
    #[serde(default)]
    pub protected_until: Option<Timestamp>,
    /// The idempotency token it was asked for with.
    pub client_token: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// When a task reached what; absent until then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTimes {
    /// The network interface was there.
    pub connectivity_at: Option<Timestamp>,
    /// The first pull began.
    pub pull_started_at: Option<Timestamp>,
    /// The last pull ended.
    pub pull_stopped_at: Option<Timestamp>,
    /// It became RUNNING.
    pub started_at: Option<Timestamp>,
    /// Its stop began.
    pub stopping_at: Option<Timestamp>,
    /// Its last container ended.
    pub execution_stopped_at: Option<Timestamp>,
    /// It became STOPPED.
    pub stopped_at: Option<Timestamp>,
}

/// What the owner wants of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DesiredStatus {
    /// It should run.
    Running,
    /// It should be gone.
    Stopped,
}

/// Where a task stands; it only moves forward (ECS developer guide, "Task lifecycle").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaskStatus {
    /// Its network interface is being made.
    Provisioning,
    /// It waits for its node.
    Pending,
    /// Images are pulled and containers made.
    Activating,
    /// Its containers run.
    Running,
    /// Its targets are being deregistered.
    Deactivating,
    /// Its containers are being stopped.
    Stopping,
    /// Its network interface is being given back.
    Deprovisioning,
    /// It is gone; still describable for an hour.
    Stopped,
}

impl TaskStatus {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskStatus::Provisioning => "PROVISIONING",
            TaskStatus::Pending => "PENDING",
            TaskStatus::Activating => "ACTIVATING",
            TaskStatus::Running => "RUNNING",
            TaskStatus::Deactivating => "DEACTIVATING",
            TaskStatus::Stopping => "STOPPING",
            TaskStatus::Deprovisioning => "DEPROVISIONING",
            TaskStatus::Stopped => "STOPPED",
        }
    }
}

/// How a container or a task is, as its health checks say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthStatus {
    /// It passed.
    Healthy,
    /// It failed too often in a row.
    Unhealthy,
    /// Nothing is known: not yet, or nobody checks.
    #[default]
    Unknown,
}

impl HealthStatus {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            HealthStatus::Healthy => "HEALTHY",
            HealthStatus::Unhealthy => "UNHEALTHY",
            HealthStatus::Unknown => "UNKNOWN",
        }
    }
}

/// Why a task stopped (`stopCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopCode {
    /// It never ran.
    TaskFailedToStart,
    /// An essential container ended.
    EssentialContainerExited,
    /// StopTask.
    UserInitiated,
    /// Its service no longer wants it.
    ServiceSchedulerInitiated,
    /// Its capacity was taken back.
    SpotInterruption,
    /// Its node is gone.
    TerminationNotice,
}

impl StopCode {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            StopCode::TaskFailedToStart => "TaskFailedToStart",
            StopCode::EssentialContainerExited => "EssentialContainerExited",
            StopCode::UserInitiated => "UserInitiated",
            StopCode::ServiceSchedulerInitiated => "ServiceSchedulerInitiated",
            StopCode::SpotInterruption => "SpotInterruption",
            StopCode::TerminationNotice => "TerminationNotice",
        }
    }
}

/// A container of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: Arn,
    /// The image, as the definition names it.
    pub image: Word,
    /// The manifest's digest once it was resolved, `sha256:…`.
    pub image_digest: Option<Word>,
    /// The runtime's id of it.
    pub runtime_id: Option<String>,
    /// Where it stands.
    pub last_status: ContainerStatus,
    /// The exit code, when it ended and the code is known.
    pub exit_code: Option<i32>,
    /// What went wrong, `Name: message`.
    pub reason: Option<String>,
    /// Ports of its node that lead to it.
    #[serde(default)]
    pub network_bindings: Vec<NetworkBinding>,
    /// How it is.
    #[serde(default)]
    pub health: HealthStatus,
}

/// A port of a node that leads to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkBinding {
    /// The port of the container.
    pub container_port: u16,
    /// The port of the node.
    pub host_port: u16,
    /// The transport.
    pub protocol: Transport,
}

/// Where a container stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ContainerStatus {
    /// Not started.
    Pending,
    /// Running.
    Running,
    /// Ended, or never to start.
    Stopped,
}

impl ContainerStatus {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            ContainerStatus::Pending => "PENDING",
            ContainerStatus::Running => "RUNNING",
            ContainerStatus::Stopped => "STOPPED",
        }
    }
}

/// What RunTask changes of a definition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskOverride {
    /// Replaces the task's CPU limit.
    pub cpu: Option<CpuUnits>,
    /// Replaces the task's memory limit.
    pub memory: Option<Mebibytes>,
    /// Replaces the task role.
    pub task_role_arn: Option<String>,
    /// Replaces the execution role.
    pub execution_role_arn: Option<String>,
    /// Replaces the size of the task's disk, in gibibytes.
    #[serde(default)]
    pub ephemeral_storage_gib: Option<u32>,
    /// Changes of single containers.
    pub containers: Vec<ContainerOverride>,
}

/// What RunTask changes of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerOverride {
    /// The container.
    pub name: String,
    /// Replaces the command.
    pub command: Option<Vec<String>>,
    /// Adds to, or replaces in, the environment.
    pub environment: Vec<(String, String)>,
    /// Replaces the files of environment variables.
    #[serde(default)]
    pub environment_files: Option<Vec<EnvironmentFile>>,
    /// Replaces the CPU shares.
    pub cpu: Option<CpuUnits>,
    /// Replaces the hard memory limit.
    pub memory: Option<Mebibytes>,
    /// Replaces the soft memory limit.
    pub memory_reservation: Option<Mebibytes>,
}

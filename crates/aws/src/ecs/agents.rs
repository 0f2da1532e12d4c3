//! Shapes of what agents ask and say.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Input of `DiscoverPollEndpoint`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DiscoverPollEndpointInput {
    /// The instance.
    pub container_instance: Option<String>,
    /// The cluster.
    pub cluster: Option<String>,
}

/// Output of `DiscoverPollEndpoint`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoverPollEndpointOutput {
    /// Where an agent asks for its tasks.
    pub endpoint: String,
    /// Where it says how they are.
    pub telemetry_endpoint: String,
}

/// Input of `SubmitTaskStateChange`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SubmitTaskStateChangeInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The task.
    pub task: Option<String>,
    /// Where it stands.
    pub status: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Its containers.
    pub containers: Vec<ContainerStateChange>,
    /// What is attached to it.
    pub attachments: Vec<AttachmentStateChange>,
    /// Programs that were put into its containers.
    pub managed_agents: Vec<serde_json::Value>,
    /// When the first pull began.
    pub pull_started_at: Option<Timestamp>,
    /// When the last pull ended.
    pub pull_stopped_at: Option<Timestamp>,
    /// When its last container ended.
    pub execution_stopped_at: Option<Timestamp>,
}

/// Where a container stands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerStateChange {
    /// Its name.
    pub container_name: Option<String>,
    /// The image's digest.
    pub image_digest: Option<String>,
    /// The runtime's id.
    pub runtime_id: Option<String>,
    /// The exit code.
    pub exit_code: Option<i32>,
    /// Ports on its host.
    pub network_bindings: Vec<NetworkBindingInput>,
    /// What went wrong.
    pub reason: Option<String>,
    /// `PENDING`, `RUNNING` or `STOPPED`.
    pub status: Option<String>,
}

/// A port of the host that leads to a container, as it is said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NetworkBindingInput {
    /// The port of the container.
    pub container_port: Option<i32>,
    /// The port of the host.
    pub host_port: Option<i32>,
    /// `tcp` or `udp`.
    pub protocol: Option<String>,
}

/// Input of `SubmitContainerStateChange`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SubmitContainerStateChangeInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The task.
    pub task: Option<String>,
    /// The container.
    pub container_name: Option<String>,
    /// The runtime's id.
    pub runtime_id: Option<String>,
    /// `PENDING`, `RUNNING` or `STOPPED`.
    pub status: Option<String>,
    /// The exit code.
    pub exit_code: Option<i32>,
    /// What went wrong.
    pub reason: Option<String>,
    /// Ports on its host.
    pub network_bindings: Vec<NetworkBindingInput>,
}

/// Input of `SubmitAttachmentStateChanges`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SubmitAttachmentStateChangesInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The attachments.
    pub attachments: Vec<AttachmentStateChange>,
}

/// Where an attachment stands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AttachmentStateChange {
    /// The attachment.
    pub attachment_arn: String,
    /// Where it stands.
    pub status: String,
}

/// Output of what agents say.
#[derive(Debug, Clone, Serialize)]
pub struct Acknowledgment {
    /// That it was heard.
    pub acknowledgment: String,
}

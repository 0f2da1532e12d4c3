//! Shapes of ExecuteCommand.

use serde::{Deserialize, Serialize};

/// Input of `ExecuteCommand`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ExecuteCommandInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The container; may be absent when the task has only one.
    pub container: Option<String>,
    /// The program with its arguments, in one line.
    pub command: String,
    /// Whether it has a terminal.
    pub interactive: Option<bool>,
    /// The task.
    pub task: String,
}

/// Output of `ExecuteCommand`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecuteCommandOutput {
    /// The cluster.
    pub cluster_arn: String,
    /// The container.
    pub container_arn: String,
    /// Its name.
    pub container_name: String,
    /// Whether the command has a terminal.
    pub interactive: bool,
    /// Where the command is talked to.
    pub session: Session,
    /// The task.
    pub task_arn: String,
}

/// Where a command is talked to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub session_id: String,
    /// The WebSocket.
    pub stream_url: String,
    /// What opens it.
    pub token_value: String,
}

/// Something on the node that serves a container.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedAgent {
    /// `ExecuteCommandAgent`.
    pub name: &'static str,
    /// Where it stands.
    pub last_status: &'static str,
    /// When it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_started_at: Option<crate::Timestamp>,
}

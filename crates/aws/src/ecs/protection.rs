//! Shapes of task protection.

use super::Failure;
use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Input of `GetTaskProtection` and `UpdateTaskProtection`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TaskProtectionInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The tasks.
    pub tasks: Vec<String>,
    /// Whether they are protected.
    pub protection_enabled: Option<bool>,
    /// For how long.
    pub expires_in_minutes: Option<i32>,
}

/// Output of `GetTaskProtection` and `UpdateTaskProtection`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskProtectionOutput {
    /// The tasks.
    pub protected_tasks: Vec<ProtectedTask>,
    /// Those that are not there, or cannot be protected.
    pub failures: Vec<Failure>,
}

/// Whether a task is protected.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProtectedTask {
    /// The task.
    pub task_arn: String,
    /// Whether it is.
    pub protection_enabled: bool,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_date: Option<Timestamp>,
}

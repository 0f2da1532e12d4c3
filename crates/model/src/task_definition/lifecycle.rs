//! When a container starts, whether it is well, and whether it is started again.

use serde::{Deserialize, Serialize};

/// What another container must have reached before this one starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The other container.
    pub container: String,
    /// What it must have reached.
    pub condition: DependencyCondition,
}

/// What a container can wait for in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DependencyCondition {
    /// It was started.
    Start,
    /// It ended.
    Complete,
    /// It ended with exit code 0.
    Success,
    /// It passed its health check.
    Healthy,
}

/// How a container's health is found out. A time that was not given is absent; its default is the node's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HealthCheck {
    /// `CMD` and a program with its arguments, or `CMD-SHELL` and a line for the shell.
    pub command: Vec<String>,
    /// Seconds from one check to the next; 30 when absent.
    pub interval_secs: Option<u32>,
    /// Seconds that a check may take; 5 when absent.
    pub timeout_secs: Option<u32>,
    /// How many failures in a row make it unhealthy; 3 when absent.
    pub retries: Option<u32>,
    /// Seconds after its start in which failures do not count; none when absent.
    pub start_period_secs: Option<u32>,
}

/// Whether and when a container is started again in place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestartPolicy {
    /// Whether it is.
    pub enabled: bool,
    /// The exit codes after which it is not.
    pub ignored_exit_codes: Vec<i32>,
    /// Seconds that it must have run; 300 when absent.
    pub attempt_period_secs: Option<u32>,
}

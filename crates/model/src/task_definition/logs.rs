//! Where a container's output goes.

use super::Secret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a container's output goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogConfiguration {
    /// The driver.
    pub driver: LogDriver,
    /// The driver's options, as given.
    pub options: BTreeMap<String, String>,
    /// Options whose values are secrets.
    #[serde(default)]
    pub secret_options: Vec<Secret>,
}

/// A log driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogDriver {
    /// A log group of the own Logs service.
    Awslogs,
    /// Files on the node.
    JsonFile,
    /// The host's syslog, or one elsewhere.
    Syslog,
    /// The log router among the task's own containers.
    Awsfirelens,
    /// Nowhere.
    None,
}

impl LogDriver {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            LogDriver::Awslogs => "awslogs",
            LogDriver::JsonFile => "json-file",
            LogDriver::Syslog => "syslog",
            LogDriver::Awsfirelens => "awsfirelens",
            LogDriver::None => "none",
        }
    }
}

/// That a container routes the logs of its neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirelensConfiguration {
    /// The program it is.
    pub kind: FirelensKind,
    /// Its options, as given.
    pub options: BTreeMap<String, String>,
}

/// A log router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirelensKind {
    /// Fluentd.
    Fluentd,
    /// Fluent Bit.
    Fluentbit,
}

impl FirelensKind {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            FirelensKind::Fluentd => "fluentd",
            FirelensKind::Fluentbit => "fluentbit",
        }
    }
}

//! Shapes of where a container's output goes.

use super::Secret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a container's output goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LogConfiguration {
    /// The driver.
    pub log_driver: String,
    /// Its options.
    pub options: BTreeMap<String, String>,
    /// Options whose values are secrets; shown empty, as on AWS.
    pub secret_options: Vec<Secret>,
}

/// That a container routes the logs of its neighbours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FirelensConfiguration {
    /// `fluentd` or `fluentbit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its options.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

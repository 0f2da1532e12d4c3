//! The shape of a container, as it is given and as it is shown.

use super::{
    ContainerDependency, ContainerRestartPolicy, EnvironmentFile, FirelensConfiguration, HealthCheck,
    LinuxParameters, LogConfiguration, MountPoint, PortMapping, RepositoryCredentials, Secret, VolumeFrom,
};
use crate::ecs::KeyValuePair;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A container. What AWS leaves out of its answers when it was not given is left out here, too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerDefinition {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// The secret with which its registry is asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_credentials: Option<RepositoryCredentials>,
    /// CPU shares.
    pub cpu: i32,
    /// The hard memory limit in mebibytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<i32>,
    /// The soft memory limit in mebibytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<i32>,
    /// Other containers that it reaches by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// The ports it listens on.
    pub port_mappings: Vec<PortMapping>,
    /// Whether the task ends with it; it does unless this is false.
    pub essential: Option<bool>,
    /// Whether and when it is started again in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<ContainerRestartPolicy>,
    /// Replaces the image's entry point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_point: Option<Vec<String>>,
    /// Replaces the image's command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Environment variables.
    pub environment: Vec<KeyValuePair>,
    /// Files of environment variables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environment_files: Vec<EnvironmentFile>,
    /// The task's volumes that it sees.
    pub mount_points: Vec<MountPoint>,
    /// The containers whose mounts it has too.
    pub volumes_from: Vec<VolumeFrom>,
    /// What the kernel gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linux_parameters: Option<LinuxParameters>,
    /// Secrets that become environment variables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
    /// What other containers must have reached before it starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<ContainerDependency>,
    /// Seconds that others wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timeout: Option<i32>,
    /// Seconds from the stop signal to the kill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i32>,
    /// `enabled` or `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_consistency: Option<String>,
    /// Its host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Replaces the image's user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Replaces the image's working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Whether it has no network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_networking: Option<bool>,
    /// Whether it may do what root of the host may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privileged: Option<bool>,
    /// Whether the root file system is read-only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readonly_root_filesystem: Option<bool>,
    /// The name servers it asks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_servers: Vec<String>,
    /// The domains that short names are tried in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_search_domains: Vec<String>,
    /// Further lines of `/etc/hosts`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_hosts: Vec<HostEntry>,
    /// Security options in Docker's words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub docker_security_options: Vec<String>,
    /// Whether its standard input is kept open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interactive: Option<bool>,
    /// Whether it has a terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pseudo_terminal: Option<bool>,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub docker_labels: BTreeMap<String, String>,
    /// Resource limits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ulimits: Vec<Ulimit>,
    /// Where its output goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_configuration: Option<LogConfiguration>,
    /// How its health is found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Kernel parameters.
    pub system_controls: Vec<SystemControl>,
    /// Devices it needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_requirements: Vec<ResourceRequirement>,
    /// That it routes the logs of its neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firelens_configuration: Option<FirelensConfiguration>,
    /// Files of Active Directory credentials.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credential_specs: Vec<String>,
}

/// A line of `/etc/hosts`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HostEntry {
    /// The name.
    pub hostname: String,
    /// The address.
    pub ip_address: String,
}

/// A resource limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ulimit {
    /// Its name.
    pub name: String,
    /// The soft limit.
    pub soft_limit: i64,
    /// The hard limit.
    pub hard_limit: i64,
}

/// A kernel parameter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SystemControl {
    /// Its name.
    pub namespace: String,
    /// Its value.
    pub value: String,
}

/// A device that a container needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceRequirement {
    /// How many, or which.
    pub value: String,
    /// `GPU` or `InferenceAccelerator`.
    #[serde(rename = "type")]
    pub kind: String,
}

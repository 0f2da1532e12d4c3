//! What a definition says of one container.

use super::{
    Dependency, EnvironmentFile, FirelensConfiguration, HealthCheck, LinuxParameters, LogConfiguration,
    MountPoint, PortMapping, RestartPolicy, Secret, VolumeFrom,
};
use crate::{CpuUnits, Mebibytes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A container of a task definition. What can be left out and is shown as it was given is an option.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerDefinition {
    /// Its name, unique in the definition.
    pub name: String,
    /// The image, as given.
    pub image: String,
    /// The secret with which a private registry is asked for the image.
    pub repository_credentials: Option<String>,
    /// CPU shares; 0 where none were asked for.
    pub cpu: CpuUnits,
    /// The hard memory limit.
    pub memory: Option<Mebibytes>,
    /// The soft memory limit.
    pub memory_reservation: Option<Mebibytes>,
    /// Other containers it reaches by name, `name` or `name:alias`.
    pub links: Vec<String>,
    /// Whether the task ends with it.
    pub essential: bool,
    /// Whether and when it is started again in place.
    pub restart_policy: Option<RestartPolicy>,
    /// Replaces the image's entry point.
    pub entry_point: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Environment variables, in the order given.
    pub environment: Vec<(String, String)>,
    /// Files of environment variables.
    pub environment_files: Vec<EnvironmentFile>,
    /// Secrets that become environment variables.
    pub secrets: Vec<Secret>,
    /// The ports it listens on.
    pub port_mappings: Vec<PortMapping>,
    /// The task's volumes that it sees.
    pub mount_points: Vec<MountPoint>,
    /// Containers whose mounts it has too.
    pub volumes_from: Vec<VolumeFrom>,
    /// What the kernel gives it beyond, or short of, the defaults.
    pub linux_parameters: Option<LinuxParameters>,
    /// What other containers must have reached before it starts.
    pub depends_on: Vec<Dependency>,
    /// Seconds that others wait for it.
    pub start_timeout_secs: Option<u32>,
    /// Seconds from the stop signal to the kill; 30 when absent.
    pub stop_timeout_secs: Option<u32>,
    /// How its health is found out.
    pub health_check: Option<HealthCheck>,
    /// Whether the image's digest is settled once for all tasks of a deployment.
    pub version_consistency: Option<VersionConsistency>,
    /// Its host name.
    pub hostname: Option<String>,
    /// Replaces the image's user: a name or id, optionally `:group`.
    pub user: Option<String>,
    /// Replaces the image's working directory.
    pub working_directory: Option<String>,
    /// Whether it has no network.
    pub disable_networking: Option<bool>,
    /// Whether it may do what root of the host may do.
    pub privileged: Option<bool>,
    /// Whether the root file system is mounted read-only.
    pub readonly_root_filesystem: Option<bool>,
    /// The name servers it asks.
    pub dns_servers: Vec<String>,
    /// The domains that short names are tried in.
    pub dns_search_domains: Vec<String>,
    /// Further lines of `/etc/hosts`.
    pub extra_hosts: Vec<HostEntry>,
    /// Security options in Docker's words.
    pub docker_security_options: Vec<String>,
    /// Whether its standard input is kept open.
    pub interactive: Option<bool>,
    /// Whether it has a terminal.
    pub pseudo_terminal: Option<bool>,
    /// Labels, shown by the metadata endpoint.
    pub docker_labels: BTreeMap<String, String>,
    /// Resource limits.
    pub ulimits: Vec<Ulimit>,
    /// Where its output goes; nowhere but the node's own files when absent.
    pub log_configuration: Option<LogConfiguration>,
    /// That it routes the logs of its neighbours.
    pub firelens_configuration: Option<FirelensConfiguration>,
    /// Kernel parameters of its namespaces.
    pub system_controls: Vec<SystemControl>,
    /// Devices it needs.
    pub resource_requirements: Vec<ResourceRequirement>,
    /// Files of Active Directory credentials.
    pub credential_specs: Vec<String>,
}

impl ContainerDefinition {
    /// Returns an essential container with nothing but a name and an image.
    pub fn new(name: impl Into<String>, image: impl Into<String>) -> ContainerDefinition {
        ContainerDefinition {
            name: name.into(),
            image: image.into(),
            essential: true,
            ..ContainerDefinition::default()
        }
    }
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

/// A line of `/etc/hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEntry {
    /// The name.
    pub hostname: String,
    /// The address.
    pub ip_address: String,
}

/// A kernel parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemControl {
    /// Its name, such as `net.core.somaxconn`.
    pub namespace: String,
    /// Its value.
    pub value: String,
}

/// Whether the digest of an image is settled once for all tasks of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VersionConsistency {
    /// It is.
    Enabled,
    /// Each task asks anew what the name stands for.
    Disabled,
}

/// A device that a container needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRequirement {
    /// What kind of device.
    pub kind: ResourceKind,
    /// How many, or which.
    pub value: String,
}

/// A kind of device that a container can need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResourceKind {
    /// A graphics processor.
    Gpu,
    /// An Elastic Inference accelerator.
    InferenceAccelerator,
}

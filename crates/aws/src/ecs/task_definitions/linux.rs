//! Shapes of what the kernel gives a container.

use serde::{Deserialize, Serialize};

/// What the kernel gives a container beyond, or short of, the defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LinuxParameters {
    /// Capabilities added and taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<KernelCapabilities>,
    /// Devices of the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// Whether a small init runs the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_process_enabled: Option<bool>,
    /// The size of `/dev/shm` in mebibytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_memory_size: Option<i32>,
    /// Memory file systems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tmpfs: Vec<Tmpfs>,
    /// The swap it may use in mebibytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_swap: Option<i32>,
    /// How eagerly its memory is swapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swappiness: Option<i32>,
}

/// Capabilities added and taken away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KernelCapabilities {
    /// Those added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Those taken away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
}

/// A device of the host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Device {
    /// Its path on the host.
    pub host_path: String,
    /// Its path in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_path: Option<String>,
    /// `read`, `write` and `mknod`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
}

/// A memory file system.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tmpfs {
    /// Where it is mounted.
    pub container_path: String,
    /// Its size in mebibytes.
    pub size: i32,
    /// Its mount options.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mount_options: Vec<String>,
}

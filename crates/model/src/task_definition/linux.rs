//! What the kernel gives a container beyond, or short of, the defaults.

use crate::Mebibytes;
use serde::{Deserialize, Serialize};

/// What the kernel gives a container beyond, or short of, the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinuxParameters {
    /// Capabilities added and taken away.
    pub capabilities: Option<KernelCapabilities>,
    /// Devices of the host.
    pub devices: Vec<Device>,
    /// Whether a small init runs the program, hands on signals and reaps orphans.
    pub init_process_enabled: Option<bool>,
    /// The size of `/dev/shm`.
    pub shared_memory_size: Option<Mebibytes>,
    /// Memory file systems.
    pub tmpfs: Vec<Tmpfs>,
    /// The swap it may use.
    pub max_swap: Option<Mebibytes>,
    /// How eagerly its memory is swapped, 0 to 100.
    pub swappiness: Option<u32>,
}

/// Capabilities beyond, or short of, the default set, in ECS's spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KernelCapabilities {
    /// Those added.
    pub add: Vec<String>,
    /// Those taken away.
    pub drop: Vec<String>,
}

/// A device of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its path on the host.
    pub host_path: String,
    /// Its path in the container; the same when absent.
    pub container_path: Option<String>,
    /// What may be done with it; all when empty.
    pub permissions: Vec<DevicePermission>,
}

/// Something that may be done with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DevicePermission {
    /// Read.
    Read,
    /// Write.
    Write,
    /// Make its node.
    Mknod,
}

/// A memory file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tmpfs {
    /// Where it is mounted.
    pub container_path: String,
    /// Its size.
    pub size: Mebibytes,
    /// Its mount options.
    pub mount_options: Vec<String>,
}

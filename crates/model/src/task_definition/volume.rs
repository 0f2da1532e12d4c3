//! What the containers of a task may mount, and where they do.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that the containers of a task may mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its name, unique in the definition.
    pub name: String,
    /// What it is.
    pub source: VolumeSource,
    /// That its size and kind are given when tasks are started.
    #[serde(default)]
    pub configured_at_launch: Option<bool>,
}

/// What a volume is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeSource {
    /// A directory of its node.
    Host {
        /// The directory; one of the task's own when absent.
        source_path: Option<String>,
    },
    /// A volume as Docker has them.
    Docker(DockerVolume),
    /// A directory tree of a file system.
    Efs(EfsVolume),
}

/// A volume as Docker has them. What was not given is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DockerVolume {
    /// How long it lives; as long as the task when absent.
    pub scope: Option<DockerVolumeScope>,
    /// Whether it is made when it is not there.
    pub autoprovision: Option<bool>,
    /// Its driver.
    pub driver: Option<String>,
    /// The driver's options.
    pub driver_options: BTreeMap<String, String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// How long a volume lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DockerVolumeScope {
    /// As long as its task.
    Task,
    /// Beyond it.
    Shared,
}

/// A directory tree of a file system. What was not given is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EfsVolume {
    /// The file system's id.
    pub file_system_id: String,
    /// The directory in it.
    pub root_directory: Option<String>,
    /// Whether it is encrypted on its way (`ENABLED`). Met without doing anything: the tree is a directory of the node, so
    /// no byte of it travels.
    pub transit_encryption: Option<bool>,
    /// The port for that.
    pub transit_encryption_port: Option<u16>,
    /// Who it is mounted as.
    pub authorization: Option<EfsAuthorization>,
}

/// Who a file system is mounted as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EfsAuthorization {
    /// The access point.
    pub access_point_id: Option<String>,
    /// Whether the task's role is asked (`ENABLED`).
    pub iam: Option<bool>,
}

/// Where a container sees a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountPoint {
    /// The volume's name.
    pub source_volume: String,
    /// The path in the container.
    pub container_path: String,
    /// Whether it may only be read.
    pub read_only: Option<bool>,
}

/// A container whose mounts another has too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeFrom {
    /// The container.
    pub source_container: String,
    /// Whether they may only be read.
    pub read_only: Option<bool>,
}

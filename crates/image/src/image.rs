//! What a pull yields: an image that is here, unpacked, with the settings its author baked in.

use crate::digest::Digest;
use crate::pull::Lease;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// An image whose layers are all unpacked on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The name it was asked for by, completed.
    pub reference: String,
    /// The digest the name stood for: the index's where it is one. This is what ECS calls `imageDigest`.
    pub digest: Digest,
    /// The digest of the manifest for this platform.
    pub manifest: Digest,
    /// The digest of the configuration, which Docker calls the image's id.
    pub id: Digest,
    /// The settings for a container.
    pub config: ImageConfig,
    /// One directory per layer in overlay form, lowest first.
    pub layers: Vec<Utf8PathBuf>,
    /// The layers' compressed size in bytes.
    pub size: u64,
    /// Keeps the image from being cleaned away while it is held.
    pub lease: Option<Lease>,
}

/// The settings of a container that an image brings along.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// The arguments, or the program where there is no entrypoint.
    pub cmd: Vec<String>,
    /// The environment, each `NAME=value`.
    pub env: Vec<String>,
    /// The working directory, empty for `/`.
    pub working_dir: String,
    /// The user, as `name`, `uid`, `name:group` or `uid:gid`, empty for root.
    pub user: String,
    /// The signal that asks the program to stop, where the image names one.
    pub stop_signal: Option<String>,
    /// The ports the image says it serves, such as `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// The paths the image says are volumes.
    pub volumes: Vec<String>,
    /// The labels, sorted by name.
    pub labels: Vec<(String, String)>,
}

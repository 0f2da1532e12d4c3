//! What a container is, in plain words: the one value that crosses from the agent through keeper to
//! the launcher, which turns it into an OCI runtime specification (`spec/oci.rs`).
//!
//! Nothing in here is resolved yet: `user` is what the image or the task definition said, `layers` are
//! directories of unpacked layers. The network namespace is not part of it; its descriptor travels
//! beside the value.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use wharf_model::secret::Plain;

mod capabilities;
mod devices;
mod limits;
mod mounts;
mod oci;
#[cfg(test)]
mod tests;

pub(crate) use capabilities::number as capability_number;
pub use capabilities::{DEFAULT_CAPABILITIES, capabilities};
pub use oci::{Joins, SpecError, oci_spec};
pub(crate) use oci::{LOADING, gains_privileges};

/// Variables whose values are not shown.
pub type SecretVariables = Vec<(String, Plain)>;

/// Everything needed to create one container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContainerSpec {
    /// The container's own directory on the host. Created if absent; holds the writable layer, the
    /// generated files and the output files, and must be on the disk that pays for them.
    pub dir: Utf8PathBuf,
    /// Directories of unpacked layers, lowest first, at least one.
    pub layers: Vec<Utf8PathBuf>,
    /// Program and arguments, never empty unless the container only holds namespaces.
    pub args: Vec<String>,
    /// What its first process is.
    pub first: First,
    /// `KEY=VALUE` entries; a `PATH` is added when there is none.
    pub env: Vec<String>,
    /// Further variables, which are not written into the container's configuration on disk.
    pub secret_env: SecretVariables,
    /// Working directory inside the container; created if absent. Empty means `/`.
    pub cwd: String,
    /// `name`, `uid`, `name:group`, `uid:gid`; empty means root.
    pub user: String,
    /// Host name of the container.
    pub hostname: String,
    /// Contents of `/etc/hosts`.
    pub hosts: String,
    /// Contents of `/etc/resolv.conf`.
    pub resolv_conf: String,
    /// Parent cgroup that carries the task's limits, as made by `TaskCgroup` (`/wharf/<task>`); the
    /// container gets a leaf named after its id in it.
    pub cgroup_parent: String,
    /// The container's own limits.
    pub limits: Limits,
    /// Resource limits of its processes; `nofile` is clamped to the machine's hard limit.
    pub ulimits: Vec<Ulimit>,
    /// Capabilities beyond the default set, such as `CAP_SYS_PTRACE`; `ALL` adds every one.
    pub capabilities_added: Vec<String>,
    /// Capabilities taken from the default set; `ALL` takes every one.
    pub capabilities_dropped: Vec<String>,
    /// Whether it may do what root of the host may do: every capability and device, nothing hidden, no filter.
    pub privileged: bool,
    /// Whether setuid programs and file capabilities work in it.
    pub gains_privileges: bool,
    /// Devices of the host.
    pub devices: Vec<Device>,
    /// Whose processes it sees.
    pub pid: Sharing,
    /// Whose shared memory, semaphores and message queues it sees.
    pub ipc: Sharing,
    /// Whether its streams are a terminal.
    pub terminal: bool,
    /// Whether its standard input stays open; it is at its end otherwise.
    pub interactive: bool,
    /// Whether the root file system is read-only.
    pub readonly_root: bool,
    /// Directories and files of the host.
    pub mounts: Vec<BindMount>,
    /// A directory of the task's own file system, where the writable layer then is.
    pub storage: Option<Utf8PathBuf>,
    /// Memory file systems.
    pub tmpfs: Vec<Tmpfs>,
    /// Size of `/dev/shm`; zero means 64 MiB.
    pub shm_size_mib: u64,
    /// Kernel parameters of the container's namespaces.
    pub sysctls: Vec<(String, String)>,
}

/// Limits of one container inside its task's; zero means none of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Relative weight, 1024 for one vCPU.
    pub cpu_shares: u64,
    /// Hard limit; reaching it kills the container.
    pub memory_bytes: u64,
    /// Soft limit.
    pub memory_reservation_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Swap beyond the hard limit.
    pub swap_bytes: u64,
    /// How eagerly memory is swapped, 0 to 100.
    pub swappiness: Option<u64>,
}

/// What a container's first process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum First {
    /// Its program.
    #[default]
    Program,
    /// A small init that runs the program, hands on signals and reaps orphans.
    Init,
    /// The small init alone, which keeps namespaces for others until it is told to end.
    Holder,
}

/// Whose namespace of a kind a container is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Its own.
    #[default]
    Own,
    /// That of the container with this id.
    With(String),
    /// The host's.
    Host,
}

/// A device of the host, or a directory of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Absolute path on the host.
    pub source: Utf8PathBuf,
    /// Absolute path in the container.
    pub destination: String,
    /// What may be done with it: letters of `rwm`.
    pub access: String,
}

/// A resource limit by its ECS name (`nofile`, `nproc`, …).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// Lower case name without `RLIMIT_`.
    pub name: String,
    /// Soft limit.
    pub soft: u64,
    /// Hard limit.
    pub hard: u64,
}

/// Something of the host made visible in the container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindMount {
    /// Absolute path on the host, as the host sees it now; must exist.
    pub source: Utf8PathBuf,
    /// A directory inside the source that is mounted in its place, resolved as if the source were `/`.
    pub inside: Option<String>,
    /// Absolute path in the container.
    pub destination: String,
    /// Whether the container may only read it.
    pub read_only: bool,
    /// Whether it gets what the image has there, as long as it is empty.
    pub fill: bool,
    /// The user and group whose files the container's user shall have for its own, and as whom it makes new ones.
    pub owner: Option<(u32, u32)>,
}

/// A memory file system in the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tmpfs {
    /// Absolute path in the container.
    pub destination: String,
    /// Size limit.
    pub size_mib: u64,
    /// Further mount options, such as `noexec`.
    pub options: Vec<String>,
}

//! What an agent is told when it starts.

use crate::Steps;
use camino::Utf8PathBuf;
use std::time::Duration;

/// Where an agent keeps things and what it calls what it makes in the kernel. Several agents of one machine differ
/// in all of it.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// Durable state: images, and one directory per task (`/var/lib/wharf`).
    pub state_dir: Utf8PathBuf,
    /// What a reboot may take: network namespaces, kernel settings of before (`/run/wharf`).
    pub run_dir: Utf8PathBuf,
    /// Where control listens for the agent.
    pub control_socket: Utf8PathBuf,
    /// Where keeper listens.
    pub keeper_socket: Utf8PathBuf,
    /// How many networks are made ahead of need.
    pub slots: usize,
    /// What host ends of veth pairs begin with, at most 5 characters.
    pub veth_prefix: String,
    /// The device that holds the load balancers' addresses.
    pub balancer_device: String,
    /// The nftables table.
    pub firewall_table: String,
    /// The cgroup that tasks' cgroups are made in; begins with a slash.
    pub cgroup_root: String,
    /// What images may take.
    pub image_limits: ImageLimits,
    /// Who is told between which moments this process may be killed; nobody but in tests.
    pub steps: Steps,
}

/// What images may take of the disk before those that nobody uses are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageLimits {
    /// Bytes of all unpacked images together; nothing for no limit of their own.
    pub bytes_max: Option<u64>,
    /// The part of the disk that should stay free.
    pub disk_free_percent: u8,
    /// How long an image that nobody uses stays at least, unless the disk is short.
    pub idle_min: Duration,
}

impl Default for ImageLimits {
    fn default() -> ImageLimits {
        ImageLimits { bytes_max: None, disk_free_percent: 10, idle_min: Duration::from_secs(3600) }
    }
}

impl AgentConfig {
    /// Returns the configuration of the machine's only agent, with these two directories.
    pub fn new(state_dir: impl Into<Utf8PathBuf>, run_dir: impl Into<Utf8PathBuf>) -> AgentConfig {
        let run_dir = run_dir.into();
        AgentConfig {
            state_dir: state_dir.into(),
            control_socket: run_dir.join("node.sock"),
            keeper_socket: run_dir.join("keeper.sock"),
            run_dir,
            slots: 8,
            veth_prefix: "wh".to_owned(),
            balancer_device: "wharf-lb".to_owned(),
            firewall_table: "wharf".to_owned(),
            cgroup_root: "/wharf".to_owned(),
            image_limits: ImageLimits::default(),
            steps: Steps::default(),
        }
    }

    /// Returns the directory of tasks.
    pub(crate) fn tasks_dir(&self) -> Utf8PathBuf {
        self.state_dir.join("tasks")
    }

    /// Returns where the command line reaches the agent.
    pub fn local_socket(&self) -> Utf8PathBuf {
        self.run_dir.join("agent.sock")
    }

    /// Returns the directory of images.
    pub(crate) fn images_dir(&self) -> Utf8PathBuf {
        self.state_dir.join("images")
    }
}

//! Container instances: machines as a cluster sees them.
//!
//! A machine with an agent of ours is an instance of every cluster; what a cluster says of it, and the instances that
//! other agents registered, are records of their own.

use crate::{ClusterName, CpuUnits, Mebibytes, NodeId, Timestamp, tag::Tag, task_definition::Transport};
use serde::{Deserialize, Serialize};

/// What a cluster keeps of a container instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerInstance {
    /// The machine.
    pub id: NodeId,
    /// The cluster.
    pub cluster: ClusterName,
    /// Whether tasks are placed on it.
    pub status: InstanceStatus,
    /// The attributes that callers gave it, besides those it has by itself.
    pub attributes: Vec<Attribute>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Counts changes.
    pub version: u64,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// What an agent that is not ours said of its machine.
    pub external: Option<External>,
}

/// A machine whose agent is not ours: it learns of its tasks by asking, and says what became of them by
/// `SubmitTaskStateChange`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// The processors it offers.
    pub cpu: CpuUnits,
    /// The memory it offers.
    pub memory: Mebibytes,
    /// The ports it does not offer.
    pub reserved_ports: Vec<(u16, Transport)>,
    /// Its agent's version.
    pub agent_version: String,
    /// Its agent's build.
    pub agent_hash: String,
    /// The version of its container runtime.
    pub runtime_version: String,
    /// The instance's id, from its identity document.
    pub instance_id: Option<String>,
}

/// Whether tasks are placed on an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceStatus {
    /// They are.
    Active,
    /// They are not, and services move theirs away.
    Draining,
    /// It was deregistered.
    Inactive,
}

impl InstanceStatus {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            InstanceStatus::Active => "ACTIVE",
            InstanceStatus::Draining => "DRAINING",
            InstanceStatus::Inactive => "INACTIVE",
        }
    }
}

/// A name, with or without a value, by which instances are chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Option<String>,
}

//! The machines that tasks run on.

use crate::{CpuUnits, Mebibytes, NodeId, Timestamp};
use serde::{Deserialize, Serialize};

/// A machine with an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its id, made at the agent's first start.
    pub id: NodeId,
    /// The kernel's boot id: another one means that every task of before is gone.
    pub boot_id: String,
    /// The processors it offers.
    pub cpu: CpuUnits,
    /// The memory it offers.
    pub memory: Mebibytes,
    /// When it was first seen.
    pub registered_at: Timestamp,
    /// Whether its agent is connected now. Not kept: a control plane that starts knows of nobody.
    #[serde(skip)]
    pub connected: bool,
}

//! Which node a task goes to, and why there may be none.

use std::collections::BTreeSet;
use wharf_model::{CpuUnits, Mebibytes, NodeId, task_definition::Transport};

#[cfg(test)]
mod tests;

/// How many times its processors and its memory a node is given to tasks that share it (Fargate).
///
/// Their limits are enforced by the kernel all the same. Without this a laptop with two processors would hold eight of
/// the smallest tasks.
const SHARED_CPU: u64 = 32;
const SHARED_MEMORY: u64 = 4;

/// Processors and memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// The processors.
    pub cpu: CpuUnits,
    /// The memory.
    pub memory: Mebibytes,
}

/// A node, and what its tasks hold of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The node.
    pub node: NodeId,
    /// What it offers.
    pub offered: Size,
    /// What its tasks hold.
    pub taken_cpu: u64,
    /// What its tasks hold, in mebibytes.
    pub taken_memory: u64,
    /// The ports of the node that lead to its tasks.
    pub taken_ports: BTreeSet<(Transport, u16)>,
}

impl Room {
    /// Counts a task as placed here.
    pub fn take(&mut self, size: Size, ports: &[(Transport, u16)]) {
        self.taken_ports.extend(ports);
        self.taken_cpu += u64::from(size.cpu.0);
        self.taken_memory += u64::from(size.memory.0);
    }
}

/// Whether a task holds what it asked for alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Alone: the node's sum is never exceeded (EC2).
    Reserved,
    /// Together with others, each within its limit (Fargate).
    Shared,
}

/// Why no node takes a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoom {
    /// There is no node.
    NoNode,
    /// No node has the processors; the closest one is named.
    Cpu(NodeId),
    /// No node has the memory; the closest one is named.
    Memory(NodeId),
    /// The ports are taken on every node that has room; the closest one is named.
    Ports(NodeId),
}

impl NoRoom {
    /// Returns the reason as RunTask's failures write it.
    pub fn reason(&self) -> &'static str {
        match self {
            NoRoom::NoNode => "RESOURCE:*",
            NoRoom::Cpu(_) => "RESOURCE:CPU",
            NoRoom::Memory(_) => "RESOURCE:MEMORY",
            NoRoom::Ports(_) => "RESOURCE:PORTS",
        }
    }

    /// Returns the node that comes closest.
    pub fn closest(&self) -> Option<&NodeId> {
        match self {
            NoRoom::NoNode => None,
            NoRoom::Cpu(node) | NoRoom::Memory(node) | NoRoom::Ports(node) => Some(node),
        }
    }
}

/// Returns the node with the most memory left among those that have room for a task and these ports free.
pub fn place(
    rooms: &[Room],
    asked: Size,
    ports: &[(Transport, u16)],
    holding: Holding,
) -> Result<NodeId, NoRoom> {
    let (cpu_times, memory_times) = match holding {
        Holding::Reserved => (1, 1),
        Holding::Shared => (SHARED_CPU, SHARED_MEMORY),
    };
    let free_cpu = |room: &Room| (u64::from(room.offered.cpu.0) * cpu_times).saturating_sub(room.taken_cpu);
    let free_memory =
        |room: &Room| (u64::from(room.offered.memory.0) * memory_times).saturating_sub(room.taken_memory);
    let has_cpu = |room: &&Room| free_cpu(room) >= u64::from(asked.cpu.0);
    // A task that is larger than the node's whole memory fits nowhere, however much is shared.
    let has_memory =
        |room: &&Room| free_memory(room) >= u64::from(asked.memory.0) && room.offered.memory >= asked.memory;
    let has_ports = |room: &&&Room| ports.iter().all(|port| !room.taken_ports.contains(port));
    let roomy: Vec<&Room> = rooms.iter().filter(has_cpu).filter(has_memory).collect();
    if let Some(room) = roomy.iter().filter(has_ports).max_by_key(|room| free_memory(room)) {
        return Ok(room.node.clone());
    }
    if let Some(room) = roomy.first() {
        return Err(NoRoom::Ports(room.node.clone()));
    }
    let closest = rooms.iter().filter(has_memory).max_by_key(|room| free_cpu(room));
    match (closest, rooms.iter().max_by_key(|room| free_memory(room))) {
        (Some(room), _) => Err(NoRoom::Cpu(room.node.clone())),
        (None, Some(room)) => Err(NoRoom::Memory(room.node.clone())),
        (None, None) => Err(NoRoom::NoNode),
    }
}

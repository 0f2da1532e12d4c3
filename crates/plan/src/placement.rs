//! Which node a task goes to, and why there may be none.
//!
//! A node must pass everything that is asked of it; among those that do, the strategies decide in their order, then the
//! memory that is left. When none passes, the one that fails the least is named with what it lacks.

mod asked;
mod field;

pub use field::Field;

pub use asked::{Asked, Holding, InvalidPlacement, Rule, Size, read};

use crate::query::Facts;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use wharf_model::{
    NodeId, Word,
    placement::{Resource, SpreadBy, Strategy},
    task_definition::Transport,
};

#[cfg(test)]
mod tests;

/// How many times its processors and its memory a node is given to tasks that share it (Fargate).
///
/// Their limits are enforced by the kernel all the same. Without this a laptop with two processors would hold eight of
/// the smallest tasks.
const SHARED_CPU: u64 = 32;
const SHARED_MEMORY: u64 = 4;

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
    /// The ports that are taken on it.
    pub ports: BTreeSet<(u16, Transport)>,
    /// What expressions may ask of it.
    pub facts: Facts,
}

impl Room {
    /// Counts a task as placed here.
    pub fn take(&mut self, size: Size, ports: &[(u16, Transport)], group: &str) {
        self.taken_cpu += u64::from(size.cpu.0);
        self.taken_memory += u64::from(size.memory.0);
        self.ports.extend(ports);
        *self.facts.groups.entry(group) += 1;
    }

    fn free_cpu(&self, holding: Holding) -> u64 {
        let times = if holding == Holding::Shared { SHARED_CPU } else { 1 };
        (u64::from(self.offered.cpu.0) * times).saturating_sub(self.taken_cpu)
    }

    fn free_memory(&self, holding: Holding) -> u64 {
        let times = if holding == Holding::Shared { SHARED_MEMORY } else { 1 };
        (u64::from(self.offered.memory.0) * times).saturating_sub(self.taken_memory)
    }
}

/// What a node lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// An expression does not hold for it.
    Member,
    /// A task of the group is on it already.
    Distinct,
    /// A port is taken.
    Ports,
    /// Memory.
    Memory,
    /// Processors.
    Cpu,
}

impl Lack {
    const ALL: [Lack; 5] = [Lack::Member, Lack::Distinct, Lack::Ports, Lack::Memory, Lack::Cpu];
}

/// Why no node takes a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoom {
    /// There is no node.
    NoNode,
    /// The closest one, and the first that it lacks.
    Closest(NodeId, Lack),
}

impl NoRoom {
    /// Returns the reason as RunTask's failures write it.
    pub fn reason(&self) -> &'static str {
        match self {
            NoRoom::NoNode => "RESOURCE:*",
            NoRoom::Closest(_, lack) => match lack {
                Lack::Member => "MemberOf placement constraint unsatisfied.",
                Lack::Distinct => "DistinctInstance placement constraint unsatisfied.",
                Lack::Ports => "RESOURCE:PORTS",
                Lack::Memory => "RESOURCE:MEMORY",
                Lack::Cpu => "RESOURCE:CPU",
            },
        }
    }

    /// Returns the node that comes closest.
    pub fn closest(&self) -> Option<&NodeId> {
        match self {
            NoRoom::NoNode => None,
            NoRoom::Closest(node, _) => Some(node),
        }
    }
}

/// Returns the node for a task.
pub fn place<'a>(
    rooms: impl IntoIterator<Item = &'a Room, IntoIter: Clone>,
    asked: &Asked<'_>,
) -> Result<NodeId, NoRoom> {
    let rooms = rooms.into_iter();
    let fitting: Vec<&Room> = rooms.clone().filter(|room| fits(room, asked)).collect();
    let scores: Vec<Vec<u64>> =
        asked.strategies.iter().map(|strategy| scores(strategy, &fitting, asked)).collect();
    let best = fitting.iter().enumerate().min_by_key(|(place, room)| {
        let scores: Vec<u64> = scores.iter().map(|scores| scores[*place]).collect();
        (scores, Reverse(room.free_memory(asked.holding)), &room.node)
    });
    if let Some((_, room)) = best {
        return Ok(room.node.clone());
    }
    let closest = rooms.min_by_key(|room| {
        let lacks: Vec<Lack> = lacks(room, asked).collect();
        let left = match lacks.first() {
            Some(Lack::Cpu) => room.free_cpu(asked.holding),
            _ => room.free_memory(asked.holding),
        };
        (lacks.len(), lacks.first().copied().map(Reverse), Reverse(left))
    });
    match closest.and_then(|room| Some((room, lacks(room, asked).next()?))) {
        Some((room, lack)) => Err(NoRoom::Closest(room.node.clone(), lack)),
        None => Err(NoRoom::NoNode),
    }
}

/// Returns whether all that is asked of a node, besides room, holds for it: whether a daemon belongs on it.
pub fn is_member(room: &Room, rules: &[Rule]) -> bool {
    rules.iter().all(|rule| match rule {
        Rule::Distinct => true,
        Rule::Member(expression) => expression.holds(&room.facts),
    })
}

/// Returns what a single node lacks first, if anything.
pub fn lack(room: &Room, asked: &Asked<'_>) -> Option<Lack> {
    lacks(room, asked).next()
}

/// Returns whether a node lacks nothing, the quickest to find out first.
fn fits(room: &Room, asked: &Asked<'_>) -> bool {
    Lack::ALL.into_iter().rev().all(|lack| !is_lacking(room, asked, lack))
}

fn lacks<'a>(room: &'a Room, asked: &'a Asked<'_>) -> impl Iterator<Item = Lack> + use<'a> {
    Lack::ALL.into_iter().filter(|lack| is_lacking(room, asked, *lack))
}

fn is_lacking(room: &Room, asked: &Asked<'_>, lack: Lack) -> bool {
    let Asked { size, holding, ports, rules, group, .. } = *asked;
    match lack {
        Lack::Member => !is_member(room, rules),
        Lack::Distinct => rules.contains(&Rule::Distinct) && room.facts.groups.get(group).is_some(),
        Lack::Ports => ports.iter().any(|port| room.ports.contains(port)),
        // A task that is larger than the node's whole memory fits nowhere, however much is shared.
        Lack::Memory => {
            room.free_memory(holding) < u64::from(size.memory.0) || room.offered.memory < size.memory
        }
        Lack::Cpu => room.free_cpu(holding) < u64::from(size.cpu.0),
    }
}

/// Returns what a strategy gives each of the nodes that fit: the best one has the least.
fn scores(strategy: &Strategy, fitting: &[&Room], asked: &Asked<'_>) -> Vec<u64> {
    let of_group = |room: &Room| of_group(room, asked);
    let score = |score: &dyn Fn(&Room) -> u64| fitting.iter().map(|room| score(room)).collect();
    match strategy {
        Strategy::Random => score(&|room| mixed(asked.dice, room.node.as_str())),
        Strategy::Binpack(Resource::Cpu) => score(&|room| room.free_cpu(asked.holding)),
        Strategy::Binpack(Resource::Memory) => score(&|room| room.free_memory(asked.holding)),
        Strategy::Spread(SpreadBy::Instance) => score(&of_group),
        Strategy::Spread(SpreadBy::Attribute(name)) => {
            let mut there: BTreeMap<Option<&Option<Word>>, u64> = BTreeMap::new();
            for room in fitting {
                *there.entry(room.facts.attributes.get(name)).or_default() += of_group(room);
            }
            score(&|room| there.get(&room.facts.attributes.get(name)).copied().unwrap_or(0))
        }
    }
}

/// Returns how many tasks of the group are on a node.
fn of_group(room: &Room, asked: &Asked<'_>) -> u64 {
    room.facts.groups.get(asked.group).map_or(0, |tasks| *tasks as u64)
}

/// Returns a number that looks thrown, the same for the same dice and name (FNV-1a).
fn mixed(dice: u64, name: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ dice;
    name.bytes().fold(start, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

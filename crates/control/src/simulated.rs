//! Nodes that are played: they speak as an agent does, over the same socket, and run nothing.
//!
//! For tests of deployments, and to see thousands of nodes on a laptop. What befalls a task is drawn from a seed: the
//! same seed, and the same order of tasks on a node, tell the same story.
//!
//! ```text
//!  Assign(run) ──▶ ACTIVATING ──start──▶ RUNNING ──▶ HEALTHY, or after a while UNHEALTHY
//!                       └─────────────▶ STOPPED (it fails to start)
//!  Assign(stop) ─▶ STOPPING ─▶ STOPPED
//! ```

mod node;
mod report;
#[cfg(test)]
mod tests;

pub use report::report;

use crate::Control;
use std::{path::Path, time::Duration};
use tokio::task::JoinSet;
use wharf_model::{CpuUnits, Mebibytes, NodeId};

/// How long a node waits before it connects again.
const PAUSE: Duration = Duration::from_millis(200);

/// How simulated nodes are, and how tasks fare on them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// How many nodes there are.
    pub nodes: u32,
    /// The processors that each of them offers.
    pub cpu: CpuUnits,
    /// The memory that each of them offers.
    pub memory: Mebibytes,
    /// How long a task takes to start.
    pub start: Duration,
    /// How much longer, at most: each time between is equally likely.
    pub spread: Duration,
    /// The part of tasks, from 0 to 1, that fails to start.
    pub failures: f64,
    /// The part of tasks with a health check, from 0 to 1, that fails it once they run.
    pub unhealthy: f64,
    /// Where chance begins.
    pub seed: u64,
}

impl Fleet {
    /// Returns the id of a node, counted from 0.
    pub fn node(number: u32) -> NodeId {
        format!("51{number:030x}").parse().expect("thirty-two hexadecimal digits are an id")
    }

    /// Returns what befalls the task that comes to a node as its `count`th.
    fn fate(&self, number: u32, count: u64) -> Fate {
        let mut dice = Dice::new(self.seed, number, count);
        let spread = self.spread.mul_f64(dice.part());
        let fails = dice.part() < self.failures;
        let unhealthy = dice.part() < self.unhealthy;
        Fate { start: self.start + spread, fails, unhealthy }
    }
}

/// What befalls a task.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fate {
    start: Duration,
    fails: bool,
    unhealthy: bool,
}

/// Numbers that look thrown (SplitMix64).
struct Dice(u64);

impl Dice {
    fn new(seed: u64, number: u32, count: u64) -> Dice {
        let mut dice = Dice(seed);
        dice.0 = dice.next() ^ u64::from(number);
        dice.0 = dice.next() ^ count;
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from 0 to below 1.
    fn part(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}

/// Plays the nodes, for ever. They connect to the socket on which control listens for agents.
pub async fn run(control: Control, socket: &Path, fleet: Fleet) {
    let mut nodes = JoinSet::new();
    for number in 0..fleet.nodes {
        let (control, socket, fleet) = (control.clone(), socket.to_owned(), fleet.clone());
        nodes.spawn(async move {
            loop {
                if let Err(error) = node::play(&control, &socket, &fleet, number).await {
                    tracing::debug!(number, %error, "simulated node is not connected");
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
    while nodes.join_next().await.is_some() {}
}

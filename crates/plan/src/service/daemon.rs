//! Daemons: one task on each node that is meant.

use super::{Bounds, Health, Observed, Starts, Why};
use std::collections::BTreeSet;
use wharf_model::{NodeId, TaskId};

#[cfg(test)]
mod tests;

/// What to do next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// On which nodes to start a task of the newest deployment.
    pub starts: Vec<NodeId>,
    /// Which tasks to stop, and why.
    pub stops: Vec<(TaskId, Why)>,
    /// Whether the bounds leave no way to go on, so that nothing will ever move.
    pub stuck: bool,
}

/// Returns the step that brings a daemon closer to one task of its newest deployment on each of `nodes`. `live` is ordered
/// by age, oldest first.
///
/// Where the upper bound leaves no room beside an old task, it goes first, within the lower bound.
pub fn plan(nodes: &[NodeId], bounds: Bounds, starts: Starts, live: &[(NodeId, Observed)]) -> Step {
    let mut step = Step::default();
    let meant: BTreeSet<&NodeId> = nodes.iter().collect();
    // Tasks on other nodes go anyway, so they keep nothing up.
    let serving = live.iter().filter(|(node, _)| meant.contains(node));
    let healthy = serving.filter(|(_, task)| task.health == Health::Healthy).count();
    let mut spare = healthy.saturating_sub(bounds.healthy_min);
    let mut room = bounds.live_max.max(nodes.len()).saturating_sub(live.len());
    let mut stop = |step: &mut Step, task: &Observed, why: Why| {
        if task.health == Health::Healthy {
            if spare == 0 {
                return;
            }
            spare -= 1;
        }
        step.stops.push((task.task.clone(), why));
    };
    let mut waits = false;
    for (_, task) in live.iter().filter(|(node, _)| !meant.contains(node)) {
        // Nothing will take its place there, so nobody is served worse than was asked.
        step.stops.push((task.task.clone(), Why::Scaling));
    }
    for node in nodes {
        let here = || live.iter().filter(|(there, _)| there == node).map(|(_, task)| task);
        let fresh: Vec<&Observed> = here().filter(|task| task.deployment == 0).collect();
        let stale: Vec<&Observed> = here().filter(|task| task.deployment > 0).collect();
        waits |= fresh.is_empty();
        match fresh[..] {
            [] if stale.is_empty() => {
                if starts == Starts::Now && room > 0 {
                    room -= 1;
                    step.starts.push(node.clone());
                }
            }
            [] if starts == Starts::Now && room > 0 => {
                room -= 1;
                step.starts.push(node.clone());
            }
            [] if starts == Starts::Now => stale.iter().for_each(|task| stop(&mut step, task, Why::Scaling)),
            [] => {}
            [first, ref more @ ..] => {
                if first.health == Health::Failing {
                    stop(&mut step, first, Why::Failing);
                }
                more.iter().for_each(|task| stop(&mut step, task, Why::Scaling));
                if first.health == Health::Healthy {
                    stale.iter().for_each(|task| stop(&mut step, task, Why::Scaling));
                }
            }
        }
    }
    let idle = step.starts.is_empty() && step.stops.is_empty();
    let all_well = live.iter().all(|(_, task)| task.health == Health::Healthy);
    step.stuck = starts == Starts::Now && waits && idle && all_well;
    step
}

//! Rolling deployments: which tasks a service starts and stops next.
//!
//! What counts as live is a task that should run and has not begun to stop; a task that was told to stop frees its place
//! at once, while it still drains. Percentages become [`Bounds`] once, at the edge.

pub mod breaker;
pub mod daemon;
pub mod health;
pub mod restart;
pub mod words;
pub mod zones;

use wharf_model::{TaskId, service::DeploymentBounds};

#[cfg(test)]
mod tests;

/// How many tasks must be healthy and may be live while tasks are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Healthy tasks never fall below this by the scheduler's doing.
    pub healthy_min: usize,
    /// Live tasks never exceed this by the scheduler's doing.
    pub live_max: usize,
}

impl Bounds {
    /// Returns the bounds for a desired count: the lower one rounded up, the upper one down.
    pub fn new(percent: DeploymentBounds, count: u32) -> Bounds {
        let count = u64::from(count);
        let min = (count * u64::from(percent.healthy_min_percent)).div_ceil(100);
        let max = count * u64::from(percent.live_max_percent) / 100;
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Bounds { healthy_min: size(min), live_max: size(max) }
    }
}

/// What is wanted of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Desired {
    /// The number of tasks, all of the newest deployment.
    pub count: usize,
    /// How far the way there may lead away from it.
    pub bounds: Bounds,
    /// Whether tasks may be started.
    pub starts: Starts,
    /// The number of zones that are to have equally many; none when that is nobody's concern.
    pub even_zones: usize,
}

/// Whether a deployment may start tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starts {
    /// It may.
    Now,
    /// Not yet, because of starts that failed.
    Later,
    /// Never: it has failed, and the tasks of older deployments stay.
    Never,
}

/// A live task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The task.
    pub task: TaskId,
    /// Its deployment's place in the service, from 0 for the newest.
    pub deployment: usize,
    /// How it is.
    pub health: Health,
    /// Whether it is not to be stopped for being too many, or too old.
    pub protected: bool,
    /// How many of the service's tasks in its zone are older.
    pub crowd: usize,
}

/// How a live task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It runs and serves.
    Healthy,
    /// It runs, and is not known to serve: not yet, or not any more because whoever checks it has been restarted.
    Starting,
    /// It does not run yet.
    Pending,
    /// It runs, and fails the checks of a load balancer after its grace period.
    Failing,
}

/// What to do next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// How many tasks of the newest deployment to start.
    pub starts: usize,
    /// Which tasks to stop, and why.
    pub stops: Vec<(TaskId, Why)>,
    /// Whether the bounds leave no way to go on, so that nothing will ever move.
    pub stuck: bool,
}

/// Why a task is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The deployment does not want it any more.
    Scaling,
    /// It fails its health checks.
    Failing,
}

/// How many more tasks the fullest zone may have than the emptiest one.
const SKEW_MAX: usize = 1;

/// Returns the step that brings a service closer to what its owner asked for. `live` is ordered by age, oldest first.
///
/// Tasks that nobody wants go first when they serve nobody, and within the lower bound otherwise, those of the oldest
/// deployment first. One that may serve without being known to goes only when enough others are known to. A wanted task that fails its checks stays until its replacement is healthy, unless the upper
/// bound leaves no room for one: a failing task may still answer some requests, and does when all targets fail.
///
/// Protected tasks are stopped only when they fail. A service that keeps its zones even starts one task more when it has
/// nothing else to do and a zone is too full, and then has one too many there.
pub fn plan(desired: &Desired, live: &[Observed]) -> Step {
    let healthy = live.iter().filter(|task| task.health == Health::Healthy).count();
    let spare = healthy.saturating_sub(desired.bounds.healthy_min);
    let room = desired.bounds.live_max.max(desired.count).saturating_sub(live.len());
    let (fresh, stale): (Vec<_>, Vec<_>) = live.iter().partition(|task| task.deployment == 0);
    let (failing, mut well): (Vec<_>, Vec<_>) =
        fresh.into_iter().partition(|task| task.health == Health::Failing);
    let wanted = desired.count.saturating_sub(well.len());
    let settled = live.len() == desired.count && well.len() == desired.count && healthy == desired.count;
    let moved = usize::from(settled && !is_even(live, desired.even_zones));
    let starts = if desired.starts == Starts::Now { (wanted + moved).min(room) } else { 0 };

    let mut unwanted: Vec<_> = stale;
    unwanted.sort_by_key(|task| std::cmp::Reverse(task.deployment));
    if desired.starts == Starts::Never {
        // Nothing will replace them: the best of them stay.
        unwanted.sort_by_key(|task| std::cmp::Reverse(task.health));
        unwanted.truncate(unwanted.len().saturating_sub(wanted));
    }
    if desired.even_zones > 0 {
        well.sort_by_key(|task| (!task.protected, task.crowd, task.health));
    } else {
        well.sort_by_key(|task| (!task.protected, task.health, task.crowd));
    }
    unwanted.extend(well.iter().skip(desired.count));
    unwanted.retain(|task| !task.protected || task.health == Health::Failing);
    let (serving, mut idle): (Vec<_>, Vec<_>) =
        unwanted.into_iter().partition(|task| task.health == Health::Healthy);
    if healthy < desired.bounds.healthy_min {
        idle.retain(|task| task.health != Health::Starting);
    }
    let reason = |task: &Observed| match task.health {
        Health::Failing => Why::Failing,
        Health::Healthy | Health::Starting | Health::Pending => Why::Scaling,
    };
    let mut stops: Vec<_> = idle
        .into_iter()
        .chain(serving.into_iter().take(spare))
        .map(|task| (task.task.clone(), reason(task)))
        .collect();

    let replaced = well.iter().filter(|task| task.health == Health::Healthy).count() >= desired.count;
    let making_room = match desired.starts {
        Starts::Now => wanted.saturating_sub(room),
        Starts::Later | Starts::Never => 0,
    };
    let leaving = if replaced { failing.len() } else { failing.len().min(making_room) };
    stops.extend(failing.into_iter().take(leaving).map(|task| (task.task.clone(), Why::Failing)));

    let stuck = desired.starts == Starts::Now
        && wanted > 0
        && starts == 0
        && stops.is_empty()
        && live.iter().all(|task| task.health == Health::Healthy && !task.protected);
    Step { starts, stops, stuck }
}

/// Returns whether no zone has too many of a service's tasks. `crowd` counts from zero in each zone, so on every level
/// but the highest there must be a task of each zone.
fn is_even(live: &[Observed], zones: usize) -> bool {
    let fullest = live.iter().map(|task| task.crowd + 1).max().unwrap_or(0);
    (0..fullest.saturating_sub(SKEW_MAX))
        .all(|level| live.iter().filter(|task| task.crowd == level).count() >= zones)
}

//! The life of one task on its node.
//!
//! ```text
//!  PENDING ──Begin──▶ ACTIVATING ──every container runs──▶ RUNNING
//!     │                   │                                  │
//!     │ StopAsked         │ StopAsked, or an essential       │ StopAsked, or an essential
//!     │                   │ container cannot run or ends     │ container ends
//!     └───────────────────┴──────────────┬───────────────────┘
//!                                        ▼
//!                STOPPING ──ContainersGone──▶ DEPROVISIONING ──NetworkGone──▶ STOPPED
//! ```
//!
//! PROVISIONING and DEACTIVATING are the control plane's. Each container has a life of its own inside the task's:
//! its image is pulled, it is started once the network is there too and what it depends on, and it ends (see
//! `container`). While the task stops, a running container gets its stop signal once those that depend on it have ended,
//! and is killed when its time is over.
//!
//! [`Task::step`] takes what happened and returns what to do; the supervisor does it and says what came of it.
//! After a crash the supervisor has the [`Task`] as it was stored, and [`Task::resume`] returns what is under way in
//! it. Stages only move forward. What is harmless when it comes late is listed; the rest is refused.

use serde::{Deserialize, Serialize};
use wharf_model::{
    Timestamp,
    task::{HealthStatus, StopCode, TaskStatus, TaskTimes},
};

mod container;
mod dependency;
mod event;
mod health;
mod restart;
mod stopping;

pub use container::{Container, Ending, Life, STOP_TIMEOUT_SECS};
pub use dependency::{Condition, Dependency};
pub use event::{Effect, Event, OutOfTurn, Probe};
pub use health::{Health, Rules};
pub use restart::RestartPolicy;

use dependency::Wait;

/// What a task says when an essential container ended.
pub const ESSENTIAL_EXITED: &str = "Essential container in task exited";

/// The exit code of a container that waited for another in vain.
const WAITED_IN_VAIN: i32 = 143;

/// A task on its node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Where it stands.
    pub stage: Stage,
    /// Its containers, in the definition's order.
    pub containers: Vec<Container>,
    /// When it reached what.
    pub times: TaskTimes,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Accepted; nothing was done.
    Pending,
    /// Images are pulled, the network is taken, containers are started.
    Activating {
        /// Whether the network is there.
        connected: bool,
    },
    /// Every container was started.
    Running,
    /// Its containers are being ended and removed.
    Stopping(Stop),
    /// Its network is being given back.
    Deprovisioning(Stop),
    /// Nothing of it is left.
    Stopped(Stop),
}

/// Why a task stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The code.
    pub code: StopCode,
    /// The words.
    pub reason: String,
}

impl Task {
    /// Returns a task of which nothing was done.
    pub fn new(containers: Vec<Container>) -> Task {
        Task { stage: Stage::Pending, containers, times: TaskTimes::default() }
    }

    /// Returns the status that the API shows.
    pub fn status(&self) -> TaskStatus {
        match self.stage {
            Stage::Pending => TaskStatus::Pending,
            Stage::Activating { .. } => TaskStatus::Activating,
            Stage::Running => TaskStatus::Running,
            Stage::Stopping(_) => TaskStatus::Stopping,
            Stage::Deprovisioning(_) => TaskStatus::Deprovisioning,
            Stage::Stopped(_) => TaskStatus::Stopped,
        }
    }

    /// Returns why the task stops or stopped.
    pub fn stop(&self) -> Option<&Stop> {
        match &self.stage {
            Stage::Stopping(stop) | Stage::Deprovisioning(stop) | Stage::Stopped(stop) => Some(stop),
            Stage::Pending | Stage::Activating { .. } | Stage::Running => None,
        }
    }

    /// Returns how it is: what its essential containers' checks say together. Nothing when none of them is checked.
    pub fn health(&self) -> Option<HealthStatus> {
        let checked = self.containers.iter().filter(|found| found.essential);
        let mut known: Vec<_> =
            checked.filter_map(|found| found.health.as_ref()).map(|health| health.status).collect();
        known.sort_by_key(|status| match status {
            HealthStatus::Unhealthy => 0,
            HealthStatus::Unknown => 1,
            HealthStatus::Healthy => 2,
        });
        known.first().copied()
    }

    /// Takes what happened and returns what to do. A refused event changes nothing.
    pub fn step(&mut self, event: Event, at: Timestamp) -> Result<Vec<Effect>, OutOfTurn> {
        match event {
            Event::Begin => self.begin(at),
            Event::StopAsked(ref stop) => Some(match self.stop() {
                Some(_) => Vec::new(), // The first cause is the one that is told.
                None => self.halt(stop.clone(), at),
            }),
            Event::ImagePulled { container } => self.pulled(container, None, at),
            Event::PullFailed { container, ref reason } => self.pulled(container, Some(reason.clone()), at),
            Event::NetworkReady => self.connected(at),
            Event::NetworkFailed { ref reason } => match self.stage {
                Stage::Activating { .. } => Some(self.halt(failed_to_start(reason.clone()), at)),
                Stage::Stopping(_) | Stage::Deprovisioning(_) | Stage::Stopped(_) => Some(Vec::new()),
                Stage::Pending | Stage::Running => None,
            },
            Event::ContainerStarted { container } => self.started(container, at),
            Event::ContainerFailed { container, ref reason } => self.failed(container, reason.clone(), at),
            Event::StartOverdue { container } => self.overdue(container, at),
            Event::Probed { container, ref probe } => self.probed(container, probe.clone(), at),
            Event::ContainerExited { container, code, out_of_memory } => {
                self.exited(container, Ending::of_run(code, out_of_memory), at)
            }
            Event::ContainerReset { container } => self.reset(container),
            Event::KillDue { container } => self.containers.get(container).map(|found| match found.life {
                Life::Stopping { .. } => vec![Effect::Kill { container }],
                Life::Pulling
                | Life::Pulled
                | Life::Starting
                | Life::Running
                | Life::Resetting(_)
                | Life::Ended(_) => Vec::new(),
            }),
            Event::ContainersGone => self.containers_gone(),
            Event::NetworkGone => self.network_gone(at),
        }
        .map(told_once)
        .ok_or_else(|| OutOfTurn { event, stage: self.stage.clone() })
    }

    /// Returns what is under way: after a crash it is done again, or found to be done.
    pub fn resume(&self) -> Vec<Effect> {
        match self.stage {
            Stage::Pending | Stage::Stopped(_) => Vec::new(),
            Stage::Activating { .. } => {
                let waits = (0..self.containers.len()).filter_map(|container| self.await_start(container));
                std::iter::once(Effect::TakeNetwork).chain(self.lives_under_way()).chain(waits).collect()
            }
            Stage::Running => self.lives_under_way().collect(),
            Stage::Stopping(_) if self.all_ended() => vec![Effect::CleanUp],
            Stage::Stopping(_) => self.lives_under_way().collect(),
            Stage::Deprovisioning(_) => vec![Effect::ReleaseNetwork],
        }
    }

    fn lives_under_way(&self) -> impl Iterator<Item = Effect> {
        self.containers.iter().enumerate().filter_map(|(container, found)| match found.life {
            Life::Pulling => Some(Effect::Pull { container }),
            Life::Starting => Some(Effect::Run { container }),
            Life::Resetting(_) => Some(Effect::Reset { container }),
            Life::Stopping { kill_at } => Some(Effect::Terminate { container, kill_at }),
            Life::Pulled | Life::Running | Life::Ended(_) => None,
        })
    }

    fn begin(&mut self, at: Timestamp) -> Option<Vec<Effect>> {
        if self.stage != Stage::Pending {
            return None;
        }
        self.stage = Stage::Activating { connected: false };
        self.times.pull_started_at = Some(at);
        let pulls = (0..self.containers.len()).map(|container| Effect::Pull { container });
        Some(std::iter::once(Effect::TakeNetwork).chain(pulls).chain([Effect::Report]).collect())
    }

    fn pulled(&mut self, container: usize, failure: Option<String>, at: Timestamp) -> Option<Vec<Effect>> {
        let found = self.containers.get_mut(container)?;
        match (&self.stage, &found.life) {
            (Stage::Activating { .. }, Life::Pulling) => {}
            // The stop came first, or what it waits for is lost; the image is a gain for the next task.
            (Stage::Stopping(_) | Stage::Deprovisioning(_) | Stage::Stopped(_), _) | (_, Life::Ended(_)) => {
                return Some(Vec::new());
            }
            _ => return None,
        }
        self.times.pull_stopped_at = Some(at);
        match failure {
            None => {
                found.life = Life::Pulled;
                Some(self.advance(at))
            }
            Some(reason) => Some(self.cannot_run(container, None, reason, at)),
        }
    }

    fn connected(&mut self, at: Timestamp) -> Option<Vec<Effect>> {
        match self.stage {
            Stage::Activating { .. } => {
                self.stage = Stage::Activating { connected: true };
                self.times.connectivity_at.get_or_insert(at);
                Some(self.advance(at))
            }
            Stage::Running | Stage::Stopping(_) | Stage::Deprovisioning(_) | Stage::Stopped(_) => {
                Some(Vec::new())
            }
            Stage::Pending => None,
        }
    }

    fn started(&mut self, container: usize, at: Timestamp) -> Option<Vec<Effect>> {
        let found = self.containers.get_mut(container)?;
        match found.life {
            Life::Starting => {}
            // Its exit, or a second look at what runs, came first.
            Life::Running | Life::Resetting(_) | Life::Stopping { .. } | Life::Ended(_) => {
                return Some(Vec::new());
            }
            Life::Pulling | Life::Pulled => return None,
        }
        found.life = Life::Running;
        found.started_at = Some(at);
        let mut effects = match self.stage {
            Stage::Stopping(_) => self.terminate_due(at),
            _ => self.advance(at),
        };
        effects.extend(self.await_start(container));
        effects.push(Effect::Report);
        Some(effects)
    }

    fn failed(&mut self, container: usize, reason: String, at: Timestamp) -> Option<Vec<Effect>> {
        match self.containers.get(container)?.life {
            Life::Starting => Some(self.cannot_run(container, None, reason, at)),
            Life::Ended(_) => Some(Vec::new()),
            Life::Pulling | Life::Pulled | Life::Running | Life::Resetting(_) | Life::Stopping { .. } => None,
        }
    }

    fn probed(&mut self, container: usize, probe: Probe, at: Timestamp) -> Option<Vec<Effect>> {
        let found = self.containers.get_mut(container)?;
        let (Life::Running, Some(started_at)) = (&found.life, found.started_at) else {
            return Some(Vec::new());
        };
        if !found.health.as_mut()?.take(probe, at.since(started_at), at) {
            return Some(Vec::new());
        }
        let mut effects = self.advance(at);
        effects.push(Effect::Report);
        Some(effects)
    }

    fn exited(&mut self, container: usize, ending: Ending, at: Timestamp) -> Option<Vec<Effect>> {
        let mut effects = match self.containers.get(container)?.life {
            // The exit overtook the answer to its start.
            Life::Starting => self.started(container, at)?,
            Life::Running | Life::Stopping { .. } => Vec::new(),
            Life::Resetting(_) | Life::Ended(_) => return Some(Vec::new()),
            Life::Pulling | Life::Pulled => return None,
        };
        let again = self.stop().is_none() && self.containers[container].runs_again(ending.code, at);
        let found = &mut self.containers[container];
        if let Some(health) = found.health.as_mut().filter(|_| again) {
            *health = Health::unknown(health.rules);
        }
        if again {
            found.life = Life::Resetting(ending);
            effects.extend([Effect::Reset { container }, Effect::Report]);
            return Some(effects);
        }
        found.life = Life::Ended(ending);
        let stop = Stop { code: StopCode::EssentialContainerExited, reason: ESSENTIAL_EXITED.to_owned() };
        effects.extend(match self.stage {
            Stage::Stopping(_) => self.ended_while_stopping(at),
            _ if self.containers[container].essential => self.halt(stop, at),
            _ => self.advance(at).into_iter().chain([Effect::Report]).collect(),
        });
        Some(effects)
    }

    /// What the last run left is gone: the next one begins.
    fn reset(&mut self, container: usize) -> Option<Vec<Effect>> {
        let found = self.containers.get_mut(container)?;
        match found.life {
            Life::Resetting(_) => {
                found.life = Life::Starting;
                found.restarts += 1;
                Some(vec![Effect::Run { container }])
            }
            // The stop came first.
            Life::Ended(_) => Some(Vec::new()),
            Life::Pulling | Life::Pulled | Life::Starting | Life::Running | Life::Stopping { .. } => None,
        }
    }

    /// Fails the containers that still wait for what another did not become in time.
    fn overdue(&mut self, other: usize, at: Timestamp) -> Option<Vec<Effect>> {
        // One that ended cannot be late any more.
        if self.containers.get(other)?.ended() {
            return Some(Vec::new());
        }
        let late = |task: &Task, target: usize| {
            matches!(task.containers[target].life, Life::Pulling | Life::Pulled)
                && task.containers[target].depends_on.iter().any(|dependency| {
                    dependency.container == other
                        && dependency::wait_for(&task.containers, target, *dependency) == Wait::On
                })
        };
        let mut effects = Vec::new();
        for target in 0..self.containers.len() {
            if late(self, target) {
                let reason = dependency::timed_out(&self.containers, target, other);
                effects.extend(self.cannot_run(target, Some(WAITED_IN_VAIN), reason, at));
            }
        }
        Some(effects)
    }

    /// Returns the wait for what others want of a container, when it has a limit and somebody waits.
    fn await_start(&self, container: usize) -> Option<Effect> {
        let found = &self.containers[container];
        let at = found.started_at? + found.start_timeout?;
        let waited_for = self.containers.iter().any(|other| {
            matches!(other.life, Life::Pulling | Life::Pulled)
                && other.depends_on.iter().any(|dependency| {
                    dependency.container == container && dependency.condition != Condition::Start
                })
        });
        (found.life == Life::Running && waited_for).then_some(Effect::AwaitStart { container, at })
    }

    /// Ends a container that never ran.
    fn cannot_run(
        &mut self,
        container: usize,
        code: Option<i32>,
        reason: String,
        at: Timestamp,
    ) -> Vec<Effect> {
        self.containers[container].life = Life::Ended(Ending { code, reason: Some(reason.clone()) });
        match self.stage {
            Stage::Stopping(_) => self.ended_while_stopping(at),
            _ if self.containers[container].essential => self.halt(failed_to_start(reason), at),
            _ => self.advance(at).into_iter().chain([Effect::Report]).collect(),
        }
    }

    /// Starts the containers that wait for nothing any more, ends those that wait in vain, and says RUNNING once every
    /// container was started.
    fn advance(&mut self, at: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.stage != (Stage::Activating { connected: true }) {
            return effects;
        }
        for container in 0..self.containers.len() {
            if !matches!(self.containers[container].life, Life::Pulling | Life::Pulled) {
                continue;
            }
            match dependency::wait(&self.containers, container) {
                Wait::Over if self.containers[container].life == Life::Pulled => {
                    self.containers[container].life = Life::Starting;
                    effects.push(Effect::Run { container });
                }
                Wait::Over | Wait::On => {}
                Wait::Vain(reason) => {
                    // Looks again itself, because others may wait for this one, and the task may end with it.
                    effects.extend(self.cannot_run(container, Some(WAITED_IN_VAIN), reason, at));
                    return effects;
                }
            }
        }
        let started =
            |found: &Container| matches!(found.life, Life::Running | Life::Resetting(_) | Life::Ended(_));
        if self.containers.iter().all(|found| started(found) || found.restarts > 0) {
            self.stage = Stage::Running;
            self.times.started_at = Some(at);
            effects.push(Effect::Report);
        }
        effects
    }
}

/// A report says where the task stands when it is made, so one of them is enough.
fn told_once(mut effects: Vec<Effect>) -> Vec<Effect> {
    let mut told = false;
    effects.retain(|effect| *effect != Effect::Report || !std::mem::replace(&mut told, true));
    effects
}

fn failed_to_start(reason: String) -> Stop {
    Stop { code: StopCode::TaskFailedToStart, reason }
}

#[cfg(test)]
mod tests;

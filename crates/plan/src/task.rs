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
//! its image is pulled, it is started once the network is there too, and it ends. While the task stops, a running
//! container gets its stop signal, and is killed when its time is over.
//!
//! [`Task::step`] takes what happened and returns what to do; the supervisor does it and says what came of it.
//! After a crash the supervisor has the [`Task`] as it was stored, and [`Task::resume`] returns what is under way in
//! it. Stages only move forward. What is harmless when it comes late is listed; the rest is refused.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use thiserror::Error;
use wharf_model::{
    Timestamp,
    task::{ContainerStatus, StopCode, TaskStatus, TaskTimes},
};

/// The seconds from the stop signal to the kill where the definition names none.
pub const STOP_TIMEOUT_SECS: u32 = 30;

/// What a task says when an essential container ended.
pub const ESSENTIAL_EXITED: &str = "Essential container in task exited";

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

/// A container in its task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Whether the task ends with it.
    pub essential: bool,
    /// The time from its stop signal to its kill.
    pub stop_timeout: Duration,
    /// Where it stands.
    pub life: Life,
}

impl Container {
    /// Returns a container of which nothing was done.
    pub fn new(essential: bool, stop_timeout_secs: Option<u32>) -> Container {
        let seconds = stop_timeout_secs.unwrap_or(STOP_TIMEOUT_SECS);
        Container { essential, stop_timeout: Duration::from_secs(u64::from(seconds)), life: Life::Pulling }
    }

    /// Returns the status that the API shows.
    pub fn status(&self) -> ContainerStatus {
        match self.life {
            Life::Pulling | Life::Pulled | Life::Starting => ContainerStatus::Pending,
            Life::Running | Life::Stopping { .. } => ContainerStatus::Running,
            Life::Ended(_) => ContainerStatus::Stopped,
        }
    }

    fn ended(&self) -> bool {
        matches!(self.life, Life::Ended(_))
    }
}

/// Where a container stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Life {
    /// Its image is being pulled.
    Pulling,
    /// Its image is there; the network is not.
    Pulled,
    /// It is being created and started.
    Starting,
    /// It runs.
    Running,
    /// It was told to end.
    Stopping {
        /// When it is killed.
        kill_at: Timestamp,
    },
    /// It ended, or never ran.
    Ended(Ending),
}

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The exit code, when there is one and somebody saw it.
    pub code: Option<i32>,
    /// What went wrong, `Name: message`.
    pub reason: Option<String>,
}

/// What happened. Containers are named by their place in [`Task::containers`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The task was accepted durably.
    Begin,
    /// It should stop.
    StopAsked(Stop),
    /// A container's image is there.
    ImagePulled {
        /// The container.
        container: usize,
    },
    /// A container's image could not be had.
    PullFailed {
        /// The container.
        container: usize,
        /// `CannotPull…Error: message`.
        reason: String,
    },
    /// The task's network and cgroup are there.
    NetworkReady,
    /// They could not be made.
    NetworkFailed {
        /// `ResourceInitializationError: message`.
        reason: String,
    },
    /// A container runs.
    ContainerStarted {
        /// The container.
        container: usize,
    },
    /// A container could not be created or started.
    ContainerFailed {
        /// The container.
        container: usize,
        /// `CannotCreateContainerError: message`.
        reason: String,
    },
    /// A container's first process ended.
    ContainerExited {
        /// The container.
        container: usize,
        /// Its exit code, when somebody saw it.
        code: Option<i32>,
        /// Whether the kernel killed something in it for memory.
        out_of_memory: bool,
    },
    /// A container's time to end by itself is over.
    KillDue {
        /// The container.
        container: usize,
    },
    /// The containers' processes, mounts and cgroups are gone.
    ContainersGone,
    /// The network is given back.
    NetworkGone,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Take a network and make the cgroup.
    TakeNetwork,
    /// Pull a container's image.
    Pull {
        /// The container.
        container: usize,
    },
    /// Create and start a container.
    Run {
        /// The container.
        container: usize,
    },
    /// Send a container its stop signal, and say `KillDue` at the time given.
    Terminate {
        /// The container.
        container: usize,
        /// When it is killed.
        kill_at: Timestamp,
    },
    /// Kill everything in a container.
    Kill {
        /// The container.
        container: usize,
    },
    /// Remove what containers leave.
    CleanUp,
    /// Give the network back, also one that is still being taken.
    ReleaseNetwork,
    /// Tell the control plane.
    Report,
}

/// An event that cannot happen where the task stands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{event:?} is out of turn in {stage:?}")]
pub struct OutOfTurn {
    /// What was said to have happened.
    pub event: Event,
    /// Where the task stands.
    pub stage: Stage,
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
            Event::ContainerExited { container, code, out_of_memory } => {
                self.exited(container, ending(code, out_of_memory), at)
            }
            Event::KillDue { container } => self.containers.get(container).map(|found| match found.life {
                Life::Stopping { .. } => vec![Effect::Kill { container }],
                Life::Pulling | Life::Pulled | Life::Starting | Life::Running | Life::Ended(_) => Vec::new(),
            }),
            Event::ContainersGone => self.containers_gone(),
            Event::NetworkGone => self.network_gone(at),
        }
        .ok_or_else(|| OutOfTurn { event, stage: self.stage.clone() })
    }

    /// Returns what is under way: after a crash it is done again, or found to be done.
    pub fn resume(&self) -> Vec<Effect> {
        match self.stage {
            Stage::Pending | Stage::Stopped(_) => Vec::new(),
            Stage::Activating { .. } => {
                std::iter::once(Effect::TakeNetwork).chain(self.lives_under_way()).collect()
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
            // The stop came first; the image is a gain for the next task.
            (Stage::Stopping(_) | Stage::Deprovisioning(_) | Stage::Stopped(_), _) => return Some(Vec::new()),
            _ => return None,
        }
        self.times.pull_stopped_at = Some(at);
        match failure {
            None => {
                found.life = Life::Pulled;
                Some(self.start_ready())
            }
            Some(reason) => Some(self.cannot_run(container, reason, at)),
        }
    }

    fn connected(&mut self, at: Timestamp) -> Option<Vec<Effect>> {
        match self.stage {
            Stage::Activating { .. } => {
                self.stage = Stage::Activating { connected: true };
                self.times.connectivity_at.get_or_insert(at);
                Some(self.start_ready())
            }
            Stage::Running | Stage::Stopping(_) | Stage::Deprovisioning(_) | Stage::Stopped(_) => {
                Some(Vec::new())
            }
            Stage::Pending => None,
        }
    }

    /// Starts the containers that wait for nothing any more.
    fn start_ready(&mut self) -> Vec<Effect> {
        if self.stage != (Stage::Activating { connected: true }) {
            return Vec::new();
        }
        let waiting = self.containers.iter_mut().enumerate().filter(|(_, found)| found.life == Life::Pulled);
        waiting
            .map(|(container, found)| {
                found.life = Life::Starting;
                Effect::Run { container }
            })
            .collect()
    }

    fn started(&mut self, container: usize, at: Timestamp) -> Option<Vec<Effect>> {
        let found = self.containers.get_mut(container)?;
        match found.life {
            Life::Starting => {}
            // Its exit, or a second look at what runs, came first.
            Life::Running | Life::Stopping { .. } | Life::Ended(_) => return Some(Vec::new()),
            Life::Pulling | Life::Pulled => return None,
        }
        found.life = Life::Running;
        Some(match self.stage {
            Stage::Stopping(_) => vec![self.terminate(container, at), Effect::Report],
            _ => self.settle(at),
        })
    }

    fn failed(&mut self, container: usize, reason: String, at: Timestamp) -> Option<Vec<Effect>> {
        match self.containers.get(container)?.life {
            Life::Starting => Some(self.cannot_run(container, reason, at)),
            Life::Ended(_) => Some(Vec::new()),
            Life::Pulling | Life::Pulled | Life::Running | Life::Stopping { .. } => None,
        }
    }

    fn exited(&mut self, container: usize, ending: Ending, at: Timestamp) -> Option<Vec<Effect>> {
        let mut effects = match self.containers.get(container)?.life {
            // The exit overtook the answer to its start.
            Life::Starting => self.started(container, at)?,
            Life::Running | Life::Stopping { .. } => Vec::new(),
            Life::Ended(_) => return Some(Vec::new()),
            Life::Pulling | Life::Pulled => return None,
        };
        self.containers[container].life = Life::Ended(ending);
        let stop = Stop { code: StopCode::EssentialContainerExited, reason: ESSENTIAL_EXITED.to_owned() };
        effects.extend(match self.stage {
            Stage::Stopping(_) => self.ended_while_stopping(at),
            _ if self.containers[container].essential => self.halt(stop, at),
            _ => self.settle(at),
        });
        Some(effects)
    }

    /// Ends a container that never ran.
    fn cannot_run(&mut self, container: usize, reason: String, at: Timestamp) -> Vec<Effect> {
        self.containers[container].life = Life::Ended(Ending { code: None, reason: Some(reason.clone()) });
        match self.stage {
            Stage::Stopping(_) => self.ended_while_stopping(at),
            _ if self.containers[container].essential => self.halt(failed_to_start(reason), at),
            _ => self.settle(at),
        }
    }

    /// Says RUNNING once every container was started.
    fn settle(&mut self, at: Timestamp) -> Vec<Effect> {
        let started = |found: &Container| matches!(found.life, Life::Running | Life::Ended(_));
        if matches!(self.stage, Stage::Activating { .. }) && self.containers.iter().all(started) {
            self.stage = Stage::Running;
            self.times.started_at = Some(at);
        }
        vec![Effect::Report]
    }

    /// Begins the stop: containers that run are told to end, those that do not yet never will.
    fn halt(&mut self, stop: Stop, at: Timestamp) -> Vec<Effect> {
        self.stage = Stage::Stopping(stop);
        self.times.stopping_at = Some(at);
        let mut effects = Vec::new();
        for container in 0..self.containers.len() {
            match self.containers[container].life {
                Life::Pulling | Life::Pulled => {
                    self.containers[container].life = Life::Ended(Ending::default())
                }
                Life::Running => effects.push(self.terminate(container, at)),
                // One that is being started is told once it runs.
                Life::Starting | Life::Stopping { .. } | Life::Ended(_) => {}
            }
        }
        effects.extend(self.ended_while_stopping(at));
        effects
    }

    fn terminate(&mut self, container: usize, at: Timestamp) -> Effect {
        let found = &mut self.containers[container];
        let kill_at = at + found.stop_timeout;
        found.life = Life::Stopping { kill_at };
        Effect::Terminate { container, kill_at }
    }

    fn ended_while_stopping(&mut self, at: Timestamp) -> Vec<Effect> {
        if !self.all_ended() {
            return vec![Effect::Report];
        }
        self.times.execution_stopped_at = Some(at);
        vec![Effect::Report, Effect::CleanUp]
    }

    fn all_ended(&self) -> bool {
        self.containers.iter().all(Container::ended)
    }

    fn containers_gone(&mut self) -> Option<Vec<Effect>> {
        match &self.stage {
            Stage::Stopping(stop) if self.all_ended() => {
                self.stage = Stage::Deprovisioning(stop.clone());
                Some(vec![Effect::Report, Effect::ReleaseNetwork])
            }
            Stage::Deprovisioning(_) | Stage::Stopped(_) => Some(Vec::new()),
            Stage::Pending | Stage::Activating { .. } | Stage::Running | Stage::Stopping(_) => None,
        }
    }

    fn network_gone(&mut self, at: Timestamp) -> Option<Vec<Effect>> {
        match &self.stage {
            Stage::Deprovisioning(stop) => {
                self.stage = Stage::Stopped(stop.clone());
                self.times.stopped_at = Some(at);
                Some(vec![Effect::Report])
            }
            Stage::Stopped(_) => Some(Vec::new()),
            Stage::Pending | Stage::Activating { .. } | Stage::Running | Stage::Stopping(_) => None,
        }
    }
}

fn failed_to_start(reason: String) -> Stop {
    Stop { code: StopCode::TaskFailedToStart, reason }
}

/// A child that was killed for memory does not spoil a container that then ended well.
fn ending(code: Option<i32>, out_of_memory: bool) -> Ending {
    let reason = match code {
        None => Some("ExitCodeUnavailable: nobody was there to see the container end".to_owned()),
        Some(0) => None,
        Some(_) => out_of_memory.then(|| "OutOfMemoryError: Container killed due to memory usage".to_owned()),
    };
    Ending { code, reason }
}

#[cfg(test)]
mod tests;

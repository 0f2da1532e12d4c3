//! A container's own life inside its task's.
//!
//! ```text
//!  Pulling ──▶ Pulled ──▶ Starting ──▶ Running ──▶ Stopping ──▶ Ended
//!                            ▲            │ ended, and its policy says again
//!                            └─ Resetting ◀┘
//! ```

use super::{Dependency, Health, RestartPolicy};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use wharf_model::{Timestamp, task::ContainerStatus};

/// The seconds from the stop signal to the kill where the definition names none.
pub const STOP_TIMEOUT_SECS: u32 = 30;

/// A container in its task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its name, for what is said of it.
    #[serde(default)]
    pub name: String,
    /// Whether the task ends with it.
    pub essential: bool,
    /// The time from its stop signal to its kill.
    pub stop_timeout: Duration,
    /// How long others wait, from its start, for what they want of it.
    #[serde(default)]
    pub start_timeout: Option<Duration>,
    /// What it waits for before it starts; these outlive it when the task stops.
    #[serde(default)]
    pub depends_on: Vec<Dependency>,
    /// Whether and when it is started again in place.
    #[serde(default)]
    pub restart: Option<RestartPolicy>,
    /// How it is; absent when nobody checks.
    #[serde(default)]
    pub health: Option<Health>,
    /// When its present run began, or its last one.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// How often it was started again.
    #[serde(default)]
    pub restarts: u32,
    /// Where it stands.
    pub life: Life,
}

/// Where a container stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Life {
    /// Its image is being pulled.
    Pulling,
    /// Its image is there; the network, or what it depends on, is not.
    Pulled,
    /// It is being created and started.
    Starting,
    /// It runs.
    Running,
    /// It ended and will run again, once what its last run left is gone.
    Resetting(Ending),
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

impl Ending {
    /// Returns how a container ended that ran. A child that was killed for memory does not spoil one that then ended
    /// well.
    pub(super) fn of_run(code: Option<i32>, out_of_memory: bool) -> Ending {
        let reason = match code {
            None => Some("ExitCodeUnavailable: nobody was there to see the container end".to_owned()),
            Some(0) => None,
            Some(_) => {
                out_of_memory.then(|| "OutOfMemoryError: Container killed due to memory usage".to_owned())
            }
        };
        Ending { code, reason }
    }
}

impl Container {
    /// Returns a container of which nothing was done, that waits for no other and is not checked.
    pub fn new(essential: bool, stop_timeout_secs: Option<u32>) -> Container {
        let seconds = stop_timeout_secs.unwrap_or(STOP_TIMEOUT_SECS);
        Container {
            name: String::new(),
            essential,
            stop_timeout: Duration::from_secs(u64::from(seconds)),
            start_timeout: None,
            depends_on: Vec::new(),
            restart: None,
            health: None,
            started_at: None,
            restarts: 0,
            life: Life::Pulling,
        }
    }

    /// Returns the status that the API shows. A container that is started again is running all the while.
    pub fn status(&self) -> ContainerStatus {
        match self.life {
            Life::Starting if self.restarts > 0 => ContainerStatus::Running,
            Life::Pulling | Life::Pulled | Life::Starting => ContainerStatus::Pending,
            Life::Running | Life::Resetting(_) | Life::Stopping { .. } => ContainerStatus::Running,
            Life::Ended(_) => ContainerStatus::Stopped,
        }
    }

    /// Says whether it ended, or never ran and never will.
    pub fn ended(&self) -> bool {
        matches!(self.life, Life::Ended(_))
    }

    /// Says whether it was ever started.
    pub(super) fn was_started(&self) -> bool {
        matches!(self.life, Life::Running | Life::Resetting(_) | Life::Stopping { .. })
            || self.started_at.is_some()
    }

    /// Says whether its policy starts it again, now that it ended like this.
    pub(super) fn runs_again(&self, code: Option<i32>, at: Timestamp) -> bool {
        let ran = self.started_at.map_or(Duration::ZERO, |started_at| at.since(started_at));
        self.restart.as_ref().is_some_and(|policy| policy.runs_again(code, ran))
    }
}

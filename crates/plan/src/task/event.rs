//! What can happen to a task on its node, and what is then to be done.

use super::{Stage, Stop};
use thiserror::Error;
use wharf_model::Timestamp;

/// What happened. Containers are named by their place in [`super::Task::containers`].
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
    /// A container did not become in time what others wait for.
    StartOverdue {
        /// The container.
        container: usize,
    },
    /// A container's health check ended.
    Probed {
        /// The container.
        container: usize,
        /// What came of it.
        probe: Probe,
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
    /// What the last run of a container left is gone, and it can run again.
    ContainerReset {
        /// The container.
        container: usize,
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

/// What came of one health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The exit code of the check; 0 is health, and -1 one that took too long or could not be begun.
    pub exit_code: i32,
    /// What it wrote, as far as it is kept.
    pub output: String,
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
    /// Say `StartOverdue` at the time given.
    AwaitStart {
        /// The container.
        container: usize,
        /// When.
        at: Timestamp,
    },
    /// Remove what the last run of a container left, but for its files, and say `ContainerReset`.
    Reset {
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

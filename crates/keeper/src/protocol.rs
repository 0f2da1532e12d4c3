//! The language of keeper's socket.
//!
//! A frame is a big-endian `u32` length and that much JSON. A client sends one [`Request`] at a time and
//! reads one [`Reply`] before the next; as many connections as liked may be open. A request that needs a
//! descriptor carries it as `SCM_RIGHTS` with the first byte of its frame. After `Watch` the connection
//! only carries [`Exit`] frames from keeper, one per exit not forgotten yet and then one per exit as it
//! happens. After `Exec` it only carries one [`Reply::Executing`], and one [`Ended`] when the process has ended;
//! a client that hangs up before kills the process.
//!
//! What containers write is drained at once into two files in `<dir>` of the container's spec:
//! `output.log` holds the bytes of both streams as they came, `output.idx` one entry of 24 bytes per
//! chunk read (see [`crate::output`]). The index entry is written after the bytes, so an entry's bytes are
//! always there.

use serde::{Deserialize, Serialize};
use wharf_sandbox::exec::ExecSpec;
use wharf_sandbox::spec::ContainerSpec;

/// The longest frame either side accepts.
pub const FRAME_MAX: usize = 4 * 1024 * 1024;

/// What a client asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// Creates a container that waits to be started. Carries the network namespace's descriptor.
    Create { id: String, spec: Box<ContainerSpec> },
    /// Lets a created container begin.
    Start { id: String },
    /// Creates and starts in one round trip. Carries the network namespace's descriptor.
    Run { id: String, spec: Box<ContainerSpec> },
    /// Sends a signal to the container's first process.
    Kill { id: String, signal: i32 },
    /// Begins a further process in a running container. Carries its three standard streams, or, with a terminal, one
    /// socket on which the terminal's other end is sent.
    Exec { id: String, exec: Box<ExecSpec> },
    /// Kills what is left and removes cgroup, writable layer and runtime state; output files stay. To run the container
    /// again, its writable layer can be kept.
    Delete {
        id: String,
        #[serde(default)]
        keep_files: bool,
    },
    /// Lists every container known.
    List,
    /// Turns the connection into a stream of exits.
    Watch,
    /// Forgets a deleted container's exit; the caller has recorded it.
    Forget { id: String },
}

/// What keeper answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Done; nothing to add.
    Done,
    /// The container exists, and runs if that was asked for.
    Created(Created),
    /// The further process runs.
    Executing {
        /// Its process id on the host.
        pid: i32,
    },
    /// Every container known.
    Containers { containers: Vec<Container> },
    /// It was not done.
    Refused { refusal: Refusal },
}

impl Request {
    /// Returns how many descriptors come beside the request.
    pub(crate) fn carries(&self) -> usize {
        match self {
            Request::Create { .. } | Request::Run { .. } => 1,
            Request::Exec { exec, .. } if exec.terminal.is_some() => 1,
            Request::Exec { .. } => 3,
            Request::Start { .. }
            | Request::Kill { .. }
            | Request::Delete { .. }
            | Request::List
            | Request::Watch
            | Request::Forget { .. } => 0,
        }
    }
}

/// A container that was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Process id of its init on the host.
    pub pid: i32,
    /// When it was started, in nanoseconds since the epoch; when created if it only was created.
    pub at_nanos: i64,
    /// What had to be changed in the request to fit the machine, such as a clamped limit.
    pub notes: Vec<String>,
}

/// How a further process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Exit code, 128 + n for signal n.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// Why keeper did not do something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such container.
    #[error("container {id} is not known")]
    Unknown { id: String },
    /// The id is taken.
    #[error("container {id} already exists")]
    Exists { id: String },
    /// The container is not in a state that allows it.
    #[error("container {id} is {state:?}")]
    WrongState { id: String, state: State },
    /// The container could not be created; the reason is for the task's `stoppedReason`.
    #[error("{reason}")]
    CannotCreate { id: String, reason: String },
    /// The request made no sense.
    #[error("{reason}")]
    Malformed { reason: String },
    /// The kernel refused.
    #[error("{reason}")]
    Failed { id: String, reason: String },
}

/// Where a container is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A launcher is at work.
    Creating,
    /// It waits for `Start`.
    Created,
    /// It runs.
    Running,
    /// It ended; see its exit.
    Exited,
    /// A cleaner is at work.
    Deleting,
    /// Only its exit is remembered, until `Forget`.
    Deleted,
}

/// A container as keeper knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Where it is in its life.
    pub state: State,
    /// Its init's process id on the host, zero while there is none.
    pub pid: i32,
    /// When it was created, in nanoseconds since the epoch.
    pub created_nanos: i64,
    /// When it was started.
    pub started_nanos: Option<i64>,
    /// How it ended.
    pub exit: Option<Exit>,
    /// Output bytes that could not be written to disk.
    pub output_lost_bytes: u64,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The container.
    pub id: String,
    /// Exit code, 128 + n for signal n; `None` where nobody saw it (keeper was down and the kernel
    /// cannot tell any more).
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// When it was noticed, in nanoseconds since the epoch.
    pub at_nanos: i64,
    /// Whether the kernel killed something in its cgroup for memory.
    pub out_of_memory: bool,
}

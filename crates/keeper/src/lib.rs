//! The small process that is every container's parent: spawns, reaps, drains output to files, remembers exits.
//!
//! It has one thread and no runtime, because libcontainer must be called from a single-threaded process and because
//! little can go wrong in little. Reading order: `protocol` and `client` are what the agent sees, `server` is the
//! loop, `helper` what it forks, `journal` what it must not forget, `output` the files containers write to.
#![allow(unsafe_code, reason = "this crate and sandbox are where the kernel is talked to")]

use camino::Utf8PathBuf;

pub mod output;
pub mod protocol;

mod attach;
mod client;
mod clock;
mod connection;
mod container;
mod error;
mod helper;
mod journal;
mod mounts;
mod poll;
mod process;
mod sealed;
mod server;
#[cfg(test)]
mod tests;
mod wire;

pub use client::{Client, ClientError, Executing, Exits};
pub use error::Error;
pub use sealed::reexec_from_memfd;

/// Where keeper listens and what it writes.
#[derive(Clone, Debug)]
pub struct Config {
    /// The socket; its directory must exist.
    pub socket: Utf8PathBuf,
    /// The journal, the lock and the runtime's files; made if absent.
    pub state_dir: Utf8PathBuf,
    /// Whether to ask the kernel for quick moves between control groups (`favordynmods`), for the whole machine.
    pub favor_moves: bool,
}

/// Works until SIGTERM. Containers live on; the next keeper on the same state directory adopts them.
///
/// To be called while the process has one thread. It leaves the mount namespace it was started in, blocks signals, and becomes
/// the parent of what its children leave behind.
pub fn run(config: &Config) -> Result<(), Error> {
    let host = mounts::settle()?;
    nix::sys::prctl::set_child_subreaper(true)
        .map_err(|error| Error::System("become the reaper of containers", error))?;
    std::fs::create_dir_all(&config.state_dir).map_err(|source| Error::File {
        what: "create",
        path: config.state_dir.clone(),
        source,
    })?;
    // An older kernel, or one without named hierarchies, only makes starting a container slower.
    let favor = config.favor_moves.then(attach::favor).and_then(Result::ok);
    let result = server::Keeper::open(config, host)?.work();
    drop(favor);
    result
}

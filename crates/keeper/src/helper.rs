//! Forked helpers: the launcher that creates a container, the one that enters it for a further process, the cleaner that
//! removes it.
//!
//! All are forks without exec of a single-threaded process. They report by one JSON message on a pipe and end
//! with `_exit`, so nothing of keeper's runs twice.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{ForkResult, Gid, Pid, Uid, fchown, fork, getppid, pipe2};
use serde::{Deserialize, Serialize};
use wharf_sandbox::cgroup::{Cgroup, Hierarchy};
use wharf_sandbox::descriptors::close_all_but;
use wharf_sandbox::exec::{self, ExecSpec};
use wharf_sandbox::runtime::{self, Stdio, Surroundings};
use wharf_sandbox::spec::ContainerSpec;

const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// What a helper says at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    /// The container waits to be started; `relay` is the process between its terminal and its output.
    Created { pid: i32, relay: Option<i32>, notes: Vec<String> },
    /// The further process runs.
    Executing { pid: i32 },
    /// The container was removed.
    Cleaned,
    /// It did not work.
    Failed { reason: String },
}

/// A helper at work.
#[derive(Debug)]
pub(crate) struct Helper {
    pub(crate) pid: i32,
    /// Where its message comes.
    pub(crate) messages: OwnedFd,
}

/// A container's output pipes: what keeper reads, and what the container gets.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub(crate) readers: [OwnedFd; 2],
    writers: [OwnedFd; 2],
}

impl Pipes {
    /// Makes two pipes. The container's ends are open for reading too, so that writing to them never fails for want
    /// of a reader while keeper is away.
    pub(crate) fn new() -> nix::Result<Pipes> {
        let (stdout, stderr) = (pipe()?, pipe()?);
        Ok(Pipes { readers: [stdout.0, stderr.0], writers: [stdout.1, stderr.1] })
    }
}

fn pipe() -> nix::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let both = open(path.as_str(), OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    Ok((reader, both))
}

/// Forks a launcher.
pub(crate) fn launch(
    id: &str,
    spec: &ContainerSpec,
    surroundings: Surroundings<'_>,
    netns: &OwnedFd,
    pipes: Pipes,
) -> nix::Result<(Helper, [OwnedFd; 2])> {
    let Pipes { readers, writers: [stdout, stderr] } = pipes;
    // A pipe whose reader could also write to it is never at its end.
    let stdin = match spec.interactive {
        true => pipe()?.1,
        false => open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?,
    };
    let stdio = Stdio { stdin, stdout, stderr };
    let [stdin, stdout, stderr] = [&stdio.stdin, &stdio.stdout, &stdio.stderr].map(AsRawFd::as_raw_fd);
    let mut kept = vec![stdin, stdout, stderr, netns.as_raw_fd()];
    kept.extend(surroundings.host.map(AsRawFd::as_raw_fd));
    let mut surroundings = surroundings;
    surroundings.joins.network = format!("/proc/self/fd/{}", netns.as_raw_fd());
    let helper = helper(&kept, || {
        let give = |uid: u32, gid: u32, stdio: &Stdio| {
            // Or else a program of another user cannot open /dev/stdout.
            let stdin = spec.interactive.then_some(&stdio.stdin);
            for stream in [&stdio.stdout, &stdio.stderr].into_iter().chain(stdin) {
                fchown(stream, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
            }
            Ok(())
        };
        match runtime::create(id, spec, surroundings, stdio, give) {
            Ok(prepared) => {
                Message::Created { pid: prepared.pid, relay: prepared.relay, notes: prepared.notes }
            }
            Err(error) => Message::Failed { reason: crate::error::chain(&error) },
        }
    })?;
    Ok((helper, readers))
}

/// What a cleaner has to remove.
#[derive(Clone, Debug)]
pub(crate) struct Remains {
    pub(crate) id: String,
    pub(crate) dir: Utf8PathBuf,
    pub(crate) cgroup: String,
    /// Whether its writable layer stays, for its next run.
    pub(crate) keep_files: bool,
}

/// Removes a container's processes, cgroup and files. Safe to repeat.
pub(crate) fn clean(remains: &Remains, hierarchy: &Hierarchy, state_root: &Utf8Path) -> Message {
    let leaf = Cgroup::new(hierarchy, &remains.cgroup);
    let removed = leaf.kill_all(KILL_PATIENCE).and_then(|()| leaf.remove());
    if let Err(error) = removed {
        return Message::Failed { reason: crate::error::chain(&error) };
    }
    match runtime::clear(&remains.id, &remains.dir, state_root, remains.keep_files) {
        Ok(()) => Message::Cleaned,
        Err(error) => Message::Failed { reason: crate::error::chain(&error) },
    }
}

/// Forks a helper that begins a further process in a container.
pub(crate) fn enter(
    container: &exec::Container<'_>,
    spec: &ExecSpec,
    streams: exec::Streams,
) -> nix::Result<Helper> {
    let mut kept = streams.descriptors();
    kept.push(container.init.as_raw_fd());
    helper(&kept, || match exec::begin(container, spec, streams) {
        Ok(pid) => Message::Executing { pid },
        Err(error) => Message::Failed { reason: crate::error::chain(&error) },
    })
}

/// Forks a cleaner.
pub(crate) fn sweep(remains: &Remains, hierarchy: &Hierarchy, state_root: &Utf8Path) -> nix::Result<Helper> {
    helper(&[], || clean(remains, hierarchy, state_root))
}

fn helper(kept: &[RawFd], work: impl FnOnce() -> Message) -> nix::Result<Helper> {
    let (messages, sender) = pipe2(OFlag::O_CLOEXEC)?;
    let keeper = nix::unistd::getpid();
    // SAFETY: keeper has one thread, so the child may do anything the parent could.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Helper { pid: child.as_raw(), messages }),
        ForkResult::Child => {
            let ended = catch_unwind(AssertUnwindSafe(|| be_helper(keeper, kept, sender, work)));
            // SAFETY: ends the child without running anything of the parent's.
            unsafe { libc::_exit(i32::from(ended.is_err())) }
        }
    }
}

fn be_helper(keeper: Pid, kept: &[RawFd], sender: OwnedFd, work: impl FnOnce() -> Message) {
    // SAFETY: a plain system call. A launcher must not outlive keeper, or it would finish a container that the next
    // keeper has already given up.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if getppid() != keeper {
        return;
    }
    let mut open: Vec<RawFd> = kept.to_vec();
    open.extend([0, 1, 2, sender.as_raw_fd()]);
    close_all_but(&mut open);
    let message = work();
    if let Ok(bytes) = serde_json::to_vec(&message) {
        // If keeper is gone nobody needs the message.
        let _gone = File::from(sender).write_all(&bytes);
    }
}

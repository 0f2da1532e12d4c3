//! A further process in a container that runs, with that container's own confinement.
//!
//! libcontainer could do it, and would lose the system call filter and the resource limits on the way. So it is done
//! here: a process made for it joins the container's control group and, by the init's pidfd, all of its namespaces at
//! once; then it makes one more process, which drops what the container must not have and becomes the program.
//!
//! ```text
//!   keeper ──fork──▶ helper ── joins cgroup and namespaces ── opens a terminal ──▶ tells the pid, ends
//!      │                             └─clone(CLONE_PARENT)─▶ in the container: limits, ids, capabilities, filter, exec
//!      └──────────────── its parent, which reaps it ◀────────────────┘
//! ```
//!
//! Until the program begins, the container's other processes can see the new one. It is not dumpable, holds no descriptor but
//! its own streams, and runs from sealed memory, so that there is nothing to take from it.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use wharf_model::secret::Plain;

use crate::cgroup::{Cgroup, CgroupError};
use crate::runtime::executor::{CANNOT_RUN, find, reset_signals};
use crate::seccomp::Filter;

mod privileges;
mod process;
mod terminal;
#[cfg(test)]
mod tests;

pub use process::Process;
pub use terminal::resize;

/// Exit code for a program that is not there, as shells use it.
const NOT_FOUND: i32 = 127;

/// What is run in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecSpec {
    /// Program and arguments, never empty.
    pub args: Vec<String>,
    /// `KEY=VALUE` entries added to, or replacing those of, the container's environment.
    pub env: Vec<String>,
    /// Whether it runs as root of the container, whoever the container's own program runs as.
    pub as_root: bool,
    /// The size of its terminal, when it has one.
    pub terminal: Option<TerminalSize>,
}

/// The size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// Where a process reads and writes.
#[derive(Debug)]
pub enum Streams {
    /// Standard input, output and error.
    Plain([OwnedFd; 3]),
    /// A socket on which the terminal's other end is sent to its user.
    Terminal(OwnedFd),
}

impl Streams {
    /// Returns the descriptors.
    pub fn descriptors(&self) -> Vec<i32> {
        match self {
            Streams::Plain(streams) => streams.iter().map(AsRawFd::as_raw_fd).collect(),
            Streams::Terminal(socket) => vec![socket.as_raw_fd()],
        }
    }
}

/// Why a process could not be begun in a container.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// What the container was created from cannot be read.
    #[error("read {path}")]
    Config { path: Utf8PathBuf, source: io::Error },
    /// There is nothing to run, or it cannot be passed to a program.
    #[error("{0}")]
    Malformed(&'static str),
    /// The container's control group could not be joined.
    #[error("join the container's control group")]
    Cgroup(#[from] CgroupError),
    /// The kernel refused.
    #[error("{what}")]
    System { what: &'static str, source: io::Error },
}

fn system(what: &'static str) -> impl FnOnce(nix::Error) -> ExecError {
    move |source| ExecError::System { what, source: source.into() }
}

fn last(what: &'static str) -> ExecError {
    ExecError::System { what, source: io::Error::last_os_error() }
}

/// The container that is entered.
#[derive(Debug)]
pub struct Container<'a> {
    /// A handle on its first process.
    pub init: BorrowedFd<'a>,
    /// The same process's id.
    pub pid: i32,
    /// Its control group.
    pub cgroup: &'a Cgroup,
    /// What its own program was started with.
    pub process: &'a Process,
    /// Variables beside those, where they are still known.
    pub secrets: Option<&'a [(String, Plain)]>,
    /// Its system call filter; without one it may make every call.
    pub filter: Option<&'a Filter>,
}

/// Begins a process in a container; returns its id. It is a child of the calling process's parent.
///
/// To be called in a process made for it, of one thread: it stays in the container's namespaces.
pub fn begin(container: &Container<'_>, spec: &ExecSpec, streams: Streams) -> Result<i32, ExecError> {
    let args = strings(&spec.args)?;
    if args.is_empty() {
        return Err(ExecError::Malformed("no command specified"));
    }
    let program = spec.args[0].clone();
    let mut process = container.process.clone();
    match container.secrets {
        Some(known) => process.adapt(spec, known),
        None => process.adapt(spec, &process.recover_secrets(container.pid)?),
    }
    // Keeper may be spared by the kernel when memory runs out; what runs in a container is not.
    let score = process.oom_score_adj.unwrap_or(0).to_string();
    fs::write("/proc/self/oom_score_adj", score)
        .map_err(|source| ExecError::System { what: "set the score for want of memory", source })?;
    container.cgroup.join()?;
    nix::sys::prctl::set_dumpable(false).map_err(system("hide from the container"))?;
    enter(container.init)?;
    process.find_home();
    let env = strings(&process.env)?;
    let streams = match streams {
        Streams::Plain(streams) => {
            give(&streams, &process).map_err(system("hand over the streams"))?;
            streams
        }
        Streams::Terminal(socket) => terminal::open(&socket, spec.terminal)?,
    };
    // SAFETY: the calling process has one thread, so its copy may do anything it could.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_PARENT | libc::SIGCHLD, 0, 0, 0, 0) };
    match i32::try_from(pid) {
        Ok(0) => {
            become_program(container, &process, &program, &args, &env, &streams, spec.terminal.is_some())
        }
        Ok(pid) if pid > 0 => Ok(pid),
        _ => Err(last("make a process in the container")),
    }
}

/// Makes pipes the property of the process's user, who could not open `/dev/stdout` otherwise. Nothing else that a stream
/// can be is changed: it may be the host's.
fn give(streams: &[OwnedFd; 3], process: &Process) -> nix::Result<()> {
    use nix::sys::stat::{SFlag, fstat};
    use nix::unistd::{Gid, Uid, fchown};
    for stream in streams {
        let kind = SFlag::from_bits_truncate(fstat(stream)?.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFIFO {
            fchown(stream, Some(Uid::from_raw(process.user.uid)), Some(Gid::from_raw(process.user.gid)))?;
        }
    }
    Ok(())
}

fn strings(given: &[String]) -> Result<Vec<CString>, ExecError> {
    let all = given.iter().map(|text| CString::new(text.as_bytes()));
    all.collect::<Result<_, _>>().map_err(|_| ExecError::Malformed("an argument has a zero byte"))
}

/// Joins all namespaces of the container's first process at once.
fn enter(init: BorrowedFd<'_>) -> Result<(), ExecError> {
    let namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    // SAFETY: plain system calls on a descriptor that lives across them.
    let entered = unsafe {
        libc::setns(init.as_raw_fd(), namespaces | libc::CLONE_NEWUSER) == 0
            // A user namespace can only be joined by who is not in it already.
            || (*libc::__errno_location() == libc::EINVAL && libc::setns(init.as_raw_fd(), namespaces) == 0)
    };
    if entered { Ok(()) } else { Err(last("enter the container's namespaces")) }
}

/// The new process: becomes the program, or says on its standard error why not, and ends.
fn become_program(
    container: &Container<'_>,
    process: &Process,
    program: &str,
    args: &[CString],
    env: &[CString],
    streams: &[OwnedFd; 3],
    has_terminal: bool,
) -> ! {
    let result = prepare(container, process, streams, has_terminal).and_then(|()| {
        let path = process.path();
        let found =
            find(program, path).map_err(|reason| (NOT_FOUND, format!("exec: \"{program}\": {reason}")))?;
        let found = path_string(found)?;
        // Where nothing forbids to gain privileges it was loaded while there were some.
        if process.no_new_privileges {
            filter(container)?;
        }
        let Err(errno) = nix::unistd::execve(&found, args, env);
        Err((CANNOT_RUN, format!("exec {program}: {}", errno.desc().to_lowercase())))
    });
    let (code, message) = match result {
        Ok(()) => (CANNOT_RUN, String::new()),
        Err((code, message)) => (code, format!("{message}\r\n")),
    };
    // SAFETY: writes bytes that live across the call, and ends the process without running anything of the parent's.
    unsafe {
        libc::write(2, message.as_ptr().cast(), message.len());
        libc::_exit(code)
    }
}

fn path_string(path: PathBuf) -> Result<CString, (i32, String)> {
    CString::new(path.into_os_string().into_encoded_bytes())
        .map_err(|_| (NOT_FOUND, "the program's path has a zero byte".to_owned()))
}

fn filter(container: &Container<'_>) -> Result<(), (i32, String)> {
    let loaded = container.filter.map_or(Ok(()), Filter::load);
    loaded.map_err(|error| (CANNOT_RUN, format!("load the system call filter: {error}")))
}

fn prepare(
    container: &Container<'_>,
    process: &Process,
    streams: &[OwnedFd; 3],
    has_terminal: bool,
) -> Result<(), (i32, String)> {
    let cannot =
        |what: &'static str| move |error: nix::Error| (CANNOT_RUN, format!("{what}: {}", error.desc()));
    nix::unistd::setsid().map_err(cannot("begin a session"))?;
    if has_terminal {
        terminal::control(&streams[0]).map_err(cannot("take the terminal"))?;
    }
    for (stream, number) in streams.iter().zip(0..) {
        // SAFETY: the numbers of the standard streams are this process's own to replace.
        if unsafe { libc::dup2(stream.as_raw_fd(), number) } < 0 {
            return Err(cannot("attach a stream")(nix::Error::last()));
        }
    }
    // SAFETY: marks descriptors of this process alone; those that come after the standard streams end with exec.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    reset_signals();
    privileges::limit(process).map_err(cannot("set a resource limit"))?;
    if !process.no_new_privileges {
        filter(container)?;
    }
    privileges::drop_to(process).map_err(cannot("drop privileges"))?;
    nix::unistd::chdir(process.cwd.as_str()).map_err(|error| {
        (CANNOT_RUN, format!("chdir to {:?}: {}", process.cwd, error.desc().to_lowercase()))
    })?;
    Ok(())
}

/// Reads what a container's own program runs with.
pub fn process_of(container_dir: &Utf8Path) -> Result<Process, ExecError> {
    Process::read(&container_dir.join("bundle"))
}

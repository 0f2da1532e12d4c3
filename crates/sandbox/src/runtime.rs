//! Creating a container with libcontainer.
//!
//! [`create`] must be called in a single-threaded process made for it (keeper's launcher), because it changes
//! the process: mounts, working directory, dumpability. Starting is a matter of one connection
//! ([`start`]) and needs no such process. Nothing of libcontainer's own bookkeeping is used afterwards: signals go
//! by pidfd, and [`clear`] removes what it left.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use camino::{Utf8Path, Utf8PathBuf};
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::error::LibcontainerError;
use libcontainer::syscall::syscall::SyscallType;

use crate::cgroup::{Cgroup, CgroupError, Hierarchy};
use crate::exec::Process;
use crate::mounts::HostMounts;
use crate::rootfs::{self, RootfsError};
use crate::seccomp::Filter;
use crate::spec::{ContainerSpec, Joins, Sharing, SpecError, oci_spec};

pub(crate) mod executor;
mod init;
pub(crate) mod privileges;
mod terminal;

use executor::ContainerExecutor;
use terminal::Terminal;

/// Why a container could not be created.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The specification makes no sense.
    #[error("invalid container")]
    Spec(#[from] SpecError),
    /// The root file system could not be put together.
    #[error("assemble root file system")]
    Rootfs(#[from] RootfsError),
    /// A file of the runtime could not be written or reached.
    #[error("{what} {path}")]
    File { what: &'static str, path: Utf8PathBuf, source: io::Error },
    /// The container's limits could not be set.
    #[error("limit container")]
    Cgroup(#[from] CgroupError),
    /// libcontainer refused.
    #[error("create container")]
    Libcontainer(#[from] Box<LibcontainerError>),
}

fn file(what: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> RuntimeError {
    let path = path.to_owned();
    move |source| RuntimeError::File { what, path, source }
}

/// The standard streams of a container.
#[derive(Debug)]
pub struct Stdio {
    /// Standard input.
    pub stdin: OwnedFd,
    /// Standard output.
    pub stdout: OwnedFd,
    /// Standard error.
    pub stderr: OwnedFd,
}

/// A container whose init waits to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The init's process id; a child of the calling process.
    pub pid: i32,
    /// The process that copies from its terminal to its output; also a child of the calling process.
    pub relay: Option<i32>,
    /// What had to be changed to fit this machine.
    pub notes: Vec<String>,
}

/// Returns the cgroup of a container.
pub fn cgroup_of(spec: &ContainerSpec, id: &str) -> String {
    format!("{}/{id}", spec.cgroup_parent)
}

/// Where and with what a container is created.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// Where libcontainer keeps its files.
    pub state_root: &'a Utf8Path,
    /// The machine's control groups.
    pub hierarchy: &'a Hierarchy,
    /// Where volumes are looked for; among the caller's own mounts when absent.
    pub host: Option<&'a HostMounts>,
    /// What the container shares with others.
    pub joins: Joins,
    /// Its system call filter; without one it may make every call.
    pub filter: Option<&'a Filter>,
}

/// Creates a container in the calling process's own copy of the mounts. `give` is told the container's user and group
/// before the streams are handed over.
pub fn create(
    id: &str,
    spec: &ContainerSpec,
    surroundings: Surroundings<'_>,
    stdio: Stdio,
    give: impl FnOnce(u32, u32, &Stdio) -> io::Result<()>,
) -> Result<Prepared, RuntimeError> {
    let Surroundings { state_root, hierarchy, host, mut joins, filter } = surroundings;
    if spec.layers.is_empty() {
        return Err(SpecError::NoLayers.into());
    }
    if spec.limits.swappiness.is_some() && matches!(hierarchy, Hierarchy::V2 { .. }) {
        return Err(SpecError::Swappiness.into());
    }
    let taken = rootfs::take(spec, host)?;
    rootfs::isolate_mounts()?;
    if let (Sharing::With(_), Some(process)) = (&spec.ipc, joins.ipc) {
        joins.shm = Some(rootfs::shm::borrow(process, &spec.dir)?);
    }
    if joins.pid.is_some() && matches!(spec.pid, Sharing::With(_)) {
        joins.cgroups = Cgroup::new(hierarchy, &cgroup_of(spec, id)).places();
    }
    let (root, user) = rootfs::assemble(spec, &taken)?;
    give(user.uid, user.gid, &stdio).map_err(file("hand over standard streams of", Utf8Path::new(id)))?;
    let (config, notes) = oci_spec(spec, &root, &user, &joins, &cgroup_of(spec, id))?;
    let bundle = spec.dir.join("bundle");
    fs::create_dir_all(&bundle).map_err(file("create", &bundle))?;
    let path = bundle.join("config.json");
    fs::write(&path, config.to_string()).map_err(file("write", &path))?;
    let process = Process::of(spec, &user, &config)?;
    process.write(&bundle).map_err(file("write what runs in", &bundle))?;
    let executor = ContainerExecutor::new(spec, &user, filter).map_err(file("prepare init of", &path))?;
    let terminal = spec.terminal.then(|| Terminal::open(&spec.dir, &stdio.stdout, user.uid));
    let terminal = terminal.transpose().map_err(file("prepare terminal in", &spec.dir))?;
    let container = ContainerBuilder::new(id.to_owned(), SyscallType::default())
        .with_executor(executor)
        .with_root_path(state_root)
        .map_err(Box::new)?
        .with_console_socket(terminal.as_ref().map(Terminal::socket))
        .with_stdin(stdio.stdin)
        .with_stdout(stdio.stdout)
        .with_stderr(stdio.stderr)
        .as_init(&bundle)
        .with_systemd(false)
        .build()
        .map_err(Box::new)?;
    Cgroup::new(hierarchy, &cgroup_of(spec, id)).limit_swap(&spec.limits)?;
    let pid = container.pid().map_or(0, |pid| pid.as_raw());
    let relay = terminal.map(Terminal::keep).transpose();
    let relay = relay.map_err(file("take terminal of", Utf8Path::new(id)))?;
    Ok(Prepared { pid, relay, notes })
}

/// Lets the init of a created container go on. Returns as soon as it has been told.
pub fn start(id: &str, state_root: &Utf8Path) -> Result<(), RuntimeError> {
    let dir = state_root.join(id);
    // A socket's path has room for 108 bytes, a state directory may be longer.
    let open = fs::File::open(&dir).map_err(file("open", &dir))?;
    let path = format!("/proc/self/fd/{}/notify.sock", std::os::fd::AsRawFd::as_raw_fd(&open));
    let mut stream = UnixStream::connect(path).map_err(file("connect to init of", &dir))?;
    io::Write::write_all(&mut stream, b"start container").map_err(file("start init of", &dir))
}

/// Removes the files that creating a container left; its writable layer can be kept for the next container of this
/// directory. Safe to repeat.
pub fn clear(
    id: &str,
    spec_dir: &Utf8Path,
    state_root: &Utf8Path,
    keep_files: bool,
) -> Result<(), RuntimeError> {
    rootfs::clear(spec_dir, keep_files)?;
    let console = spec_dir.join("console");
    let removals =
        [spec_dir.join("bundle"), state_root.join(id)].map(|path| (fs::remove_dir_all(&path), path));
    for (removed, path) in removals.into_iter().chain([(fs::remove_file(&console), console)]) {
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(file("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

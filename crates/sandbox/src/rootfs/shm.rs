//! The shared memory of another container, for one that is in its IPC namespace.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::Mode;

use super::{RootfsError, system};

const SHM: &std::ffi::CStr = c"/dev/shm";

/// Makes the `/dev/shm` of the container of process `pid` visible below `dir`, for as long as the calling process's own
/// mounts last; returns where. To be called by a process with one thread that has left the host's mounts.
pub(crate) fn borrow(pid: i32, dir: &Utf8Path) -> Result<Utf8PathBuf, RootfsError> {
    let at = dir.join("shm");
    match std::fs::create_dir(&at) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(system("create", &at)(error));
        }
        _ => {}
    }
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let namespace = |of: &str| {
        let path = format!("/proc/{of}/ns/mnt");
        open(path.as_str(), flags, Mode::empty()).map_err(system("open", Utf8Path::new(&path)))
    };
    let (own, others) = (namespace("self")?, namespace(&pid.to_string())?);
    let enter = |namespace: &OwnedFd| {
        setns(namespace, CloneFlags::CLONE_NEWNS).map_err(system("enter mounts for", &at))
    };
    enter(&others)?;
    let tree = copy();
    enter(&own)?;
    attach(&tree.map_err(system("copy mount for", &at))?, &at).map_err(system("mount", &at))?;
    Ok(at)
}

/// Takes a copy of the mount that is nowhere yet.
fn copy() -> io::Result<OwnedFd> {
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC;
    // SAFETY: a plain system call with a string that lives across it.
    let raw = unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, SHM.as_ptr(), flags) };
    match i32::try_from(raw) {
        // SAFETY: the kernel has just made the descriptor for us.
        Ok(raw) if raw >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(raw) }),
        _ => Err(io::Error::last_os_error()),
    }
}

fn attach(tree: &OwnedFd, at: &Utf8Path) -> io::Result<()> {
    let target = std::ffi::CString::new(at.as_str())?;
    // SAFETY: a plain system call with strings that live across it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            target.as_ptr(),
            libc::MOVE_MOUNT_F_EMPTY_PATH,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

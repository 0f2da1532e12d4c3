//! Whose files are shown as whose: the map of an id-mapped mount.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, pipe2, read, write};
use serde::{Deserialize, Serialize};

/// A user and group on the disk, and who they are shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The user on the disk.
    pub uid: u32,
    /// The group on the disk.
    pub gid: u32,
    /// The user that a container has.
    pub shown_uid: u32,
    /// The group that a container has.
    pub shown_gid: u32,
}

impl Owner {
    /// Returns a user namespace that has this map and nothing else: a child enters it and is killed.
    pub(super) fn user_namespace(self) -> io::Result<OwnedFd> {
        let (ready, tell) = pipe2(OFlag::O_CLOEXEC)?;
        // SAFETY: the launcher has one thread, so the child may do anything the parent could.
        match unsafe { fork() }? {
            ForkResult::Child => {
                drop(ready);
                let _kept = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
                let entered = unshare(CloneFlags::CLONE_NEWUSER).is_ok();
                let told = write(&tell, &[u8::from(entered)]);
                // SAFETY: waits until it is killed and then ends, without running anything of the parent's. Without a
                // parent there is nobody left to kill it.
                unsafe {
                    while told.is_ok() {
                        libc::pause();
                    }
                    libc::_exit(1)
                }
            }
            ForkResult::Parent { child } => {
                drop(tell);
                let map = || {
                    let mut said = [0];
                    if read(&ready, &mut said)? != 1 || said != [1] {
                        return Err(io::Error::other("no user namespace could be made"));
                    }
                    fs::write(
                        format!("/proc/{child}/uid_map"),
                        format!("{} {} 1", self.uid, self.shown_uid),
                    )?;
                    fs::write(
                        format!("/proc/{child}/gid_map"),
                        format!("{} {} 1", self.gid, self.shown_gid),
                    )?;
                    Ok(OwnedFd::from(File::open(format!("/proc/{child}/ns/user"))?))
                };
                let namespace = map();
                let _ended = kill(child, Signal::SIGKILL);
                let _reaped = waitpid(child, None);
                namespace
            }
        }
    }
}

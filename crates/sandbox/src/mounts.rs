//! Pieces of the host's mounts, taken where the host's mounts are seen and put where a container's are.
//!
//! Keeper lives in a copy of the host's mounts that was made when it started, so what the host mounts later is not
//! there. A launcher therefore goes back for a moment ([`HostMounts::visit`]), clones what its container needs, and puts
//! the clones into its own mounts by descriptor. Nothing is ever mounted where others see it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use camino::Utf8Path;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::Mode;

mod owner;

pub use owner::Owner;

/// The host's mount namespace.
#[derive(Debug)]
pub struct HostMounts(OwnedFd);

impl HostMounts {
    /// Remembers the calling process's mounts, before it leaves them.
    pub fn here() -> io::Result<HostMounts> {
        Ok(HostMounts(File::open("/proc/self/ns/mnt")?.into()))
    }

    /// Does something among the host's mounts and comes back. The process must have one thread.
    pub(crate) fn visit<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let own = HostMounts::here()?;
        setns(&self.0, CloneFlags::CLONE_NEWNS)?;
        let result = act();
        setns(&own.0, CloneFlags::CLONE_NEWNS)?;
        result
    }
}

impl AsRawFd for HostMounts {
    fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

/// A clone of a piece of a mount tree, not yet put anywhere. It vanishes with its last descriptor.
#[derive(Debug)]
pub(crate) struct Tree(OwnedFd);

impl Tree {
    /// Clones what is at a path, with everything that is mounted below it.
    pub(crate) fn take(path: &Utf8Path) -> io::Result<Tree> {
        let found = open(path.as_std_path(), OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
        Tree::at(found.as_fd())
    }

    /// Clones a directory inside a tree whose content somebody else decides: no symlink leads out of it.
    pub(crate) fn take_inside(root: &Utf8Path, path: &str) -> io::Result<Tree> {
        Tree::at(crate::inside::resolve(root, path)?.as_fd())
    }

    fn at(found: BorrowedFd<'_>) -> io::Result<Tree> {
        let more = libc::AT_RECURSIVE | libc::AT_EMPTY_PATH;
        let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | more.cast_unsigned();
        // SAFETY: reads a string that lives across the call; the descriptor is new and nobody else's.
        unsafe {
            let fd = libc::syscall(libc::SYS_open_tree, found.as_raw_fd(), c"".as_ptr(), flags);
            Ok(Tree(OwnedFd::from_raw_fd(descriptor(fd)?)))
        }
    }

    /// Makes all of it read-only.
    pub(crate) fn make_read_only(&self) -> io::Result<()> {
        self.set_attributes(&attributes(libc::MOUNT_ATTR_RDONLY, 0))
    }

    /// Shows what belongs to somebody on the disk as somebody else's, and the other way round.
    pub(crate) fn map_owner(&self, owner: Owner) -> io::Result<()> {
        let namespace = owner.user_namespace()?;
        let descriptor = u64::from(namespace.as_raw_fd().cast_unsigned());
        self.set_attributes(&attributes(libc::MOUNT_ATTR_IDMAP, descriptor))
    }

    fn set_attributes(&self, attributes: &libc::mount_attr) -> io::Result<()> {
        let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
        // SAFETY: reads a string and a structure of the size given, which live across the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_mount_setattr,
                self.0.as_raw_fd(),
                c"".as_ptr(),
                flags,
                std::ptr::from_ref(attributes),
                size_of::<libc::mount_attr>(),
            )
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Mounts it over what a descriptor names.
    pub(crate) fn put(&self, at: BorrowedFd<'_>) -> io::Result<()> {
        let flags = libc::MOVE_MOUNT_F_EMPTY_PATH | libc::MOVE_MOUNT_T_EMPTY_PATH;
        // SAFETY: reads strings that live across the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_move_mount,
                self.0.as_raw_fd(),
                c"".as_ptr(),
                at.as_raw_fd(),
                c"".as_ptr(),
                flags,
            )
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

impl AsFd for Tree {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn attributes(set: u64, user_namespace: u64) -> libc::mount_attr {
    libc::mount_attr { attr_set: set, attr_clr: 0, propagation: 0, userns_fd: user_namespace }
}

fn descriptor(result: libc::c_long) -> io::Result<i32> {
    match i32::try_from(result) {
        Ok(fd) if fd >= 0 => Ok(fd),
        _ => Err(io::Error::last_os_error()),
    }
}

//! Directories inside a tree whose content somebody else decides.

use std::fs::Permissions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;
use nix::sys::stat::{Mode, SFlag, fchmod, fstat};
use nix::unistd::{Gid, Uid, fchown};
use pathrs::Root;
use pathrs::error::ErrorKind;
use pathrs::flags::OpenFlags;

/// How a directory is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewDirectory {
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its mode.
    pub mode: u32,
}

/// Looks for a directory inside `root`, resolved as if that were `/`; makes it, if `new` says how.
pub fn ensure(root: &Utf8Path, path: &str, new: Option<NewDirectory>) -> io::Result<()> {
    let inside = Root::open(root).map_err(converted)?;
    let found = match (inside.resolve(path), new) {
        (Err(error), Some(new)) if error.kind() == ErrorKind::OsError(Some(libc::ENOENT)) => {
            let made = inside.mkdir_all(path, &Permissions::from_mode(0o755)).map_err(converted)?;
            let dir = made.reopen(OpenFlags::O_RDONLY | OpenFlags::O_DIRECTORY).map_err(converted)?;
            fchown(&dir, Some(Uid::from_raw(new.uid)), Some(Gid::from_raw(new.gid)))?;
            fchmod(&dir, Mode::from_bits_truncate(new.mode))?;
            made
        }
        (found, _) => found.map_err(converted)?,
    };
    found.reopen(OpenFlags::O_RDONLY | OpenFlags::O_DIRECTORY).map(drop).map_err(converted)
}

/// Opens what is at a path inside `root`, resolved as if that were `/`.
pub(crate) fn resolve(root: &Utf8Path, path: &str) -> io::Result<OwnedFd> {
    let inside = Root::open(root).map_err(converted)?;
    inside.resolve(path).map(OwnedFd::from).map_err(converted)
}

/// Opens a socket by its name inside `root`, resolved as if that were `/`; it can be connected to by the path of its
/// descriptor in `/proc`.
pub fn socket(root: &Utf8Path, name: &str) -> io::Result<OwnedFd> {
    let found = resolve(root, name)?;
    let kind = SFlag::from_bits_truncate(fstat(&found)?.st_mode) & SFlag::S_IFMT;
    if kind == SFlag::S_IFSOCK { Ok(found) } else { Err(io::Error::other("it is not a socket")) }
}

fn converted(error: pathrs::error::Error) -> io::Error {
    match error.kind() {
        ErrorKind::OsError(Some(code)) => io::Error::from_raw_os_error(code),
        _ => io::Error::other(error),
    }
}

//! A new volume gets what the image has at its mount point, as Docker does it.
//!
//! The volume carries a mark while it is being filled. One that still has it was left by a launcher that was killed: it is
//! emptied and filled again. A lock makes containers that start at the same time wait for each other.

use std::io;

use camino::Utf8Path;
use pathrs::Root;
use rustix::fs::{
    Dir, FlockOperation, Mode, OFlags, XattrFlags, fgetxattr, flock, fremovexattr, fsetxattr, openat,
};

use super::copy;
use crate::mounts::Tree;
use crate::rootfs::{RootfsError, image, is_absent, system};
use crate::spec::BindMount;

const MARK: &str = "trusted.wharf.filling";

/// Fills a volume that is empty.
pub(super) fn fill(root: &Root, mount: &BindMount, tree: &Tree) -> Result<(), RootfsError> {
    let path = mount.destination.as_str();
    let failed = |error: io::Error| system("fill volume at", Utf8Path::new(path))(error);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let volume = openat(tree, ".", flags, Mode::empty()).map_err(|errno| failed(errno.into()))?;
    flock(&volume, FlockOperation::LockExclusive).map_err(|errno| failed(errno.into()))?;
    let unfinished = fgetxattr(&volume, MARK, &mut [0_u8; 1]).is_ok();
    if !unfinished && !is_empty(&volume).map_err(failed)? {
        return Ok(());
    }
    let from = match root.resolve(path) {
        Err(error) if is_absent(&error) => return Ok(()),
        found => found.map_err(image("open", path))?,
    };
    let from = match openat(&from, ".", flags, Mode::empty()) {
        Err(rustix::io::Errno::NOTDIR) => return Ok(()),
        opened => opened.map_err(|errno| failed(errno.into()))?,
    };
    let work = || {
        fsetxattr(&volume, MARK, b"1", XattrFlags::empty())?;
        if unfinished {
            copy::empty(&volume)?;
        }
        copy::directory(&from, &volume)?;
        Ok(fremovexattr(&volume, MARK)?)
    };
    work().map_err(failed)
}

fn is_empty(dir: &rustix::fd::OwnedFd) -> io::Result<bool> {
    for entry in Dir::read_from(dir)? {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    Ok(true)
}

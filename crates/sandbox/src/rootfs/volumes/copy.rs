//! A directory tree, copied by descriptors: no path is ever followed through a symlink.

use std::collections::HashMap;
use std::ffi::CString;
use std::fs::File;
use std::io;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags, chownat, fchmod,
    fchown, fgetxattr, flistxattr, fsetxattr, fstat, futimens, linkat, mkdirat, mknodat, openat, readlinkat,
    statat, symlinkat, unlinkat,
};

/// The longest value of an extended attribute.
const ATTRIBUTE_MAX: usize = 64 * 1024;

/// Files with several names that were copied, by device and number.
type Linked = HashMap<(u64, u64), (OwnedFd, CString)>;

/// Copies what is in a directory, and the directory's own owner, mode and times.
pub(super) fn directory(from: &OwnedFd, to: &OwnedFd) -> io::Result<()> {
    level(from, to, &mut Linked::new())
}

fn level(from: &OwnedFd, to: &OwnedFd, linked: &mut Linked) -> io::Result<()> {
    for name in names(from)? {
        let stat = statat(from, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                mkdirat(to, &name, Mode::RWXU)?;
                level(&open_dir(from, &name)?, &open_dir(to, &name)?, linked)?;
            }
            FileType::RegularFile => file(from, to, &name, &stat, linked)?,
            FileType::Symlink => {
                symlinkat(readlinkat(from, &name, Vec::new())?, to, &name)?;
                chownat(to, &name, uid(&stat), gid(&stat), AtFlags::SYMLINK_NOFOLLOW)?;
            }
            kind => {
                mknodat(to, &name, kind, Mode::from_raw_mode(stat.st_mode), stat.st_rdev)?;
                chownat(to, &name, uid(&stat), gid(&stat), AtFlags::SYMLINK_NOFOLLOW)?;
            }
        }
    }
    take_after(from, to)
}

fn file(from: &OwnedFd, to: &OwnedFd, name: &CString, stat: &Stat, linked: &mut Linked) -> io::Result<()> {
    let identity = (stat.st_dev, stat.st_ino);
    if let Some((dir, first)) = linked.get(&identity) {
        return Ok(linkat(dir, first, to, name, AtFlags::empty())?);
    }
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let source = openat(from, name, OFlags::RDONLY | flags, Mode::empty())?;
    let fresh = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | flags;
    let target = openat(to, name, fresh, Mode::RUSR | Mode::WUSR)?;
    let (mut source, mut target) = (File::from(source), File::from(target));
    io::copy(&mut source, &mut target)?;
    take_after(&source, &target)?;
    if stat.st_nlink > 1 {
        linked.insert(identity, (to.try_clone()?, name.clone()));
    }
    Ok(())
}

/// Gives a copy the owner, mode, attributes and times of its original. The order matters: a change of owner takes
/// set-user-id bits and capabilities away.
fn take_after(from: &impl AsFd, to: &impl AsFd) -> io::Result<()> {
    let stat = fstat(from)?;
    fchown(to, uid(&stat), gid(&stat))?;
    fchmod(to, Mode::from_raw_mode(stat.st_mode))?;
    attributes(from, to)?;
    let time = |secs, nanos: u64| Timespec { tv_sec: secs, tv_nsec: i64::try_from(nanos).unwrap_or(0) };
    let times = Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    };
    Ok(futimens(to, &times)?)
}

/// Copies the attributes that mean something outside of an overlay, where the file system takes them.
fn attributes(from: &impl AsFd, to: &impl AsFd) -> io::Result<()> {
    let mut list = vec![0; ATTRIBUTE_MAX];
    let Ok(length) = flistxattr(from, &mut list) else { return Ok(()) };
    let meant = |name: &&[u8]| {
        name.starts_with(b"user.") || name.starts_with(b"system.posix_acl") || *name == b"security.capability"
    };
    for name in list[..length].split(|byte| *byte == 0).filter(meant) {
        let mut value = vec![0; ATTRIBUTE_MAX];
        let length = fgetxattr(from, name, &mut value)?;
        match fsetxattr(to, name, &value[..length], XattrFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::OPNOTSUPP) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Removes everything in a directory.
pub(super) fn empty(dir: &OwnedFd) -> io::Result<()> {
    for name in names(dir)? {
        let stat = statat(dir, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if is_dir {
            empty(&open_dir(dir, &name)?)?;
        }
        unlinkat(dir, &name, if is_dir { AtFlags::REMOVEDIR } else { AtFlags::empty() })?;
    }
    Ok(())
}

fn names(dir: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

fn open_dir(at: &OwnedFd, name: &CString) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(at, name, flags, Mode::empty())?)
}

fn uid(stat: &Stat) -> Option<Uid> {
    Some(Uid::from_raw(stat.st_uid))
}

fn gid(stat: &Stat) -> Option<Gid> {
    Some(Gid::from_raw(stat.st_gid))
}

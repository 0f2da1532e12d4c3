//! The directory a layer is unpacked into. Names are resolved inside it by the kernel; the last part of a
//! name is never followed.

use super::{UnpackError, make};
use camino::Utf8Path;
use rustix::fs::{
    self, AtFlags, Dir, FileType, Gid, Mode, OFlags, RawMode, ResolveFlags, Timespec, Timestamps, Uid,
    XattrFlags,
};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Whose something is, and the rest that an entry says about it.
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
    pub(super) seconds: u64,
    pub(super) nanoseconds: u32,
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A layer's directory while it is filled.
pub(super) struct Place {
    root: OwnedFd,
    /// Parts of a path from the machine's root that no folder of the layer exceeds.
    depth_max: usize,
    /// The folder of the entry before, which most often is this entry's too.
    last: Option<(Vec<Vec<u8>>, OwnedFd)>,
    /// Directories get their times at the end, because what is made in them changes these.
    times: Vec<(Vec<u8>, Timestamps)>,
}

const OPAQUE: &str = "trusted.overlay.opaque";
const IN_ROOT: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const SEARCHED: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

impl Place {
    pub(super) fn open(folder: &Utf8Path, depth_max: usize) -> Result<Place, UnpackError> {
        let root = fs::open(folder.as_str(), FOLDER, Mode::empty());
        let root = root.map_err(|error| make("open", folder.as_str().as_bytes(), error.into()))?;
        let root_depth = folder.components().count();
        Ok(Place { root, depth_max: root_depth + depth_max, last: None, times: Vec::new() })
    }

    /// Sets what the archive says of its own root.
    pub(super) fn root(&mut self, owner: &Owner) -> Result<(), UnpackError> {
        let root = fs::openat(&self.root, ".", SEARCHED, Mode::empty());
        let done = root.and_then(|root| settle(&root, owner));
        done.map_err(|error| make("set up", b"/", error.into()))?;
        self.times.push((b".".to_vec(), times(owner)));
        Ok(())
    }

    pub(super) fn directory(
        &mut self,
        parents: &[Vec<u8>],
        name: &[u8],
        owner: &Owner,
        given: &[u8],
    ) -> Result<(), UnpackError> {
        let failed = |error: Errno| make("make directory", given, error.into());
        let folder = self.folder(parents, given)?;
        let hid = match kind(folder, name).map_err(failed)? {
            Some(FileType::Directory) => None,
            Some(before) => {
                let hid = before == FileType::CharacterDevice;
                fs::unlinkat(folder, OsStr::from_bytes(name), AtFlags::empty()).map_err(failed)?;
                Some(hid)
            }
            None => Some(false),
        };
        if hid.is_some() {
            fs::mkdirat(folder, OsStr::from_bytes(name), Mode::RWXU).map_err(failed)?;
        }
        let made = fs::openat(folder, OsStr::from_bytes(name), SEARCHED, Mode::empty()).map_err(failed)?;
        if hid == Some(true) {
            // The whiteout that was here hides what is below; the directory in its place goes on hiding it.
            fs::fsetxattr(&made, OPAQUE, b"y", XattrFlags::empty()).map_err(failed)?;
        }
        settle(&made, owner).map_err(failed)?;
        let mut path = parents.join(&b'/');
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        self.times.push((path, times(owner)));
        Ok(())
    }

    /// Makes an empty file that nobody but us may use before [`Place::complete`].
    pub(super) fn file(
        &mut self,
        parents: &[Vec<u8>],
        name: &[u8],
        given: &[u8],
    ) -> Result<File, UnpackError> {
        let folder = self.cleared(parents, name, given)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(folder, OsStr::from_bytes(name), flags, Mode::RUSR | Mode::WUSR);
        Ok(File::from(file.map_err(|error| make("make file", given, error.into()))?))
    }

    pub(super) fn complete(&self, file: &File, owner: &Owner, given: &[u8]) -> Result<(), UnpackError> {
        let done = settle(file, owner).and_then(|()| fs::futimens(file, &times(owner)));
        done.map_err(|error| make("set up", given, error.into()))
    }

    pub(super) fn symlink(
        &mut self,
        parents: &[Vec<u8>],
        name: &[u8],
        target: &[u8],
        owner: &Owner,
        given: &[u8],
    ) -> Result<(), UnpackError> {
        let folder = self.cleared(parents, name, given)?;
        let name = OsStr::from_bytes(name);
        let made = fs::symlinkat(OsStr::from_bytes(target), folder, name);
        let done = made.and_then(|()| {
            let (uid, gid) = (Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)));
            fs::chownat(folder, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
            fs::utimensat(folder, name, &times(owner), AtFlags::SYMLINK_NOFOLLOW)
        });
        done.map_err(|error| make("make symbolic link", given, error.into()))
    }

    pub(super) fn link(
        &mut self,
        parents: &[Vec<u8>],
        name: &[u8],
        from_parents: &[Vec<u8>],
        from: &[u8],
        given: &[u8],
    ) -> Result<(), UnpackError> {
        let failed = |error: Errno| make("make hard link", given, error.into());
        let source = resolve(&self.root, &from_parents.join(&b'/'), FOLDER).map_err(failed)?;
        match kind(&source, from).map_err(failed)? {
            None => return Err(failed(Errno::NOENT)),
            Some(FileType::Directory) => return Err(failed(Errno::ISDIR)),
            Some(_) => {}
        }
        let (from, target) = (OsStr::from_bytes(from), OsStr::from_bytes(name));
        let folder = self.folder(parents, given)?;
        let same = |folder: &OwnedFd| {
            let one = fs::statat(&source, from, AtFlags::SYMLINK_NOFOLLOW)?;
            let other = fs::statat(folder, target, AtFlags::SYMLINK_NOFOLLOW)?;
            Ok::<_, Errno>((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
        };
        if same(folder) == Ok(true) {
            return Ok(());
        }
        let folder = self.cleared(parents, name, given)?;
        fs::linkat(&source, from, folder, target, AtFlags::empty()).map_err(failed)
    }

    pub(super) fn fifo(
        &mut self,
        parents: &[Vec<u8>],
        name: &[u8],
        owner: &Owner,
        given: &[u8],
    ) -> Result<(), UnpackError> {
        let folder = self.cleared(parents, name, given)?;
        let name = OsStr::from_bytes(name);
        let made = fs::mkfifoat(folder, name, Mode::RUSR | Mode::WUSR);
        let done = made.and_then(|()| {
            let (uid, gid) = (Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)));
            fs::chownat(folder, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
            // It was made just now by us, in a folder nobody else can reach, and is no symbolic link.
            fs::chmodat(folder, name, Mode::from_raw_mode(owner.mode as RawMode), AtFlags::empty())?;
            fs::utimensat(folder, name, &times(owner), AtFlags::SYMLINK_NOFOLLOW)
        });
        done.map_err(|error| make("make fifo", given, error.into()))
    }

    /// Hides a name of the layers below. What this layer itself has under that name stays.
    pub(super) fn whiteout(
        &mut self,
        parents: &[Vec<u8>],
        hidden: &[u8],
        given: &[u8],
    ) -> Result<(), UnpackError> {
        let failed = |error: Errno| make("make whiteout", given, error.into());
        let folder = self.folder(parents, given)?;
        let name = OsStr::from_bytes(hidden);
        match kind(folder, hidden).map_err(failed)? {
            None => fs::mknodat(folder, name, FileType::CharacterDevice, Mode::empty(), 0).map_err(failed),
            Some(FileType::Directory) => {
                let made = fs::openat(folder, name, SEARCHED, Mode::empty()).map_err(failed)?;
                fs::fsetxattr(&made, OPAQUE, b"y", XattrFlags::empty()).map_err(failed)
            }
            Some(_) => Ok(()),
        }
    }

    /// Hides everything that the layers below have in a folder.
    pub(super) fn opaque(&mut self, parents: &[Vec<u8>], given: &[u8]) -> Result<(), UnpackError> {
        let failed = |error: Errno| make("make opaque", given, error.into());
        let folder = self.folder(parents, given)?;
        let folder = fs::openat(folder, ".", SEARCHED, Mode::empty()).map_err(failed)?;
        fs::fsetxattr(&folder, OPAQUE, b"y", XattrFlags::empty()).map_err(failed)
    }

    /// Gives directories their times, the innermost first, and waits until all is on the disk.
    pub(super) fn finish(&mut self) -> Result<(), UnpackError> {
        for (path, times) in self.times.drain(..).rev() {
            let flags = SEARCHED;
            match resolve(&self.root, &path, flags) {
                Ok(folder) => fs::futimens(&folder, &times)
                    .map_err(|error| make("set times of", &path, error.into()))?,
                // A later entry put something else there.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err(make("set times of", &path, error.into())),
            }
        }
        let root = fs::openat(&self.root, ".", SEARCHED, Mode::empty());
        root.and_then(fs::syncfs).map_err(|error| make("sync", b"/", error.into()))
    }

    /// Returns a folder, with nothing in it under `name`.
    fn cleared(&mut self, parents: &[Vec<u8>], name: &[u8], given: &[u8]) -> Result<&OwnedFd, UnpackError> {
        let failed = |error: io::Error| make("replace", given, error);
        let folder = self.folder(parents, given)?;
        let removed = match kind(folder, name).map_err(|error| failed(error.into()))? {
            None => false,
            Some(FileType::Directory) => {
                remove_tree(folder, name).map_err(|error| failed(error.into()))?;
                true
            }
            Some(_) => {
                let done = fs::unlinkat(folder, OsStr::from_bytes(name), AtFlags::empty());
                done.map_err(|error| failed(error.into()))?;
                true
            }
        };
        if removed {
            // The entry before may have gone through what was just removed.
            self.last = None;
        }
        self.folder(parents, given)
    }

    /// Returns a folder of the layer, made if need be.
    fn folder(&mut self, parents: &[Vec<u8>], given: &[u8]) -> Result<&OwnedFd, UnpackError> {
        let known = self.last.as_ref().is_some_and(|(path, _)| path == parents);
        if !known {
            let folder = self.reach(parents);
            let folder = folder.map_err(|error| make("reach the folder of", given, error.into()))?;
            self.last = Some((parents.to_vec(), folder));
        }
        match &self.last {
            Some((_, folder)) => Ok(folder),
            None => Err(make("reach the folder of", given, Errno::NOENT.into())),
        }
    }

    fn reach(&self, parents: &[Vec<u8>]) -> rustix::io::Result<OwnedFd> {
        let folder = self.reach_any(parents)?;
        let direct = ResolveFlags::NO_SYMLINKS | IN_ROOT;
        let path = parents.join(&b'/');
        let path = if path.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(&path) };
        if fs::openat2(&self.root, path, FOLDER, Mode::empty(), direct).err() == Some(Errno::LOOP) {
            // Through symbolic links an archive could go deeper step by step than any path in it.
            let real = fs::readlink(format!("/proc/self/fd/{}", folder.as_raw_fd()), Vec::new())?;
            if real.to_bytes().split(|&byte| byte == b'/').count() > self.depth_max {
                return Err(Errno::NAMETOOLONG);
            }
        }
        Ok(folder)
    }

    fn reach_any(&self, parents: &[Vec<u8>]) -> rustix::io::Result<OwnedFd> {
        let whole = resolve(&self.root, &parents.join(&b'/'), FOLDER);
        if !matches!(whole, Err(Errno::NOENT | Errno::NOTDIR)) {
            return whole;
        }
        let mut folder = resolve(&self.root, b"", FOLDER)?;
        for depth in 1..=parents.len() {
            let name = OsStr::from_bytes(&parents[depth - 1]);
            folder = match resolve(&self.root, &parents[..depth].join(&b'/'), FOLDER) {
                Err(Errno::NOENT) => {
                    fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755))?;
                    let made = fs::openat(&folder, name, SEARCHED, Mode::empty())?;
                    fs::fchmod(&made, Mode::from_raw_mode(0o755))?;
                    made
                }
                Err(Errno::NOTDIR) if is_whiteout(&folder, name)? => {
                    fs::unlinkat(&folder, name, AtFlags::empty())?;
                    fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755))?;
                    let made = fs::openat(&folder, name, SEARCHED, Mode::empty())?;
                    fs::fchmod(&made, Mode::from_raw_mode(0o755))?;
                    fs::fsetxattr(&made, OPAQUE, b"y", XattrFlags::empty())?;
                    made
                }
                other => other?,
            };
        }
        Ok(folder)
    }
}

/// Opens a path inside the root. The kernel asks to try again when something was renamed meanwhile.
fn resolve(root: &OwnedFd, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let path = if path.is_empty() { b".".as_slice() } else { path };
    let mut tries = 0;
    loop {
        match fs::openat2(root, OsStr::from_bytes(path), flags, Mode::empty(), IN_ROOT) {
            Err(Errno::AGAIN) if tries < 100 => tries += 1,
            other => return other,
        }
    }
}

fn kind(folder: &OwnedFd, name: &[u8]) -> rustix::io::Result<Option<FileType>> {
    match fs::statat(folder, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(about) => Ok(Some(FileType::from_raw_mode(about.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_whiteout(folder: &OwnedFd, name: &OsStr) -> rustix::io::Result<bool> {
    let about = fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(about.st_mode) == FileType::CharacterDevice && about.st_rdev == 0)
}

/// Sets owner, then mode, then attributes: a change of owner takes away set-user-id and capabilities.
fn settle(made: &impl std::os::fd::AsFd, owner: &Owner) -> rustix::io::Result<()> {
    fs::fchown(made, Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)))?;
    fs::fchmod(made, Mode::from_raw_mode(owner.mode as RawMode))?;
    for (name, value) in &owner.attributes {
        fs::fsetxattr(made, OsStr::from_bytes(name), value, XattrFlags::empty())?;
    }
    Ok(())
}

fn times(owner: &Owner) -> Timestamps {
    let seconds = i64::try_from(owner.seconds).unwrap_or(i64::MAX);
    let moment = Timespec { tv_sec: seconds, tv_nsec: i64::from(owner.nanoseconds) };
    Timestamps { last_access: moment, last_modification: moment }
}

/// Removes a directory with all in it, without following anything.
fn remove_tree(folder: &OwnedFd, name: &[u8]) -> rustix::io::Result<()> {
    let inner = fs::openat(folder, OsStr::from_bytes(name), SEARCHED, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&inner)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_bytes().to_vec());
        }
    }
    for name in names {
        match kind(&inner, &name)? {
            Some(FileType::Directory) => remove_tree(&inner, &name)?,
            Some(_) => fs::unlinkat(&inner, OsStr::from_bytes(&name), AtFlags::empty())?,
            None => {}
        }
    }
    fs::unlinkat(folder, OsStr::from_bytes(name), AtFlags::REMOVEDIR)
}

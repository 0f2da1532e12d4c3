//! A container's root file system: an overlay of its image's layers, put together by the launcher in a mount
//! namespace of its own.
//!
//! Nobody else ever sees the mount. The container's init inherits it, and it goes when the last process of
//! the container goes, so there is nothing to unmount and nothing to leak. What remains on disk is
//! `upper`, `work` and `root` in the container's directory, removed by [`clear`].
//!
//! The image decides what paths mean, so every path below the root is resolved by the kernel inside the root.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, SFlag, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use pathrs::Root;
use pathrs::error::ErrorKind;

use crate::spec::ContainerSpec;

pub(crate) mod shm;
#[cfg(test)]
mod tests;
mod user;
mod volumes;

pub use user::User;
pub(crate) use volumes::{Taken, aside, is_late, take};

/// Why a root file system could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum RootfsError {
    /// A system call on a path of the host failed.
    #[error("{what} {path}")]
    System { what: &'static str, path: Utf8PathBuf, source: std::io::Error },
    /// A path inside the image could not be used.
    #[error("{what} {path} in the image")]
    Image { what: &'static str, path: String, source: Box<pathrs::error::Error> },
    /// The image would make the runtime write outside of it.
    #[error("{0} in the image is not a directory")]
    NotDirectory(&'static str),
    /// The image has no such user or group.
    #[error("unable to find {kind} {name}: no matching entries in {file}")]
    UnknownUser { kind: &'static str, name: String, file: &'static str },
}

fn system<E: Into<std::io::Error>>(what: &'static str, path: &Utf8Path) -> impl FnOnce(E) -> RootfsError {
    let path = path.to_owned();
    move |source| RootfsError::System { what, path, source: source.into() }
}

fn image(what: &'static str, path: &str) -> impl FnOnce(pathrs::error::Error) -> RootfsError {
    let path = path.to_owned();
    move |source| RootfsError::Image { what, path, source: Box::new(source) }
}

fn is_absent(error: &pathrs::error::Error) -> bool {
    error.kind() == ErrorKind::OsError(Some(libc::ENOENT))
}

/// Leaves the calling process's mount namespace for a copy whose mounts nobody else sees.
pub fn isolate_mounts() -> Result<(), RootfsError> {
    let root = Utf8Path::new("/");
    unshare(CloneFlags::CLONE_NEWNS).map_err(system("unshare mounts below", root))?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .map_err(system("make private the mounts below", root))
}

/// Mounts the root file system and writes the generated files into it; returns where it is and who the
/// container's user is.
pub(crate) fn assemble(spec: &ContainerSpec, taken: &Taken) -> Result<(Utf8PathBuf, User), RootfsError> {
    let at = mount_overlay(spec, taken)?;
    let root = Root::open(&at).map_err(image("open", "/"))?;
    let top = open_dir(&at)?;
    for dir in ["/dev", "/proc", "/sys"] {
        ensure_directory(&top, dir)?;
    }
    let etc = configuration_dir(&root)?;
    let hostname = format!("{}\n", spec.hostname);
    for (name, text) in [("hosts", &spec.hosts), ("hostname", &hostname), ("resolv.conf", &spec.resolv_conf)]
    {
        replace_file(&etc, name, text)?;
    }
    let user = user::look_up(&root, &spec.user)?;
    taken.put_volumes(spec, &root, &user)?;
    if !matches!(spec.cwd.as_str(), "" | "/") {
        let permissions = Permissions::from_mode(0o755);
        root.mkdir_all(&spec.cwd, &permissions).map_err(image("make working directory", &spec.cwd))?;
    }
    Ok((at, user))
}

/// Removes what [`assemble`] left on disk; with `keep_files` all but the writable layer. Safe to repeat.
///
/// The mount points are empty for everyone who did not mount; should one ever not be, it is not emptied, because what is
/// in it may be a volume of the host.
pub fn clear(dir: &Utf8Path, keep_files: bool) -> Result<(), RootfsError> {
    volumes::clear(dir)?;
    let all = ["root", "shm", "storage", "upper", "work"];
    for name in all.into_iter().filter(|name| !keep_files || *name != "upper") {
        let path = dir.join(name);
        let is_mount_point = matches!(name, "root" | "shm" | "storage");
        let removed = if is_mount_point { fs::remove_dir(&path) } else { fs::remove_dir_all(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(system("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn mount_overlay(spec: &ContainerSpec, taken: &Taken) -> Result<Utf8PathBuf, RootfsError> {
    let make = |dir: &Utf8Path, name: &str, mode: u32| {
        let path = dir.join(name);
        DirBuilder::new().recursive(true).mode(mode).create(&path).map_err(system("create", &path))?;
        Ok::<_, RootfsError>(path)
    };
    let storage = taken.put_storage(spec)?;
    let writable = storage.as_deref().unwrap_or(&spec.dir);
    let used = writable.join("work");
    if used.exists() {
        // `volatile` below would refuse what an earlier run of the container left; only the kernel knows what it means.
        fs::remove_dir_all(&used).map_err(system("remove", &used))?;
    }
    let (upper, work) = (make(writable, "upper", 0o755)?, make(writable, "work", 0o700)?);
    let root = make(&spec.dir, "root", 0o700)?;
    // The options of a mount fit one page. Descriptors have short names, and need no escapes for `:` and `,`.
    let mut open = Vec::new();
    let mut named = |path: &Utf8Path| {
        let dir = File::open(path).map_err(system("open", path))?;
        let name = format!("/proc/self/fd/{}", dir.as_raw_fd());
        open.push(dir);
        Ok::<_, RootfsError>(name)
    };
    let lower = spec.layers.iter().rev().map(|layer| named(layer)).collect::<Result<Vec<_>, _>>()?.join(":");
    // `volatile`: the writable layer lives as long as the container, so flushing it to disk when the container
    // ends, which an unmount otherwise does, would be for nothing.
    let options = format!("lowerdir={lower},upperdir={},workdir={},volatile", named(&upper)?, named(&work)?);
    mount(Some("overlay"), root.as_std_path(), Some("overlay"), MsFlags::empty(), Some(options.as_str()))
        .map_err(system("mount overlay at", &root))?;
    Ok(root)
}

fn open_dir(path: &Utf8Path) -> Result<OwnedFd, RootfsError> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    open(path.as_std_path(), flags, Mode::empty()).map_err(system("open", path))
}

/// The runtime makes devices and mount points below these by joining paths, so a symlink there would lead out of
/// the root file system. One that is missing is made here, which is cheaper than in the runtime.
fn ensure_directory(top: &OwnedFd, path: &'static str) -> Result<(), RootfsError> {
    let name = path.trim_start_matches('/');
    let look = || fstatat(top, name, AtFlags::AT_SYMLINK_NOFOLLOW);
    let found = match look() {
        Err(Errno::ENOENT) => mkdirat(top, name, Mode::from_bits_truncate(0o755)).and_then(|()| look()),
        found => found,
    };
    let found = found.map_err(system("look at", Utf8Path::new(path)))?;
    let kind = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT;
    if kind == SFlag::S_IFDIR { Ok(()) } else { Err(RootfsError::NotDirectory(path)) }
}

/// Opens the image's `/etc`, made if it has none.
fn configuration_dir(root: &Root) -> Result<OwnedFd, RootfsError> {
    match root.resolve("/etc") {
        Err(error) if is_absent(&error) => {
            let permissions = Permissions::from_mode(0o755);
            root.mkdir_all("/etc", &permissions).map(OwnedFd::from).map_err(image("make", "/etc"))
        }
        found => found.map(OwnedFd::from).map_err(image("open", "/etc")),
    }
}

/// Writes a file anew; what the image has there, a symlink for instance, makes way.
fn replace_file(dir: &OwnedFd, name: &str, text: &str) -> Result<(), RootfsError> {
    let path = Utf8Path::new("/etc").join(name);
    match unlinkat(dir, name, UnlinkatFlags::NoRemoveDir) {
        Err(errno) if errno != Errno::ENOENT => return Err(system("replace", &path)(errno)),
        _ => {}
    }
    // Exclusive creation follows no symlink.
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    let file = openat(dir, name, flags, Mode::from_bits_truncate(0o644)).map_err(system("create", &path))?;
    File::from(file).write_all(text.as_bytes()).map_err(system("write", &path))
}

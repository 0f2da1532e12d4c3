//! File systems that are mounted for a task on the host: one of its own in a sparse file, so that who fills it fills
//! nothing else, and memory file systems that several containers share.
//!
//! Loop devices are taken with "autoclear": the kernel gives them back with the last mount, so there is nothing to
//! remember and nothing to leak but the mounts, which [`mounted_below`] finds.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

mod looped;
mod options;
#[cfg(test)]
mod tests;

pub use options::{MountOptions, UnknownOption};

/// Why a file system could not be made, mounted or unmounted.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A system call failed.
    #[error("{what} {path}")]
    System { what: &'static str, path: Utf8PathBuf, source: io::Error },
    /// The program that makes file systems is not there.
    #[error("run mke2fs; ephemeralStorage needs it, install the package 'e2fsprogs'")]
    NoProgram(#[source] io::Error),
    /// The program that makes file systems failed.
    #[error("mke2fs failed: {0}")]
    Program(String),
}

fn system<E: Into<io::Error>>(what: &'static str, path: &Utf8Path) -> impl FnOnce(E) -> StorageError {
    let path = path.to_owned();
    move |source| StorageError::System { what, path, source: source.into() }
}

/// How full a file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The bytes that are taken.
    pub used: u64,
    /// All its bytes.
    pub total: u64,
}

/// Makes a file system of a size in a sparse file.
pub fn make(image: &Utf8Path, gibibytes: u32) -> Result<(), StorageError> {
    let file = File::create(image).map_err(system("create", image))?;
    file.set_len(u64::from(gibibytes) << 30).map_err(system("size", image))?;
    // No journal: what is in it lives no longer than its task. No reserved blocks, and tables that are written when they
    // are first used.
    let made = Command::new("mke2fs")
        .args(["-q", "-F", "-t", "ext4", "-m", "0", "-O", "^has_journal,^resize_inode"])
        .args(["-E", "lazy_itable_init=1,nodiscard,packed_meta_blocks=1", image.as_str()])
        .env("PATH", search_path())
        .output()
        .map_err(StorageError::NoProgram)?;
    if made.status.success() {
        return Ok(());
    }
    Err(StorageError::Program(String::from_utf8_lossy(&made.stderr).trim().to_owned()))
}

/// Where system programs are may not be on the path of who started us.
fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

/// Mounts the file system in a file at a directory, which is made. One that is mounted already stays.
pub fn mount_image(image: &Utf8Path, at: &Utf8Path) -> Result<(), StorageError> {
    fs::create_dir_all(at).map_err(system("create", at))?;
    if is_mount_point(at)? {
        return Ok(());
    }
    let file = OpenOptions::new().read(true).write(true).open(image).map_err(system("open", image))?;
    let device = looped::attach(&file).map_err(system("attach a loop device to", image))?;
    // Blocks that are freed go back to the host.
    let options = "noinit_itable,discard";
    let path = device.path();
    mount(Some(path), at.as_std_path(), Some("ext4"), MsFlags::MS_NOATIME, Some(options))
        .map_err(system("mount", at))
}

/// Mounts a memory file system at a directory, which is made. One that is mounted already stays.
pub fn mount_tmpfs(at: &Utf8Path, options: &MountOptions) -> Result<(), StorageError> {
    fs::create_dir_all(at).map_err(system("create", at))?;
    if is_mount_point(at)? {
        return Ok(());
    }
    let data = options.data.join(",");
    mount(Some("tmpfs"), at.as_std_path(), Some("tmpfs"), options.flags(), Some(data.as_str()))
        .map_err(system("mount tmpfs at", at))
}

/// Unmounts what is at a directory, and removes the directory. Safe to repeat.
pub fn unmount(at: &Utf8Path) -> Result<(), StorageError> {
    loop {
        match umount2(at.as_std_path(), MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::EINVAL | Errno::ENOENT) => break,
            // A process of the host looks at it.
            Err(Errno::EBUSY) => umount2(at.as_std_path(), MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)
                .map_err(system("unmount", at))?,
            Err(errno) => return Err(system("unmount", at)(errno)),
        }
    }
    match fs::remove_dir(at) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(system("remove", at)(error)),
        _ => Ok(()),
    }
}

/// Returns the mount points below a directory, innermost first.
pub fn mounted_below(dir: &Utf8Path) -> Result<Vec<Utf8PathBuf>, StorageError> {
    // The list has real paths, and a run directory may be named by way of a symlink.
    let dir = &dir.canonicalize_utf8().unwrap_or_else(|_| dir.to_owned());
    let path = Utf8Path::new("/proc/thread-self/mountinfo");
    let text = fs::read_to_string(path).map_err(system("read", path))?;
    let points = text.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape);
    let mut found: Vec<Utf8PathBuf> =
        points.map(Utf8PathBuf::from).filter(|point| point.starts_with(dir) && point != dir).collect();
    found.reverse();
    Ok(found)
}

/// Returns how full the file system at a directory is.
pub fn usage(at: &Utf8Path) -> Result<Usage, StorageError> {
    let state = nix::sys::statvfs::statvfs(at.as_std_path()).map_err(system("look at", at))?;
    let total = state.blocks() * state.fragment_size();
    Ok(Usage { used: total - state.blocks_free() * state.fragment_size(), total })
}

/// Returns whether something is mounted at a directory: it is on another device than its parent.
fn is_mount_point(at: &Utf8Path) -> Result<bool, StorageError> {
    let device = |path: &Utf8Path| {
        let found = nix::sys::stat::stat(path.as_std_path()).map_err(system("look at", path))?;
        Ok::<_, StorageError>(found.st_dev)
    };
    match at.parent() {
        Some(parent) => Ok(device(at)? != device(parent)?),
        None => Ok(true),
    }
}

/// Mountinfo writes space, tab, newline and backslash in octal.
fn unescape(path: &str) -> String {
    let octal = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    octal.iter().fold(path.to_owned(), |path, (from, to)| path.replace(from, to))
}

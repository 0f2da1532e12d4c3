//! Volumes in a container's root file system.
//!
//! Mount points are resolved by the kernel inside the root, so no symlink of the image leads out of it. What is to be
//! below `/dev` or `/sys` is put aside first, because the runtime mounts those only later.

use std::fs::{self, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use pathrs::Root;
use pathrs::flags::OpenFlags;

use super::{RootfsError, User, image, system};
use crate::mounts::{HostMounts, Owner, Tree};
use crate::spec::{BindMount, ContainerSpec};

mod copy;
mod fill;

/// What a container needs of the host, cloned from the host's mounts.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Where the writable layer is, when the task has a file system of its own.
    storage: Option<Tree>,
    /// The volumes, in the specification's order.
    volumes: Vec<Tree>,
}

/// Clones what a container needs.
pub(crate) fn take(spec: &ContainerSpec, host: Option<&HostMounts>) -> Result<Taken, RootfsError> {
    if spec.mounts.is_empty() && spec.storage.is_none() {
        return Ok(Taken::default());
    }
    let mut failed = Utf8PathBuf::new();
    let mut clone = |path: &Utf8Path, inside: Option<&str>| {
        failed = path.join(inside.unwrap_or_default().trim_start_matches('/'));
        match inside {
            Some(inside) => Tree::take_inside(path, inside),
            None => Tree::take(path),
        }
    };
    let mut all = || {
        let storage = spec.storage.as_deref().map(|path| clone(path, None)).transpose()?;
        let volumes = spec.mounts.iter().map(|mount| clone(&mount.source, mount.inside.as_deref()));
        Ok(Taken { storage, volumes: volumes.collect::<io::Result<_>>()? })
    };
    let taken = match host {
        Some(host) => host.visit(all),
        None => all(),
    };
    taken.map_err(|error| system("mount", &failed)(error))
}

impl Taken {
    /// Mounts the task's own file system in the container's directory; returns where.
    pub(super) fn put_storage(&self, spec: &ContainerSpec) -> Result<Option<Utf8PathBuf>, RootfsError> {
        let Some(tree) = &self.storage else { return Ok(None) };
        let at = spec.dir.join("storage");
        fs::create_dir_all(&at).map_err(system("create", &at))?;
        tree.put(open_path(&at)?.as_fd()).map_err(system("mount", &at))?;
        Ok(Some(at))
    }

    /// Mounts the volumes, outer ones first.
    pub(super) fn put_volumes(
        &self,
        spec: &ContainerSpec,
        root: &Root,
        user: &User,
    ) -> Result<(), RootfsError> {
        let mut all: Vec<_> = spec.mounts.iter().zip(&self.volumes).enumerate().collect();
        all.sort_by_key(|(_, (mount, _))| depth(&mount.destination));
        for (place, (mount, tree)) in all {
            if mount.fill {
                fill::fill(root, mount, tree)?;
            }
            let path = Utf8Path::new(&mount.destination);
            if let Some((uid, gid)) = mount.owner {
                let owner = Owner { uid, gid, shown_uid: user.uid, shown_gid: user.gid };
                tree.map_owner(owner).map_err(system("map the owner of", path))?;
            }
            if mount.read_only {
                tree.make_read_only().map_err(system("make read-only", path))?;
            }
            if is_late(spec, &mount.destination) {
                put_aside(spec, place, tree)?;
            } else {
                let at = mount_point(root, mount, tree)?;
                tree.put(at.as_fd()).map_err(system("mount", path))?;
            }
        }
        Ok(())
    }
}

fn depth(path: &str) -> usize {
    path.split('/').filter(|part| !part.is_empty()).count()
}

/// Returns whether a mount point is below one that the runtime mounts something at, later than this.
pub(crate) fn is_late(spec: &ContainerSpec, destination: &str) -> bool {
    let parts = |path: &'_ str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let at = parts(destination);
    matches!(at.first().map(String::as_str), Some("dev" | "sys"))
        || spec.tmpfs.iter().any(|tmpfs| at.starts_with(&parts(&tmpfs.destination)))
}

/// Returns where a volume is put aside.
pub(crate) fn aside(dir: &Utf8Path, place: usize) -> Utf8PathBuf {
    dir.join("volumes").join(place.to_string())
}

fn put_aside(spec: &ContainerSpec, place: usize, tree: &Tree) -> Result<(), RootfsError> {
    let at = aside(&spec.dir, place);
    if is_dir(tree, &at)? {
        fs::create_dir_all(&at).map_err(system("create", &at))?;
    } else {
        fs::create_dir_all(spec.dir.join("volumes")).map_err(system("create", &at))?;
        fs::write(&at, "").map_err(system("create", &at))?;
    }
    tree.put(open_path(&at)?.as_fd()).map_err(system("mount", &at))
}

/// Removes what putting volumes aside left. What was mounted there went with the launcher.
pub(super) fn clear(dir: &Utf8Path) -> Result<(), RootfsError> {
    let aside = dir.join("volumes");
    let entries = match aside.read_dir_utf8() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(system("list", &aside))?,
    };
    for entry in entries {
        let path = entry.map_err(system("list", &aside))?.into_path();
        // Never emptied: should anything ever be mounted here, it is a volume's.
        let removed = if path.is_dir() { fs::remove_dir(&path) } else { fs::remove_file(&path) };
        removed.map_err(system("remove", &path))?;
    }
    fs::remove_dir(&aside).map_err(system("remove", &aside))
}

/// Opens the mount point inside the root, made if it is not there.
fn mount_point(root: &Root, mount: &BindMount, tree: &Tree) -> Result<OwnedFd, RootfsError> {
    let path = mount.destination.as_str();
    let permissions = Permissions::from_mode(0o755);
    let made = image("make mount point", path);
    if is_dir(tree, Utf8Path::new(path))? {
        let at = root.mkdir_all(path, &permissions).map_err(made)?;
        return Ok(at.into());
    }
    if let Ok(there) = root.resolve(path) {
        return Ok(there.into());
    }
    if let Some(parent) = Utf8Path::new(path).parent() {
        root.mkdir_all(parent, &permissions).map_err(image("make mount point", path))?;
    }
    let flags = OpenFlags::O_CREAT | OpenFlags::O_EXCL | OpenFlags::O_NOFOLLOW;
    root.create_file(path, flags, &Permissions::from_mode(0o644)).map_err(made)?;
    root.resolve(path).map(OwnedFd::from).map_err(image("open mount point", path))
}

fn is_dir(tree: &Tree, shown: &Utf8Path) -> Result<bool, RootfsError> {
    let found = nix::sys::stat::fstat(tree).map_err(system("look at", shown))?;
    Ok(found.st_mode & libc::S_IFMT == libc::S_IFDIR)
}

fn open_path(path: &Utf8Path) -> Result<OwnedFd, RootfsError> {
    open(path.as_std_path(), OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).map_err(system("open", path))
}

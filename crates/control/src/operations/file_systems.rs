//! File systems: a record in the state file, and a directory tree in the state directory that tasks find as their volume.

use crate::{Control, ids, operations};
use camino::Utf8PathBuf;
use std::sync::Arc;
use thiserror::Error;
use wharf_model::{
    file_system::{AccessPoint, Creation, FileSystem, MountTarget, PosixUser},
    network::Subnet,
    tag::Tag,
};
use wharf_store::{Draft, StoreError, UpdateError};

/// Why something about file systems was not done.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no such file system.
    #[error("File system '{0}' does not exist.")]
    FileSystemNotFound(String),
    /// The token was used before.
    #[error("File system '{0}' already exists with creation token '{1}'")]
    FileSystemExists(String, String),
    /// It still has mount targets.
    #[error("File system '{0}' is in use: delete its mount targets first.")]
    FileSystemInUse(String),
    /// There is no such mount target.
    #[error("Mount target '{0}' does not exist.")]
    MountTargetNotFound(String),
    /// The subnet, or its zone, has one already.
    #[error("mount target already exists in this AZ")]
    MountTargetConflict,
    /// There is no such subnet.
    #[error("The subnet ID '{0}' does not exist")]
    SubnetNotFound(String),
    /// There is no such access point.
    #[error("Access point '{0}' does not exist.")]
    AccessPointNotFound(String),
    /// The token was used before for another one.
    #[error("Access point '{0}' already exists with client token '{1}'")]
    AccessPointExists(String, String),
    /// A member breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// A file system's directory cannot be used.
    #[error("use directory {path}")]
    Directory {
        /// The directory.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The state file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UpdateError<Error>> for Error {
    fn from(error: UpdateError<Error>) -> Error {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::Store(error) => Error::Store(error),
        }
    }
}

/// What an access point is made from.
#[derive(Debug, Clone)]
pub struct NewAccessPoint {
    /// The file system.
    pub file_system: String,
    /// What makes the request one that can be repeated.
    pub client_token: String,
    /// Who enters.
    pub posix_user: Option<PosixUser>,
    /// Where.
    pub root_directory: String,
    /// How that directory is made.
    pub creation: Option<Creation>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Makes a file system.
pub async fn create(control: &Control, token: String, tags: Vec<Tag>) -> Result<FileSystem, Error> {
    check_tags(&tags)?;
    let id = format!("fs-{}", ids::hex(17));
    let arn = control.config().place.arn("elasticfilesystem", format_args!("file-system/{id}"));
    let now = control.now();
    // The directory first: a record without one would promise what is not there.
    let path = directory(control, &id);
    let made = tokio::fs::create_dir_all(&path).await;
    made.map_err(|source| Error::Directory { path: path.clone(), source })?;
    let created = control.store().update(|draft| {
        if let Some(known) = draft.list::<FileSystem>("").iter().find(|known| known.creation_token == token) {
            return Err(Error::FileSystemExists(known.id.clone(), token));
        }
        let file_system = FileSystem { id, arn, creation_token: token, created_at: now, tags };
        draft.put(file_system.clone());
        Ok(file_system)
    });
    match created.await {
        Ok(file_system) => Ok(file_system),
        Err(error) => {
            // Nobody knows of it; what stays is an empty directory at most.
            let _left = tokio::fs::remove_dir(&path).await;
            Err(error.into())
        }
    }
}

/// Returns file systems, by id: all of them, or the one with an id or a creation token.
pub fn list(control: &Control, id: Option<&str>, token: Option<&str>) -> Result<Vec<Arc<FileSystem>>, Error> {
    let mut found = control.store().view().list::<FileSystem>("");
    found.retain(|known| {
        id.is_none_or(|id| known.id == id) && token.is_none_or(|token| known.creation_token == token)
    });
    match id {
        Some(id) if found.is_empty() => Err(Error::FileSystemNotFound(id.to_owned())),
        _ => Ok(found),
    }
}

/// Returns how many bytes a file system's files have.
pub async fn bytes(control: &Control, id: &str) -> u64 {
    let path = directory(control, id);
    tokio::task::spawn_blocking(move || count(&path)).await.unwrap_or(0)
}

fn count(dir: &Utf8PathBuf) -> u64 {
    let Ok(entries) = dir.read_dir_utf8() else { return 0 };
    let size = |entry: camino::Utf8DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => count(&entry.into_path()),
        Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |found| found.len()),
        _ => 0,
    };
    entries.flatten().map(size).sum()
}

/// Deletes a file system with everything in it.
pub async fn delete(control: &Control, id: &str) -> Result<(), Error> {
    let deleted = control.store().update(|draft| {
        if draft.get::<FileSystem>(id).is_none() {
            return Err(Error::FileSystemNotFound(id.to_owned()));
        }
        if draft.list::<MountTarget>("").iter().any(|target| target.file_system == *id) {
            return Err(Error::FileSystemInUse(id.to_owned()));
        }
        forget(draft, id);
        Ok(())
    });
    deleted.await?;
    remove_tree(control, id).await
}

/// Takes a file system's records away.
pub(crate) fn forget(draft: &mut Draft<'_>, id: &str) {
    draft.delete::<FileSystem>(id);
    for target in draft.list::<MountTarget>("").iter().filter(|target| target.file_system == id) {
        draft.delete::<MountTarget>(&target.id);
    }
    for point in draft.list::<AccessPoint>("").iter().filter(|point| point.file_system == id) {
        draft.delete::<AccessPoint>(&point.id);
    }
}

/// Removes a file system's tree.
pub(crate) async fn remove_tree(control: &Control, id: &str) -> Result<(), Error> {
    let path = directory(control, id);
    match tokio::fs::remove_dir_all(&path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Directory { path, source: error })
        }
        _ => Ok(()),
    }
}

/// Makes a file system reachable from a subnet.
pub async fn create_mount_target(
    control: &Control,
    file_system: &str,
    subnet: &str,
) -> Result<MountTarget, Error> {
    let id = format!("fsmt-{}", ids::hex(17));
    let created = control.store().update(|draft| {
        if draft.get::<FileSystem>(file_system).is_none() {
            return Err(Error::FileSystemNotFound(file_system.to_owned()));
        }
        let subnet = draft.get::<Subnet>(subnet).ok_or_else(|| Error::SubnetNotFound(subnet.to_owned()))?;
        let targets = draft.list::<MountTarget>("");
        if targets.iter().any(|known| known.file_system == file_system && known.zone == subnet.zone) {
            return Err(Error::MountTargetConflict);
        }
        let target = MountTarget {
            id,
            file_system: file_system.to_owned(),
            subnet: subnet.id.clone(),
            zone: subnet.zone.clone(),
            vpc: subnet.vpc.clone(),
        };
        draft.put(target.clone());
        Ok(target)
    });
    Ok(created.await?)
}

/// Returns mount targets, by id.
pub fn mount_targets(
    control: &Control,
    file_system: Option<&str>,
    id: Option<&str>,
    point: Option<&str>,
) -> Result<Vec<Arc<MountTarget>>, Error> {
    let view = control.store().view();
    let of_point = match point {
        Some(point) => {
            let found = view.get::<AccessPoint>(point);
            Some(found.ok_or_else(|| Error::AccessPointNotFound(point.to_owned()))?.file_system.clone())
        }
        None => None,
    };
    if let Some(file_system) = file_system.filter(|id| view.get::<FileSystem>(id).is_none()) {
        return Err(Error::FileSystemNotFound(file_system.to_owned()));
    }
    let mut found = view.list::<MountTarget>("");
    found.retain(|target| {
        file_system.is_none_or(|file_system| target.file_system == file_system)
            && of_point.as_ref().is_none_or(|file_system| target.file_system == *file_system)
            && id.is_none_or(|id| target.id == id)
    });
    match id {
        Some(id) if found.is_empty() => Err(Error::MountTargetNotFound(id.to_owned())),
        _ => Ok(found),
    }
}

/// Deletes a mount target.
pub async fn delete_mount_target(control: &Control, id: &str) -> Result<(), Error> {
    let deleted = control.store().update(|draft| match draft.get::<MountTarget>(id) {
        Some(_) => {
            draft.delete::<MountTarget>(id);
            Ok(())
        }
        None => Err(Error::MountTargetNotFound(id.to_owned())),
    });
    Ok(deleted.await?)
}

/// Makes an access point. The same request again returns the same.
pub async fn create_access_point(control: &Control, new: NewAccessPoint) -> Result<AccessPoint, Error> {
    check_tags(&new.tags)?;
    let root = &new.root_directory;
    if !root.starts_with('/') || root.len() > 100 || root.split('/').any(|part| part == "..") {
        return Err(Error::Invalid(format!("RootDirectory.Path '{root}' is not a valid path.")));
    }
    let id = format!("fsap-{}", ids::hex(17));
    let arn = control.config().place.arn("elasticfilesystem", format_args!("access-point/{id}"));
    let created = control.store().update(|draft| {
        if draft.get::<FileSystem>(&new.file_system).is_none() {
            return Err(Error::FileSystemNotFound(new.file_system));
        }
        let point = AccessPoint {
            id,
            arn,
            client_token: new.client_token,
            file_system: new.file_system,
            posix_user: new.posix_user,
            root_directory: new.root_directory,
            creation: new.creation,
            tags: new.tags,
        };
        let points = draft.list::<AccessPoint>("");
        if let Some(known) = points.iter().find(|known| known.client_token == point.client_token) {
            let same = AccessPoint { id: known.id.clone(), arn: known.arn.clone(), ..point.clone() };
            if same == **known {
                return Ok(same);
            }
            return Err(Error::AccessPointExists(known.id.clone(), point.client_token));
        }
        draft.put(point.clone());
        Ok(point)
    });
    Ok(created.await?)
}

/// Returns access points, by id.
pub fn access_points(
    control: &Control,
    file_system: Option<&str>,
    id: Option<&str>,
) -> Result<Vec<Arc<AccessPoint>>, Error> {
    let view = control.store().view();
    if let Some(file_system) = file_system.filter(|id| view.get::<FileSystem>(id).is_none()) {
        return Err(Error::FileSystemNotFound(file_system.to_owned()));
    }
    let mut found = view.list::<AccessPoint>("");
    found.retain(|point| {
        file_system.is_none_or(|file_system| point.file_system == file_system)
            && id.is_none_or(|id| point.id == id)
    });
    match id {
        Some(id) if found.is_empty() => Err(Error::AccessPointNotFound(id.to_owned())),
        _ => Ok(found),
    }
}

/// Deletes an access point. What is in its directory stays.
pub async fn delete_access_point(control: &Control, id: &str) -> Result<(), Error> {
    let deleted = control.store().update(|draft| match draft.get::<AccessPoint>(id) {
        Some(_) => {
            draft.delete::<AccessPoint>(id);
            Ok(())
        }
        None => Err(Error::AccessPointNotFound(id.to_owned())),
    });
    Ok(deleted.await?)
}

fn directory(control: &Control, id: &str) -> Utf8PathBuf {
    control.config().state_dir.join("efs").join(id)
}

fn check_tags(tags: &[Tag]) -> Result<(), Error> {
    operations::tags::check(tags).map_err(|error| Error::Invalid(error.to_string()))
}

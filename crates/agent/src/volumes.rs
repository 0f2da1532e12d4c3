//! The volumes of tasks: where on the node each of them is.
//!
//! ```text
//!   <state>/tasks/<task>/volumes/<n>      a volume that lives as long as its task
//!   <state>/tasks/<task>/storage.ext4     the task's own disk, mounted at <run>/storage/<task>; then the volumes of
//!                                         the task and its containers' writable layers are on it
//!   <state>/volumes/<name>/data           a named volume, kept until everything is removed
//!   <state>/efs/<file system>/…           a file system's tree
//!   <run>/volumes/<task or name>/<n>      a memory file system that containers share
//! ```
//!
//! What is mounted on the host is below the run directory, in a directory named after its task, so that what belongs to
//! no task is found after a crash ([`sweep`]). Nothing of the host's is ever mounted there: what removes those directories
//! can remove nothing of anybody else's.

use crate::{AgentConfig, error::chain, record::Record};
use camino::{Utf8Path, Utf8PathBuf};
use std::{
    collections::HashSet,
    fs,
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
};
use wharf_model::{
    TaskId,
    task_definition::{DockerVolume, DockerVolumeScope, Volume, VolumeSource},
};
use wharf_nodelink::{agent::Assignment, provisions::Provisions};
use wharf_plan::mounts;
use wharf_sandbox::{
    spec::BindMount,
    storage::{self, MountOptions, StorageError},
};

mod named;
mod trees;

/// The directories that volumes are in.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    tasks: Utf8PathBuf,
    named: Utf8PathBuf,
    trees: Utf8PathBuf,
    storage: Utf8PathBuf,
    memory: Utf8PathBuf,
}

/// Why a task's volumes cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VolumeError {
    #[error("{what} {path}")]
    File { what: &'static str, path: Utf8PathBuf, source: std::io::Error },
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("volume '{0}' does not exist on this node, and autoprovision is not asked for")]
    Unknown(String),
    #[error("the {what} of volume '{name}' are not those it was made with")]
    Different { name: String, what: &'static str },
    #[error("volume '{0}' is damaged")]
    Damaged(String, #[source] serde_json::Error),
    #[error("volume '{volume}': {source}")]
    Option { volume: String, source: wharf_sandbox::storage::UnknownOption },
    #[error("mount of volume '{volume}' failed, reason given by server: No such file or directory: {path}")]
    NoDirectory { volume: String, path: String },
    #[error("open {path} in file system {file_system}")]
    Tree { file_system: String, path: String, source: std::io::Error },
}

fn file(what: &'static str, path: &Utf8Path) -> impl FnOnce(std::io::Error) -> VolumeError {
    let path = path.to_owned();
    move |source| VolumeError::File { what, path, source }
}

/// Where a volume is on the node.
struct Found {
    source: Utf8PathBuf,
    inside: Option<String>,
    read_only: bool,
    fill: bool,
    owner: Option<(u32, u32)>,
}

impl Found {
    fn at(source: Utf8PathBuf) -> Found {
        Found { source, inside: None, read_only: false, fill: false, owner: None }
    }
}

impl Places {
    /// Returns an agent's.
    pub(crate) fn new(config: &AgentConfig) -> Places {
        Places {
            tasks: config.tasks_dir(),
            named: config.state_dir.join("volumes"),
            trees: config.state_dir.join("efs"),
            storage: config.run_dir.join("storage"),
            memory: config.run_dir.join("volumes"),
        }
    }

    /// Returns where a task's own disk is mounted, if it has one.
    pub(crate) fn storage_of(&self, assignment: &Assignment) -> Option<Utf8PathBuf> {
        assignment.ephemeral_storage_gib.map(|_| self.storage.join(assignment.task.as_str()))
    }

    /// Makes and mounts what a task's volumes need. Blocks. Safe to repeat.
    pub(crate) fn prepare(&self, assignment: &Assignment, given: &Provisions) -> Result<(), VolumeError> {
        self.prepare_storage(assignment)?;
        for place in 0..assignment.volumes.len() {
            self.found(assignment, place, given)?;
        }
        Ok(())
    }

    /// Makes and mounts a task's own disk, where it asks for one.
    fn prepare_storage(&self, assignment: &Assignment) -> Result<(), VolumeError> {
        let (Some(gibibytes), Some(at)) = (assignment.ephemeral_storage_gib, self.storage_of(assignment))
        else {
            return Ok(());
        };
        let image = self.tasks.join(assignment.task.as_str()).join("storage.ext4");
        if !image.exists() {
            // Only a whole one has the name that is looked for.
            let fresh = image.with_extension("new");
            storage::make(&fresh, gibibytes)?;
            fs::rename(&fresh, &image).map_err(file("name", &image))?;
        }
        Ok(storage::mount_image(&image, &at)?)
    }

    /// Gives back what was mounted for a task. Blocks. Safe to repeat.
    pub(crate) fn release(&self, task: &TaskId) -> Result<(), VolumeError> {
        let memory = self.memory.join(task.as_str());
        for at in storage::mounted_below(&memory)? {
            storage::unmount(&at)?;
        }
        remove_empty(&memory)?;
        Ok(storage::unmount(&self.storage.join(task.as_str()))?)
    }

    /// Returns the directory of a task's own disk where a container's writable layer is.
    pub(crate) fn writable(
        &self,
        assignment: &Assignment,
        container: &str,
    ) -> Result<Option<Utf8PathBuf>, VolumeError> {
        let Some(disk) = self.storage_of(assignment) else { return Ok(None) };
        let dir = disk.join("containers").join(container);
        make_dir(&dir, 0o711)?;
        Ok(Some(dir))
    }

    /// Returns what a container mounts.
    pub(crate) fn mounts(
        &self,
        record: &Record,
        place: usize,
        given: &Provisions,
    ) -> Result<Vec<BindMount>, VolumeError> {
        let assignment = &record.assignment;
        let containers: Vec<_> = assignment.containers.iter().map(|(definition, _)| definition).collect();
        let seen = mounts::of(&containers, place).into_iter().map(|seen| {
            let volume = assignment.volumes.iter().position(|volume| volume.name == seen.volume);
            let volume = volume.ok_or_else(|| VolumeError::Unknown(seen.volume.clone()))?;
            let found = self.found(assignment, volume, given)?;
            Ok(BindMount {
                source: found.source,
                inside: found.inside,
                destination: seen.path,
                read_only: seen.read_only || found.read_only,
                fill: found.fill,
                owner: found.owner,
            })
        });
        seen.collect()
    }

    /// Finds a volume, made if it is not there.
    fn found(&self, assignment: &Assignment, place: usize, given: &Provisions) -> Result<Found, VolumeError> {
        let Volume { name, source, .. } = &assignment.volumes[place];
        match source {
            VolumeSource::Host { source_path: Some(path) } => {
                let path = Utf8PathBuf::from(path);
                // As Docker does it; a file is fine too.
                if !path.exists() {
                    make_dir(&path, 0o755)?;
                }
                Ok(Found::at(path))
            }
            VolumeSource::Host { source_path: None } => self.of_task(assignment, place),
            VolumeSource::Docker(docker) => match docker.scope {
                None | Some(DockerVolumeScope::Task) => self.of_docker(assignment, place, name, docker),
                Some(DockerVolumeScope::Shared) => self.shared(name, docker),
            },
            VolumeSource::Efs(_) => {
                let tree = given.trees.iter().find(|tree| tree.volume == *name);
                let tree = tree.ok_or_else(|| VolumeError::Unknown(name.clone()))?;
                let owner = tree.posix_user.as_ref().map(|user| (user.uid, user.gid));
                let inside = Some(tree.directory.clone());
                Ok(Found { owner, inside, ..Found::at(trees::root(&self.trees, tree)?) })
            }
        }
    }

    /// A directory that lives as long as its task.
    fn of_task(&self, assignment: &Assignment, place: usize) -> Result<Found, VolumeError> {
        let task = self.tasks.join(assignment.task.as_str());
        let dir = self.storage_of(assignment).unwrap_or(task).join("volumes").join(place.to_string());
        make_dir(&dir, 0o755)?;
        Ok(Found { fill: true, ..Found::at(dir) })
    }

    fn of_docker(
        &self,
        assignment: &Assignment,
        place: usize,
        name: &str,
        docker: &DockerVolume,
    ) -> Result<Found, VolumeError> {
        let memory = self.memory.join(assignment.task.as_str()).join(place.to_string());
        match driven(name, docker, memory)? {
            Some(found) => Ok(found),
            None => self.of_task(assignment, place),
        }
    }

    /// A volume that is kept by its name.
    fn shared(&self, name: &str, docker: &DockerVolume) -> Result<Found, VolumeError> {
        let data = named::open(&self.named, name, docker)?;
        let kept = named::read(&self.named, name)?;
        let memory = self.memory.join("shared").join(name);
        let made_with = DockerVolume { driver_options: kept.driver_options, ..docker.clone() };
        match driven(name, &made_with, memory)? {
            Some(found) => Ok(found),
            None => Ok(Found { fill: true, ..Found::at(data) }),
        }
    }
}

/// Returns a volume whose driver is told to mount something else than a directory of its own.
fn driven(name: &str, docker: &DockerVolume, memory: Utf8PathBuf) -> Result<Option<Found>, VolumeError> {
    let option = |key: &str| docker.driver_options.get(key).map(String::as_str).unwrap_or_default();
    let options = MountOptions::parse(option("o"))
        .map_err(|source| VolumeError::Option { volume: name.to_owned(), source })?;
    if option("type") == "tmpfs" {
        storage::mount_tmpfs(&memory, &options)?;
        return Ok(Some(Found { fill: true, ..Found::at(memory) }));
    }
    if !options.bind {
        return Ok(None);
    }
    let path = Utf8PathBuf::from(option("device"));
    if !path.exists() {
        return Err(file("mount", &path)(ErrorKind::NotFound.into()));
    }
    Ok(Some(Found { read_only: options.read_only, ..Found::at(path) }))
}

fn make_dir(dir: &Utf8Path, mode: u32) -> Result<(), VolumeError> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(mode).create(dir).map_err(file("create", dir))?;
    // Whatever the process's mask is.
    fs::set_permissions(dir, fs::Permissions::from_mode(mode)).map_err(file("open up", dir))
}

fn remove_empty(dir: &Utf8Path) -> Result<(), VolumeError> {
    match fs::remove_dir(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(file("remove", dir)(error)),
        _ => Ok(()),
    }
}

/// Gives back what is mounted for no task.
pub(crate) fn sweep(config: &AgentConfig, records: &[Record]) {
    let places = Places::new(config);
    let owned: HashSet<&str> = records.iter().map(|record| record.assignment.task.as_str()).collect();
    for dir in [&places.storage, &places.memory] {
        let Ok(entries) = dir.read_dir_utf8() else { continue }; // Nothing was ever mounted.
        let names = entries.flatten().map(|entry| entry.file_name().to_owned());
        for name in names.filter(|name| !owned.contains(name.as_str())) {
            let Ok(task) = name.parse::<TaskId>() else { continue };
            tracing::info!(%task, "volumes of no task unmounted");
            if let Err(error) = places.release(&task) {
                tracing::error!(%task, error = chain(&error), "volumes of no task remain");
            }
        }
    }
}

/// Unmounts everything that was mounted for tasks, named volumes in memory too.
pub(crate) fn purge(config: &AgentConfig) -> Result<(), StorageError> {
    let places = Places::new(config);
    for dir in [&places.storage, &places.memory] {
        for at in storage::mounted_below(dir)? {
            storage::unmount(&at)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! What a task is given beyond its assignment: looked up by control when the task is assigned, sent just before it, and
//! held by the node in memory only, because there are secrets in it.

use crate::agent::Assignment;
use serde::{Deserialize, Serialize};
use wharf_model::{
    file_system::{Creation, PosixUser},
    secret::Plain,
    task_definition::{ContainerDefinition, LogDriver, VolumeSource},
};

/// What a task is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisions {
    /// To each container, in the assignment's order.
    pub containers: Vec<ContainerProvisions>,
    /// The file systems behind its volumes.
    pub trees: Vec<FileTree>,
}

/// What a container is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerProvisions {
    /// The variables in its environment files, each once.
    pub variables: Vec<(String, Plain)>,
    /// The secrets that become variables.
    pub secrets: Vec<(String, Plain)>,
    /// The log options that are secrets.
    pub log_options: Vec<(String, Plain)>,
    /// How the registry of its image is asked.
    pub login: Option<Login>,
}

/// A user and password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Plain,
}

/// The directory tree behind a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTree {
    /// The volume's name.
    pub volume: String,
    /// The file system's id.
    pub file_system: String,
    /// The directory in it, which is the volume's root.
    pub directory: String,
    /// How that directory is made when it is not there; it must be there when absent.
    pub creation: Option<Creation>,
    /// Who everybody is that enters.
    pub posix_user: Option<PosixUser>,
}

/// Returns whether a task is given anything.
pub fn are_needed(assignment: &Assignment) -> bool {
    let efs = |source: &VolumeSource| matches!(source, VolumeSource::Efs(_));
    assignment.volumes.iter().any(|volume| efs(&volume.source))
        || assignment.containers.iter().any(|(container, _)| are_needed_by(container))
}

/// Returns whether a task waits for what control says about it before it starts: also the task that is given nothing, when
/// control has to look whether it can start.
pub fn are_awaited(assignment: &Assignment) -> bool {
    are_needed(assignment) || assignment.containers.iter().any(|(container, _)| needs_its_group(container))
}

/// Returns whether a container writes to a log group that somebody else has made.
fn needs_its_group(container: &ContainerDefinition) -> bool {
    container.log_configuration.as_ref().is_some_and(|log| {
        log.driver == LogDriver::Awslogs
            && log.options.get("awslogs-create-group").is_none_or(|create| create != "true")
    })
}

fn are_needed_by(container: &ContainerDefinition) -> bool {
    let log = container.log_configuration.as_ref();
    !container.secrets.is_empty()
        || !container.environment_files.is_empty()
        || container.repository_credentials.is_some()
        || log.is_some_and(|log| !log.secret_options.is_empty())
}

//! What a task's log router is given: its configuration, the directory of its socket, its neighbours' secret options.

use crate::{given::Given, record::Record};
use camino::{Utf8Path, Utf8PathBuf};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
};
use wharf_model::{
    secret::Plain,
    task_definition::{FirelensConfiguration, NetworkMode},
};
use wharf_plan::firelens::{self, Facts};
use wharf_sandbox::spec::{BindMount, ContainerSpec};

/// Returns the directory that a task's log router makes its socket in.
pub(crate) fn socket_dir(task_dir: &Utf8Path) -> Utf8PathBuf {
    task_dir.join("firelens/socket")
}

/// Returns what a container whose output goes to the router is told of it, for what it sends by itself.
pub(crate) fn environment(record: &Record, place: usize) -> Vec<(&'static str, String)> {
    if firelens::routed(record.definition(place)).is_none() || !has_own_loopback(record) {
        return Vec::new();
    }
    vec![("FLUENT_HOST", "127.0.0.1".to_owned()), ("FLUENT_PORT", firelens::PORT.to_string())]
}

/// In the host's network a router's port would be one of the host's.
fn has_own_loopback(record: &Record) -> bool {
    record.assignment.network_mode != NetworkMode::Host
}

/// Adds to a router's specification what makes it one.
pub(crate) async fn add(
    given: &Given,
    record: &Record,
    place: usize,
    task_dir: &Utf8Path,
    mut spec: ContainerSpec,
) -> Result<ContainerSpec, String> {
    let Some(router) = &record.definition(place).firelens_configuration else { return Ok(spec) };
    let gift = given.of(&record.assignment).await;
    let gift = gift.as_ref().as_ref().map_err(Clone::clone)?;
    for ((definition, _), provisions) in record.assignment.containers.iter().zip(&gift.containers) {
        if firelens::routed(definition).is_some() {
            let variable = |(option, value): &(String, Plain)| {
                (firelens::secret_variable(option, &definition.name), value.clone())
            };
            spec.secret_env.extend(provisions.log_options.iter().map(variable));
        }
    }
    let mounts = prepare(record, router, task_dir)
        .map_err(|error| format!("CannotCreateContainerError: prepare the log router's files: {error}"))?;
    spec.mounts.extend(mounts);
    Ok(spec)
}

/// Writes the configuration and makes the directory; again is the same.
fn prepare(
    record: &Record,
    router: &FirelensConfiguration,
    task_dir: &Utf8Path,
) -> io::Result<[BindMount; 2]> {
    let sockets = socket_dir(task_dir);
    if !sockets.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&sockets)?;
        // The router may be any user; nobody else reaches a directory below the task's.
        fs::set_permissions(&sockets, fs::Permissions::from_mode(0o777))?;
    }
    let assignment = &record.assignment;
    let facts = Facts {
        cluster: assignment.cluster.as_str(),
        task_arn: &assignment.arn.to_string(),
        definition: &assignment.definition.to_string(),
        own_loopback: has_own_loopback(record),
    };
    let path = task_dir.join("firelens/router.conf");
    fs::write(&path, firelens::configuration(router, facts, &record.definitions()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
    let mount = |source, destination: &str, read_only| BindMount {
        source,
        inside: None,
        destination: destination.to_owned(),
        read_only,
        fill: false,
        owner: None,
    };
    Ok([
        mount(sockets, firelens::SOCKET_DIR, false),
        mount(path, firelens::configuration_path(router.kind), true),
    ])
}

//! The rules of volumes and of where containers see them, each once.

use super::NewDefinition;
use crate::operations::Error;
use std::collections::BTreeSet;
use wharf_model::task_definition::{
    ContainerDefinition, DockerVolume, DockerVolumeScope, EfsVolume, LaunchType, Volume, VolumeSource,
};
use wharf_plan::mounts;

#[cfg(test)]
mod tests;

/// What Docker's local driver takes.
const DRIVER_OPTIONS: [&str; 3] = ["type", "device", "o"];

/// Checks every rule.
pub(super) fn check(new: &NewDefinition) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    for volume in &new.volumes {
        let Volume { name, source, configured_at_launch } = volume;
        if name.is_empty() || name.len() > 255 || !name.bytes().all(is_plain) {
            return Err(Error::client(format!(
                "Invalid volume name '{name}': up to 255 letters, numbers, hyphens and underscores are allowed."
            )));
        }
        if !names.insert(name.as_str()) {
            return Err(Error::client(format!("Volume name '{name}' is used more than once.")));
        }
        if *configured_at_launch == Some(true) {
            return Err(unsupported(name, "configuredAtLaunch"));
        }
        match source {
            VolumeSource::Host { source_path: Some(path) } => check_host(name, path)?,
            VolumeSource::Host { source_path: None } => {}
            VolumeSource::Docker(docker) => check_docker(name, docker)?,
            VolumeSource::Efs(efs) => check_efs(name, efs)?,
        }
    }
    let containers: Vec<&ContainerDefinition> = new.containers.iter().collect();
    for container in &new.containers {
        check_container(container, &names, &containers)?;
    }
    if let Some(name) = mounts::circle(&containers) {
        return Err(Error::client(format!(
            "Container '{name}' has its own volumes by way of 'volumesFrom'."
        )));
    }
    match new.volumes.iter().find(|volume| is_of_instances(volume)) {
        Some(volume) if new.requires_compatibilities.contains(&LaunchType::Fargate) => {
            Err(Error::client(format!(
                "Invalid setting for volume '{}'. Fargate does not support 'host.sourcePath' and \
                 'dockerVolumeConfiguration'.",
                volume.name
            )))
        }
        _ => Ok(()),
    }
}

/// Returns whether a volume is one that only container instances have.
pub(super) fn is_of_instances(volume: &Volume) -> bool {
    match &volume.source {
        VolumeSource::Host { source_path } => source_path.is_some(),
        VolumeSource::Docker(_) => true,
        VolumeSource::Efs(_) => false,
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn unsupported(volume: &str, member: &str) -> Error {
    Error::client(format!("not supported by this version of Wharf: '{member}' of volume '{volume}'"))
}

fn check_host(name: &str, path: &str) -> Result<(), Error> {
    if path.starts_with('/') && !path.split('/').any(|part| part == "..") {
        return Ok(());
    }
    Err(Error::client(format!(
        "Invalid 'host.sourcePath' of volume '{name}': '{path}' is not an absolute path without '..'."
    )))
}

fn check_docker(name: &str, docker: &DockerVolume) -> Result<(), Error> {
    let DockerVolume { scope, autoprovision, driver, driver_options, labels: _ } = docker;
    if autoprovision.is_some() && *scope != Some(DockerVolumeScope::Shared) {
        return Err(Error::client(format!(
            "Invalid setting for volume '{name}'. 'autoprovision' is only valid with scope 'shared'."
        )));
    }
    if let Some(driver) = driver.as_deref().filter(|driver| !matches!(*driver, "" | "local")) {
        return Err(unsupported(name, &format!("driver {driver}")));
    }
    if let Some(option) = driver_options.keys().find(|option| !DRIVER_OPTIONS.contains(&option.as_str())) {
        return Err(unsupported(name, &format!("driverOpts.{option}")));
    }
    let option = |key: &str| driver_options.get(key).map(String::as_str).unwrap_or_default();
    let binds = option("o").split(',').any(|word| matches!(word, "bind" | "rbind"));
    match option("type") {
        "tmpfs" => check_tmpfs(name, option("o")),
        "" | "none" if binds => check_host(name, option("device")),
        "" if driver_options.is_empty() => Ok(()),
        other => Err(unsupported(name, &format!("driverOpts.type {other} with o={}", option("o")))),
    }
}

fn check_tmpfs(name: &str, options: &str) -> Result<(), Error> {
    const WORDS: [&str; 13] = [
        "rw", "ro", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "atime", "noatime", "relatime",
        "defaults", "",
    ];
    const VALUES: [&str; 6] = ["size", "nr_inodes", "nr_blocks", "mode", "uid", "gid"];
    let known = |option: &&str| match option.split_once('=') {
        Some((name, value)) => VALUES.contains(&name) && !value.is_empty(),
        None => WORDS.contains(option),
    };
    match options.split(',').find(|option| !known(option)) {
        Some(option) => Err(unsupported(name, &format!("driverOpts.o {option}"))),
        None => Ok(()),
    }
}

/// Whether it is encrypted on its way, and who is asked about it, makes no difference to a directory of the same machine:
/// these are what the caller asks for without anything being done.
fn check_efs(name: &str, efs: &EfsVolume) -> Result<(), Error> {
    let invalid = |text: String| Error::client(format!("Invalid setting for volume '{name}'. {text}"));
    let id = |given: &str, prefix: &str| {
        given.strip_prefix(prefix).is_some_and(|rest| {
            (8..=40).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    if !id(&efs.file_system_id, "fs-") {
        return Err(invalid(format!("'{}' is not the id of a file system.", efs.file_system_id)));
    }
    let root = efs.root_directory.as_deref().unwrap_or("/");
    if !root.starts_with('/') || root.split('/').any(|part| part == "..") {
        return Err(invalid(format!("'rootDirectory' must be an absolute path without '..', not '{root}'.")));
    }
    let encrypted = efs.transit_encryption == Some(true);
    if !encrypted && efs.transit_encryption_port.is_some() {
        return Err(invalid("'transitEncryptionPort' needs 'transitEncryption' to be ENABLED.".to_owned()));
    }
    let Some(authorization) = &efs.authorization else { return Ok(()) };
    if let Some(point) = &authorization.access_point_id {
        if !id(point, "fsap-") {
            return Err(invalid(format!("'{point}' is not the id of an access point.")));
        }
        if root != "/" {
            return Err(invalid("With an access point 'rootDirectory' must be omitted or '/'.".to_owned()));
        }
    }
    if !encrypted && (authorization.access_point_id.is_some() || authorization.iam == Some(true)) {
        return Err(invalid(
            "'transitEncryption' must be ENABLED with an access point or IAM authorization.".to_owned(),
        ));
    }
    Ok(())
}

fn check_container(
    container: &ContainerDefinition,
    volumes: &BTreeSet<&str>,
    containers: &[&ContainerDefinition],
) -> Result<(), Error> {
    let name = &container.name;
    for (place, mount) in container.mount_points.iter().enumerate() {
        if !volumes.contains(mount.source_volume.as_str()) {
            return Err(Error::client(format!("Unknown volume '{}'.", mount.source_volume)));
        }
        let path = &mount.container_path;
        let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if !path.starts_with('/') || parts.contains(&"..") || matches!(parts.first(), None | Some(&"proc")) {
            return Err(Error::client(format!(
                "Invalid mount point '{path}' in container '{name}': it must be an absolute path other than '/', without \
                 '..', and not below '/proc'."
            )));
        }
        if container.mount_points[..place].iter().any(|other| mounts::same(&other.container_path, path)) {
            return Err(Error::client(format!("Duplicate mount point '{path}' in container '{name}'.")));
        }
    }
    for from in &container.volumes_from {
        let source = &from.source_container;
        if !containers.iter().any(|other| other.name == *source) {
            return Err(Error::client(format!(
                "Unknown container '{source}' in 'volumesFrom' of container '{name}'."
            )));
        }
    }
    Ok(())
}

//! The rules of what containers are told that the definition does not say itself: secrets, environment files, logins; and
//! of the task's disk.

use super::NewDefinition;
use crate::operations::Error;
use wharf_model::{
    Arn,
    task_definition::{ContainerDefinition, EnvironmentFile},
};

#[cfg(test)]
mod tests;

/// The sizes of a task's disk, in gibibytes.
const DISK_GIB: std::ops::RangeInclusive<u32> = 21..=200;
/// The most environment files of a container.
const FILES_MAX: usize = 10;

/// Checks every rule.
pub(super) fn check(new: &NewDefinition) -> Result<(), Error> {
    disk(new.ephemeral_storage_gib)?;
    for container in &new.containers {
        check_secrets(container, new.execution_role_arn.as_deref())?;
        environment_files(&container.environment_files, &container.name)?;
        if container.repository_credentials.as_deref().is_some_and(str::is_empty) {
            return Err(Error::client(format!(
                "Invalid 'credentialsParameter' of container '{}': it should not be null or empty.",
                container.name
            )));
        }
    }
    Ok(())
}

/// Checks the size of a task's disk.
pub fn disk(gibibytes: Option<u32>) -> Result<(), Error> {
    match gibibytes {
        Some(given) if !DISK_GIB.contains(&given) => Err(Error::client(format!(
            "Invalid 'ephemeralStorage' setting: {given} GiB. The size must be between {} and {} GiB.",
            DISK_GIB.start(),
            DISK_GIB.end()
        ))),
        _ => Ok(()),
    }
}

/// Checks files of environment variables.
pub fn environment_files(files: &[EnvironmentFile], container: &str) -> Result<(), Error> {
    if files.len() > FILES_MAX {
        return Err(Error::client(format!(
            "Container '{container}' has more than {FILES_MAX} 'environmentFiles'."
        )));
    }
    for EnvironmentFile { value } in files {
        let arn = value.parse::<Arn>().ok().filter(|arn| arn.service == "s3" && arn.resource.contains('/'));
        let plain = |arn: &Arn| arn.resource.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !arn.as_ref().is_some_and(plain) {
            return Err(Error::client(format!(
                "Invalid 'environmentFiles' value '{value}' of container '{container}': it must be the ARN of an object, \
                 arn:aws:s3:::bucket/key."
            )));
        }
        if !value.ends_with(".env") {
            return Err(Error::client(format!(
                "Invalid 'environmentFiles' value '{value}' of container '{container}': the file must have the extension \
                 '.env'."
            )));
        }
    }
    Ok(())
}

/// Checks that no variable of an override is a secret of its container.
pub fn overridden(container: &ContainerDefinition, environment: &[(String, String)]) -> Result<(), Error> {
    let shared =
        container.secrets.iter().find(|secret| environment.iter().any(|(name, _)| *name == secret.name));
    shared.map_or(Ok(()), |secret| Err(not_unique(&secret.name)))
}

fn check_secrets(container: &ContainerDefinition, execution_role: Option<&str>) -> Result<(), Error> {
    let log = container.log_configuration.as_ref();
    let options = log.map(|log| log.secret_options.as_slice()).unwrap_or_default();
    if container.secrets.is_empty() && options.is_empty() {
        return Ok(());
    }
    if execution_role.is_none() {
        return Err(Error::client(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ));
    }
    for (place, secret) in container.secrets.iter().enumerate() {
        let again = container.secrets[..place].iter().any(|other| other.name == secret.name);
        if again || container.environment.iter().any(|(name, _)| *name == secret.name) {
            return Err(not_unique(&secret.name));
        }
    }
    for secret in container.secrets.iter().chain(options) {
        if secret.name.is_empty() || secret.name.contains(['=', '\0']) || secret.value_from.is_empty() {
            return Err(Error::client(format!(
                "Invalid secret '{}' of container '{}': 'name' and 'valueFrom' should not be null or empty.",
                secret.name, container.name
            )));
        }
    }
    Ok(())
}

fn not_unique(name: &str) -> Error {
    Error::client(format!(
        "The secret name must be unique and not shared with any new or existing environment variables set on the container, \
         such as '{name}'."
    ))
}

//! What a task is given beyond its assignment: secrets, parameters, environment files, logins, file systems.
//!
//! Looked up when the task is assigned, so that a value that was changed a moment ago is the one it gets. What cannot be
//! had is told to the node too, which stops the task for it.

use crate::{
    Control,
    operations::{
        log_groups,
        parameters::{self, Reference},
        secrets::{self, Wanted},
    },
};
use serde::Deserialize;
use wharf_model::{
    Arn,
    secret::Plain,
    task_definition::{ContainerDefinition, LogConfiguration, Secret},
};
use wharf_nodelink::{
    agent::{Assignment, ToAgent},
    provisions::{ContainerProvisions, Login, Provisions, are_awaited},
};
use wharf_plan::logging::{self, Logging};

mod environment_files;
mod file_trees;
mod reference;

use reference::SecretReference;

/// How AWS begins to say that a secret cannot be had.
const NO_SECRET: &str = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource \
                         retrieval failed: ";

/// Puts before assignments what their tasks are given.
pub(super) async fn add(control: &Control, frames: Vec<ToAgent>) -> Vec<ToAgent> {
    let mut all = Vec::with_capacity(frames.len());
    for frame in frames {
        let needing: Vec<&Assignment> = match &frame {
            ToAgent::Assign(assignment) => vec![&**assignment],
            ToAgent::Everything(assignments) => assignments.iter().collect(),
            ToAgent::Settings(_)
            | ToAgent::Provide { .. }
            | ToAgent::Exec(_)
            | ToAgent::Forget(_)
            | ToAgent::LogsStored { .. }
            | ToAgent::Answer { .. }
            | ToAgent::PinnedImages(_) => Vec::new(),
        };
        for assignment in needing.into_iter().filter(|assignment| are_awaited(assignment)) {
            let provisions = Box::new(provisions(control, assignment).await);
            all.push(ToAgent::Provide { task: assignment.task.clone(), provisions });
        }
        all.push(frame);
    }
    all
}

async fn provisions(control: &Control, assignment: &Assignment) -> Result<Provisions, String> {
    let mut containers = Vec::new();
    for (definition, _) in &assignment.containers {
        let variables = environment_files::read(control, &definition.environment_files).await?;
        containers.push(ContainerProvisions { variables, ..looked_up(control, definition)? });
    }
    Ok(Provisions { containers, trees: file_trees::of(control, assignment)? })
}

fn looked_up(control: &Control, definition: &ContainerDefinition) -> Result<ContainerProvisions, String> {
    let values = |secrets: &[Secret]| -> Result<Vec<(String, Plain)>, String> {
        let value = |secret: &Secret| Ok((secret.name.clone(), value(control, &secret.value_from)?));
        secrets.iter().map(value).collect()
    };
    let log = definition.log_configuration.as_ref();
    let log_options = log.map_or(Ok(Vec::new()), |log| values(&log.secret_options))?;
    if let Some(log) = log {
        find_group(control, log, &log_options)?;
    }
    let credentials = definition.repository_credentials.as_deref();
    Ok(ContainerProvisions {
        variables: Vec::new(),
        secrets: values(&definition.secrets)?,
        log_options,
        login: credentials.map(|secret| login(control, secret)).transpose()?,
    })
}

/// Refuses a container whose lines would have no log group to go to, as AWS does.
///
/// A group that `awslogs-create-group` asks for is made with the first lines.
fn find_group(
    control: &Control,
    log: &LogConfiguration,
    secret_options: &[(String, Plain)],
) -> Result<(), String> {
    let mut whole = log.clone();
    let known = secret_options.iter();
    whole.options.extend(known.map(|(name, value)| (name.clone(), value.reveal().to_owned())));
    match logging::read(&whole) {
        Ok(Logging::Group(group)) if !group.create && log_groups::find(control, &group.name).is_err() => {
            Err(format!(
                "ResourceInitializationError: failed to validate logger args: failed to create Cloudwatch log stream: \
                 ResourceNotFoundException: The specified log group does not exist. ({})",
                group.name
            ))
        }
        _ => Ok(()),
    }
}

/// Returns what a `valueFrom` stands for.
fn value(control: &Control, given: &str) -> Result<Plain, String> {
    match given.parse::<Arn>() {
        Ok(arn) if arn.service == "secretsmanager" => secret(control, &SecretReference::new(&arn)),
        _ => parameter(control, given),
    }
}

fn secret(control: &Control, reference: &SecretReference) -> Result<Plain, String> {
    let failed = |why: String| {
        format!(
            "{NO_SECRET}unable to retrieve secret from asm: failed to fetch secret {} from secrets manager: {why}",
            reference.secret
        )
    };
    let wanted = Wanted { version: reference.version.clone(), stage: reference.stage.clone() };
    let (_, _, value) = secrets::get_value(control, &reference.secret, &wanted).map_err(|error| {
        failed(match &error {
            secrets::Error::NotFound | secrets::Error::ValueNotFound(_) => {
                format!("ResourceNotFoundException: {error}")
            }
            secrets::Error::InvalidRequest(_) => format!("InvalidRequestException: {error}"),
            secrets::Error::Exists(_)
            | secrets::Error::VersionExists { .. }
            | secrets::Error::InvalidParameter(_)
            | secrets::Error::Vault(_)
            | secrets::Error::Store(_) => error.to_string(),
        })
    })?;
    if value.binary {
        return Err(failed("its value is binary".to_owned()));
    }
    match &reference.key {
        None => Ok(value.plain),
        Some(key) => reference::member(value.plain.reveal(), key).map(Plain::new).map_err(failed),
    }
}

fn parameter(control: &Control, given: &str) -> Result<Plain, String> {
    let failed = |why: String| format!("{NO_SECRET}unable to retrieve secrets from ssm: {why}");
    let found = parameters::get(control, &Reference::new(given), true).map_err(|error| {
        failed(match &error {
            parameters::Error::NotFound(_) | parameters::Error::VersionNotFound { .. } => {
                format!("invalid parameters: {given}")
            }
            parameters::Error::Exists
            | parameters::Error::PatternMismatch(_)
            | parameters::Error::InvalidPattern(_)
            | parameters::Error::TooDeep
            | parameters::Error::Validation(_)
            | parameters::Error::Vault(_)
            | parameters::Error::Store(_) => error.to_string(),
        })
    })?;
    Ok(found.value)
}

/// What a secret with the login of a registry holds.
#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: Plain,
}

fn login(control: &Control, given: &str) -> Result<Login, String> {
    let value = match given.parse::<Arn>() {
        Ok(arn) => secret(control, &SecretReference::new(&arn))?,
        Err(_) => secret(control, &SecretReference::whole(given))?,
    };
    // What is wrong with it could show a part of it.
    let credentials: Credentials = serde_json::from_str(value.reveal()).map_err(|_| {
        format!("{NO_SECRET}the secret {given} does not hold a JSON object with 'username' and 'password'")
    })?;
    Ok(Login { user: credentials.username, password: credentials.password })
}

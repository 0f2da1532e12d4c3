//! What a task is given while it starts: volumes, secrets, logins. And what of it is given back.

use crate::{error::chain, node::Node, record::Record, spec};
use std::sync::Arc;
use wharf_image::Login;
use wharf_model::{secret::Plain, task_definition::ContainerDefinition};
use wharf_nodelink::provisions::{ContainerProvisions, Provisions, are_needed};
use wharf_sandbox::spec::ContainerSpec;

/// Variables that no file replaces.
const OWN: [&str; 3] = ["ECS_CONTAINER_METADATA_URI_V4", "ECS_CONTAINER_METADATA_URI", "ECS_AGENT_URI"];

/// Makes what the task's volumes need, once control has said what the task is given.
pub(super) async fn prepare(node: Arc<Node>, record: Arc<Record>) -> Result<(), String> {
    let assignment = &record.assignment;
    let definitions: Vec<_> = assignment.containers.iter().map(|(definition, _)| definition).collect();
    if let Some(why) = spec::refusal(&definitions, &node.hierarchy) {
        return Err(why);
    }
    let provisions = provisions(&node, &record).await?;
    if assignment.volumes.is_empty() && assignment.ephemeral_storage_gib.is_none() {
        return Ok(());
    }
    let work = tokio::task::spawn_blocking(move || node.volumes.prepare(&record.assignment, &provisions));
    super::joined(work.await).map_err(|error| format!("ResourceInitializationError: {}", chain(&error)))
}

async fn provisions(node: &Node, record: &Record) -> Result<Provisions, String> {
    (*node.given.of(&record.assignment).await).clone()
}

/// Returns how the registry of a container's image is asked.
pub(super) async fn login(node: &Node, record: &Record, place: usize) -> Result<Option<Login>, String> {
    if record.definition(place).repository_credentials.is_none() {
        return Ok(None);
    }
    let provisions = provisions(node, record).await?;
    let login = provisions.containers.into_iter().nth(place).and_then(|container| container.login);
    Ok(login.map(|login| Login { user: login.user, password: login.password.reveal().to_owned() }))
}

/// Adds to a container's specification what it is given.
pub(super) async fn add(
    node: &Arc<Node>,
    record: &Arc<Record>,
    place: usize,
    spec: ContainerSpec,
) -> Result<ContainerSpec, String> {
    let assignment = &record.assignment;
    let has_volumes = !assignment.volumes.is_empty() || assignment.ephemeral_storage_gib.is_some();
    if !has_volumes && !are_needed(assignment) {
        return Ok(spec);
    }
    // A container that is given nothing is started again also while control is away.
    let given = if are_needed(assignment) { provisions(node, record).await? } else { Provisions::default() };
    let (node, record) = (node.clone(), record.clone());
    let work = tokio::task::spawn_blocking(move || {
        let failed = |error| format!("CannotCreateContainerError: {}", chain(&error));
        let mounts = node.volumes.mounts(&record, place, &given).map_err(failed)?;
        let id = &record.notes[place].id;
        let storage = node.volumes.writable(&record.assignment, id).map_err(failed)?;
        let container = given.containers.get(place).cloned().unwrap_or_default();
        Ok(ContainerSpec {
            mounts,
            storage,
            secret_env: variables(container, record.definition(place)),
            ..spec
        })
    });
    super::joined(work.await)
}

/// Returns the variables that are not written down: those of files, where the definition says nothing else, and secrets.
fn variables(given: ContainerProvisions, definition: &ContainerDefinition) -> Vec<(String, Plain)> {
    let ContainerProvisions { variables, secrets, .. } = given;
    let mut all = secrets;
    for (name, value) in variables {
        let said = definition.environment.iter().any(|(known, _)| *known == name);
        if !said && !OWN.contains(&name.as_str()) && !all.iter().any(|(known, _)| *known == name) {
            all.push((name, value));
        }
    }
    all
}

/// Gives back what was mounted for the task.
pub(super) async fn release(node: &Arc<Node>, record: &Arc<Record>) {
    let assignment = &record.assignment;
    if assignment.volumes.is_empty() && assignment.ephemeral_storage_gib.is_none() {
        return;
    }
    let (owner, task) = (node.clone(), assignment.task.clone());
    let work = tokio::task::spawn_blocking(move || owner.volumes.release(&task));
    if let Err(error) = super::joined(work.await) {
        tracing::error!(task = %assignment.task, error = chain(&error), "task's volumes remain mounted until the next start");
    }
}

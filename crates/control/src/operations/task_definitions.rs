//! Task definitions.

mod firelens;
mod honoured;
mod lifecycle;
mod provided;
mod validate;
mod volumes;

use super::{Described, Error, Failure, references};
use crate::{Control, look::Look};
use std::{collections::BTreeMap, sync::Arc};
use wharf_model::{
    CpuUnits, Family, Mebibytes,
    placement::Constraint,
    tag::Tag,
    task_definition::{
        ContainerDefinition, IpcMode, LaunchType, NetworkMode, PidMode, Revision, RuntimePlatform,
        TaskDefinition, TaskDefinitionStatus, Transport, Volume,
    },
};
use wharf_store::Counter;

pub use provided::{disk, environment_files, overridden};
pub(crate) use validate::MEMORY_MIN;
pub use validate::compatibilities;

/// What a revision is registered from.
#[derive(Debug, Clone)]
pub struct NewDefinition {
    /// The family.
    pub family: Family,
    /// How its tasks are connected.
    pub network_mode: NetworkMode,
    /// Whose processes its containers see.
    pub pid_mode: Option<PidMode>,
    /// Whose shared memory its containers see.
    pub ipc_mode: Option<IpcMode>,
    /// The task's CPU limit.
    pub cpu: Option<CpuUnits>,
    /// The task's memory limit.
    pub memory: Option<Mebibytes>,
    /// The disk that its containers share, in gibibytes.
    pub ephemeral_storage_gib: Option<u32>,
    /// The containers.
    pub containers: Vec<ContainerDefinition>,
    /// What its containers may mount.
    pub volumes: Vec<Volume>,
    /// What the nodes of its tasks must be.
    pub placement_constraints: Vec<Constraint>,
    /// The launch types to validate for.
    pub requires_compatibilities: Vec<LaunchType>,
    /// The platform.
    pub runtime_platform: Option<RuntimePlatform>,
    /// The application's role.
    pub task_role_arn: Option<String>,
    /// The role by which images are pulled.
    pub execution_role_arn: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Who registers it.
    pub registered_by: String,
}

impl NewDefinition {
    /// Returns a definition with interfaces of its own for its tasks, and nothing else but containers.
    pub fn new(family: Family, containers: Vec<ContainerDefinition>, registered_by: String) -> NewDefinition {
        NewDefinition {
            family,
            network_mode: NetworkMode::Awsvpc,
            pid_mode: None,
            ipc_mode: None,
            cpu: None,
            memory: None,
            ephemeral_storage_gib: None,
            containers,
            volumes: Vec::new(),
            placement_constraints: Vec::new(),
            requires_compatibilities: Vec::new(),
            runtime_platform: None,
            task_role_arn: None,
            execution_role_arn: None,
            tags: Vec::new(),
            registered_by,
        }
    }
}

/// Registers the next revision of a family.
pub async fn register(control: &Control, new: NewDefinition) -> Result<Arc<TaskDefinition>, Error> {
    validate::check(&new)?;
    honoured::check(&new)?;
    let place = control.config().place.clone();
    let now = control.now();
    let registered = control
        .store()
        .change(|draft| {
            // Kept apart from the definitions, so that a number is not used again when they are deleted.
            let name = format!("task-definition {}", new.family);
            let last = draft.get::<Counter>(&name).map_or(0, |counter| counter.last) + 1;
            draft.put(Counter { name, last });
            let revision = u32::try_from(last).unwrap_or(u32::MAX);
            let definition = TaskDefinition {
                arn: place.arn("ecs", format_args!("task-definition/{}:{revision}", new.family)),
                revision,
                status: TaskDefinitionStatus::Active,
                registered_at: now,
                deregistered_at: None,
                family: new.family,
                network_mode: new.network_mode,
                pid_mode: new.pid_mode,
                ipc_mode: new.ipc_mode,
                cpu: new.cpu,
                memory: new.memory,
                ephemeral_storage_gib: new.ephemeral_storage_gib,
                containers: new.containers,
                volumes: new.volumes,
                placement_constraints: new.placement_constraints,
                requires_compatibilities: new.requires_compatibilities,
                runtime_platform: new.runtime_platform,
                task_role_arn: new.task_role_arn,
                execution_role_arn: new.execution_role_arn,
                registered_by: new.registered_by,
                tags: new.tags,
            };
            draft.put(definition.clone());
            Arc::new(definition)
        })
        .await?;
    Ok(registered)
}

/// Returns the definition that is named; without a revision, the latest active one.
pub fn describe(control: &Control, given: &str) -> Result<Arc<TaskDefinition>, Error> {
    find(&control.store().view(), control, given)
        .ok_or_else(|| Error::client("Unable to describe task definition."))
}

/// Takes a revision out of use. Tasks that run go on.
pub async fn deregister(control: &Control, given: &str) -> Result<Arc<TaskDefinition>, Error> {
    let place = &control.config().place;
    let named = references::definition(given, place)
        .ok_or_else(|| Error::client(format!("Invalid revision number. Number: {given}")))?;
    let revision = named.exact().ok_or_else(|| Error::client("Revision is missing."))?;
    let now = control.now();
    let deregistered = control
        .store()
        .update(|draft| {
            let found = get(draft, &revision)
                .ok_or_else(|| Error::client("The specified task definition does not exist."))?;
            if found.status == TaskDefinitionStatus::Inactive {
                return Ok(found);
            }
            let inactive = TaskDefinition {
                status: TaskDefinitionStatus::Inactive,
                deregistered_at: Some(now),
                ..(*found).clone()
            };
            draft.put(inactive.clone());
            Ok(Arc::new(inactive))
        })
        .await?;
    Ok(deregistered)
}

/// Deletes revisions that are out of use.
pub async fn delete(control: &Control, given: &[String]) -> Result<Described<Arc<TaskDefinition>>, Error> {
    let place = control.config().place.clone();
    let deleted = control
        .store()
        .change(|draft| {
            given
                .iter()
                .map(|given| {
                    let failure = |detail: &str| Failure {
                        arn: given.clone(),
                        reason: format!("The specified task definition {detail}"),
                        detail: None,
                    };
                    let revision =
                        references::definition(given, &place).and_then(|named| named.exact()).ok_or_else(
                            || failure("identifier is invalid. Specify a valid name or ARN and try again."),
                        )?;
                    let found = get(draft, &revision).ok_or_else(|| {
                        failure("does not exist. Specify a valid account, family, revision and try again.")
                    })?;
                    if found.status == TaskDefinitionStatus::Active {
                        return Err(failure(
                            "is still in ACTIVE status. Please deregister the target and try again.",
                        ));
                    }
                    draft.delete::<TaskDefinition>(&key(&revision));
                    Ok(found)
                })
                .collect()
        })
        .await?;
    Ok(deleted)
}

/// Returns the revisions with this status, in the order of families and numbers.
pub fn list(
    control: &Control,
    family: Option<&str>,
    status: TaskDefinitionStatus,
) -> Vec<Arc<TaskDefinition>> {
    let mut found = control.store().view().list::<TaskDefinition>(family.unwrap_or(""));
    found.retain(|definition| {
        definition.status == status && family.is_none_or(|family| definition.family.as_str() == family)
    });
    found
}

/// Returns the families whose names start with `prefix`, and whether each has an active revision.
pub fn families(control: &Control, prefix: &str) -> BTreeMap<Family, bool> {
    let mut families = BTreeMap::new();
    for definition in control.store().view().list::<TaskDefinition>(prefix) {
        *families.entry(definition.family.clone()).or_insert(false) |=
            definition.status == TaskDefinitionStatus::Active;
    }
    families
}

/// Returns the definition that tasks are to be started from.
pub(crate) fn to_start(
    look: &impl Look,
    control: &Control,
    given: &str,
) -> Result<Arc<TaskDefinition>, Error> {
    let found = find(look, control, given).ok_or_else(|| Error::client("TaskDefinition not found."))?;
    if found.status == TaskDefinitionStatus::Inactive {
        return Err(Error::client("TaskDefinition is inactive"));
    }
    Ok(found)
}

/// Returns a revision.
pub(crate) fn get(look: &impl Look, revision: &Revision) -> Option<Arc<TaskDefinition>> {
    look.get(&key(revision))
}

/// Returns the CPU limit of a definition's tasks: its own, or the sum of its containers'.
pub(crate) fn task_cpu(definition: &TaskDefinition) -> CpuUnits {
    definition.cpu.unwrap_or_else(|| {
        CpuUnits(definition.containers.iter().map(|container| container.cpu.0).fold(0, u32::saturating_add))
    })
}

/// Returns the memory limit of a definition's tasks: its own, or the sum of its containers'.
pub(crate) fn task_memory(definition: &TaskDefinition) -> Mebibytes {
    let of = |container: &ContainerDefinition| container.memory.or(container.memory_reservation);
    definition.memory.unwrap_or_else(|| {
        Mebibytes(definition.containers.iter().filter_map(of).map(|size| size.0).fold(0, u32::saturating_add))
    })
}

/// Returns the ports that a definition's tasks take on their node: none with interfaces of their own.
pub(crate) fn host_ports(definition: &TaskDefinition) -> Vec<(u16, Transport)> {
    let ports = definition.containers.iter().flat_map(|container| &container.port_mappings);
    match definition.network_mode {
        NetworkMode::Awsvpc | NetworkMode::None => Vec::new(),
        NetworkMode::Bridge => ports.filter_map(|port| Some((port.host_port?, port.protocol))).collect(),
        NetworkMode::Host => {
            ports.flat_map(|mapping| mapping.container_ports().map(|port| (port, mapping.protocol))).collect()
        }
    }
}

fn find(look: &impl Look, control: &Control, given: &str) -> Option<Arc<TaskDefinition>> {
    let named = references::definition(given, &control.config().place)?;
    if let Some(revision) = named.exact() {
        return get(look, &revision);
    }
    look.list::<TaskDefinition>(&format!("{}:", named.family))
        .into_iter()
        .rfind(|definition| definition.status == TaskDefinitionStatus::Active)
}

fn key(revision: &Revision) -> String {
    format!("{}:{:010}", revision.family, revision.revision)
}

#[cfg(test)]
mod tests;

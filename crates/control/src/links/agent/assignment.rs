//! A task as its node needs it: overrides applied, names resolved.

use crate::{
    Config,
    look::Look,
    operations::{pinned_images, task_credentials, task_definitions, tasks::private_dns_name},
};
use wharf_model::{
    EniId,
    cluster::Cluster,
    network::{NetworkInterface, Subnet, Vpc},
    task::{DesiredStatus, Task, TaskOverride},
    task_definition::ContainerDefinition,
};
use wharf_nodelink::agent::{Assignment, InterfaceAssignment};

/// The generation of an assignment that says run, and of one that says stop: it changes no more often.
pub(super) const RUN: u64 = 1;
const STOP: u64 = 2;

/// Returns a task's assignment. While targets of it are left it is told to run, whatever it should be.
pub(super) fn assignment(
    look: &impl Look,
    config: &Config,
    task: &Task,
    has_targets: bool,
) -> Option<Assignment> {
    let definition = task_definitions::get(look, &task.definition)?;
    let interface = match &task.interface {
        Some(id) => Some(interface(look, config, id)?),
        None => None,
    };
    let cluster = look.get::<Cluster>(task.cluster.as_str())?;
    let stops = should_stop(task) && !has_targets;
    let containers = definition.containers.iter().zip(&task.containers);
    Some(Assignment {
        generation: if stops { STOP } else { RUN },
        task: task.id.clone(),
        arn: task.arn.clone(),
        cluster: task.cluster.clone(),
        cluster_arn: cluster.arn.clone(),
        definition: task.definition.clone(),
        launch_type: task.launch_type,
        service: task.service.as_ref().map(|(service, _)| service.clone()),
        group: task.group.clone(),
        zone: task.zone.to_string(),
        desired_status: if stops { DesiredStatus::Stopped } else { DesiredStatus::Running },
        stop: task.stop_code.zip(task.stopped_reason.clone()).filter(|_| stops),
        cpu: task.cpu,
        memory: task.memory,
        cpu_limit: task.overrides.cpu.or(definition.cpu),
        memory_limit: task.overrides.memory.or(definition.memory),
        pid_mode: definition.pid_mode,
        ipc_mode: definition.ipc_mode,
        containers: containers
            .map(|(definition, container)| (overridden(definition, &task.overrides), container.arn.clone()))
            .collect(),
        volumes: definition.volumes.clone(),
        ephemeral_storage_gib: task.overrides.ephemeral_storage_gib.or(definition.ephemeral_storage_gib),
        network_mode: definition.network_mode,
        interface,
        pinned_images: pinned_images::of(look, task),
        task_role_arn: task_credentials::role_of(look, task),
        tags: task.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
        created_at: task.created_at,
    })
}

fn interface(look: &impl Look, config: &Config, id: &EniId) -> Option<InterfaceAssignment> {
    let interface = look.get::<NetworkInterface>(id.as_str())?;
    let subnet = look.get::<Subnet>(interface.subnet.as_str())?;
    let vpc = look.get::<Vpc>(interface.vpc.as_str())?;
    Some(InterfaceAssignment {
        id: interface.id.clone(),
        private_ip: interface.private_ip,
        subnet_cidr: subnet.cidr,
        vpc_cidr: vpc.cidr,
        vpc_id: vpc.id.to_string(),
        mac: interface.mac,
        public_ip: interface.public_ip,
        groups: interface.groups.clone(),
        private_dns_name: private_dns_name(interface.private_ip, &config.place.region),
    })
}

/// Returns whether a task's node is to be told to stop it, once no target of it is left.
pub(super) fn should_stop(task: &Task) -> bool {
    task.desired_status == DesiredStatus::Stopped
}

fn overridden(definition: &ContainerDefinition, overrides: &TaskOverride) -> ContainerDefinition {
    let mut container = definition.clone();
    let Some(given) = overrides.containers.iter().find(|given| given.name == definition.name) else {
        return container;
    };
    if let Some(command) = &given.command {
        container.command = Some(command.clone());
    }
    for (name, value) in &given.environment {
        match container.environment.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => known.clone_from(value),
            None => container.environment.push((name.clone(), value.clone())),
        }
    }
    if let Some(files) = &given.environment_files {
        container.environment_files.clone_from(files);
    }
    container.cpu = given.cpu.unwrap_or(container.cpu);
    container.memory = given.memory.or(container.memory);
    container.memory_reservation = given.memory_reservation.or(container.memory_reservation);
    container
}

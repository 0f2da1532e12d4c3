//! From the model's task definition to its shape: what callers read.

mod container;
mod lifecycle;
mod linux;
mod logs;
mod ports;
mod volumes;

use crate::ecs::shown;
use wharf_aws::ecs::{self, RequiredAttribute};
use wharf_control::operations::task_definitions::compatibilities;
use wharf_model::task_definition::{
    ContainerDefinition, IpcMode, LogDriver, NetworkMode, PidMode, Secret, TaskDefinition,
    TaskDefinitionStatus, VolumeSource,
};

/// Returns a definition's shape.
pub(super) fn definition(definition: &TaskDefinition) -> ecs::TaskDefinition {
    let platform = definition.runtime_platform.as_ref();
    ecs::TaskDefinition {
        task_definition_arn: definition.arn.to_string(),
        container_definitions: definition
            .containers
            .iter()
            .map(|given| container::container(given, definition.network_mode))
            .collect(),
        family: definition.family.to_string(),
        task_role_arn: definition.task_role_arn.clone(),
        execution_role_arn: definition.execution_role_arn.clone(),
        network_mode: match definition.network_mode {
            NetworkMode::Awsvpc => "awsvpc",
            NetworkMode::Bridge => "bridge",
            NetworkMode::Host => "host",
            NetworkMode::None => "none",
        },
        pid_mode: definition.pid_mode.map(|mode| match mode {
            PidMode::Host => "host",
            PidMode::Task => "task",
        }),
        ipc_mode: definition.ipc_mode.map(|mode| match mode {
            IpcMode::Host => "host",
            IpcMode::Task => "task",
            IpcMode::None => "none",
        }),
        revision: definition.revision,
        volumes: definition.volumes.iter().map(volumes::volume).collect(),
        ephemeral_storage: definition.ephemeral_storage_gib.map(shown::ephemeral_storage),
        status: match definition.status {
            TaskDefinitionStatus::Active => "ACTIVE",
            TaskDefinitionStatus::Inactive => "INACTIVE",
        },
        requires_attributes: required(definition),
        placement_constraints: shown::constraints(&definition.placement_constraints),
        compatibilities: compatibilities(definition).into_iter().map(shown::launch_type).collect(),
        runtime_platform: platform.map(|platform| ecs::RuntimePlatform {
            cpu_architecture: platform.cpu_architecture.clone(),
            operating_system_family: platform.operating_system_family.clone(),
        }),
        requires_compatibilities: definition
            .requires_compatibilities
            .iter()
            .map(|launch_type| shown::launch_type(*launch_type))
            .collect(),
        cpu: definition.cpu.map(|cpu| cpu.to_string()),
        memory: definition.memory.map(|memory| memory.to_string()),
        registered_at: shown::time(definition.registered_at),
        deregistered_at: definition.deregistered_at.map(shown::time),
        registered_by: definition.registered_by.clone(),
    }
}

/// Returns the shape of a definition that was deleted.
pub(super) fn deleted(known: &TaskDefinition) -> ecs::TaskDefinition {
    ecs::TaskDefinition { status: "DELETE_IN_PROGRESS", ..definition(known) }
}

fn required(definition: &TaskDefinition) -> Vec<RequiredAttribute> {
    let logs = definition
        .containers
        .iter()
        .filter_map(|container| container.log_configuration.as_ref())
        .any(|log| log.driver == LogDriver::Awslogs);
    let any = |has: fn(&ContainerDefinition) -> bool| definition.containers.iter().any(has);
    let of_manager = |secret: &Secret| secret.value_from.contains(":secretsmanager:");
    let secrets = |wanted: bool| {
        let mut all = definition.containers.iter().flat_map(|container| &container.secrets);
        all.any(|secret| of_manager(secret) == wanted)
    };
    let volume = |is: fn(&VolumeSource) -> bool| definition.volumes.iter().any(|volume| is(&volume.source));
    let all = [
        (secrets(true), "ecs.capability.secrets.asm.environment-variables"),
        (secrets(false), "ecs.capability.secrets.ssm.environment-variables"),
        (any(|container| !container.environment_files.is_empty()), "ecs.capability.env-files.s3"),
        (
            any(|container| container.repository_credentials.is_some()),
            "ecs.capability.private-registry-authentication.secretsmanager",
        ),
        (volume(|source| matches!(source, VolumeSource::Efs(_))), "ecs.capability.efs"),
        (volume(|source| matches!(source, VolumeSource::Docker(_))), "ecs.capability.docker-plugin.local"),
        (logs, "com.amazonaws.ecs.capability.logging-driver.awslogs"),
        (logs && definition.execution_role_arn.is_some(), "ecs.capability.execution-role-awslogs"),
        (definition.task_role_arn.is_some(), "com.amazonaws.ecs.capability.task-iam-role"),
        (true, "com.amazonaws.ecs.capability.docker-remote-api.1.18"),
        (definition.network_mode == NetworkMode::Awsvpc, "ecs.capability.task-eni"),
    ];
    let named = all.into_iter().filter(|(needed, _)| *needed);
    named.map(|(_, name)| RequiredAttribute { name }).collect()
}

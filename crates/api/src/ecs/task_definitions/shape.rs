//! From the model's task definition to its shape.

use crate::ecs::shown;
use wharf_aws::ecs::{self, RequiredAttribute};
use wharf_control::operations::task_definitions::compatibilities;
use wharf_model::task_definition::{
    ContainerDefinition, LogConfiguration, LogDriver, NetworkMode, PortMapping, TaskDefinition,
    TaskDefinitionStatus, Transport,
};

/// Returns a definition's shape.
pub(super) fn definition(definition: &TaskDefinition) -> ecs::TaskDefinition {
    let platform = definition.runtime_platform.as_ref();
    ecs::TaskDefinition {
        task_definition_arn: definition.arn.to_string(),
        container_definitions: definition.containers.iter().map(container).collect(),
        family: definition.family.to_string(),
        task_role_arn: definition.task_role_arn.clone(),
        execution_role_arn: definition.execution_role_arn.clone(),
        network_mode: match definition.network_mode {
            NetworkMode::Awsvpc => "awsvpc",
        },
        revision: definition.revision,
        volumes: Vec::new(),
        status: match definition.status {
            TaskDefinitionStatus::Active => "ACTIVE",
            TaskDefinitionStatus::Inactive => "INACTIVE",
        },
        requires_attributes: required(definition),
        placement_constraints: Vec::new(),
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
    let all = [
        (logs, "com.amazonaws.ecs.capability.logging-driver.awslogs"),
        (logs && definition.execution_role_arn.is_some(), "ecs.capability.execution-role-awslogs"),
        (definition.task_role_arn.is_some(), "com.amazonaws.ecs.capability.task-iam-role"),
        (true, "com.amazonaws.ecs.capability.docker-remote-api.1.18"),
        (true, "ecs.capability.task-eni"),
    ];
    let named = all.into_iter().filter(|(needed, _)| *needed);
    named.map(|(_, name)| RequiredAttribute { name }).collect()
}

fn container(container: &ContainerDefinition) -> ecs::ContainerDefinition {
    ecs::ContainerDefinition {
        name: container.name.clone(),
        image: container.image.clone(),
        cpu: container.cpu.0,
        memory: container.memory.map(|memory| memory.0),
        memory_reservation: container.memory_reservation.map(|memory| memory.0),
        port_mappings: container.port_mappings.iter().map(port).collect(),
        essential: container.essential,
        entry_point: container.entry_point.clone(),
        command: container.command.clone(),
        environment: shown::pairs(&container.environment),
        mount_points: Vec::new(),
        volumes_from: Vec::new(),
        stop_timeout: container.stop_timeout_secs,
        user: container.user.clone(),
        working_directory: container.working_directory.clone(),
        readonly_root_filesystem: container.readonly_root_filesystem.then_some(true),
        docker_labels: container.docker_labels.clone(),
        ulimits: container
            .ulimits
            .iter()
            .map(|limit| ecs::Ulimit {
                name: limit.name.clone(),
                soft_limit: limit.soft,
                hard_limit: limit.hard,
            })
            .collect(),
        log_configuration: container.log_configuration.as_ref().map(log_configuration),
        system_controls: Vec::new(),
    }
}

fn port(port: &PortMapping) -> ecs::PortMapping {
    let protocol = match port.protocol {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    };
    ecs::PortMapping {
        container_port: Some(port.container_port.into()),
        // With a network interface of its own, a task's ports are the interface's.
        host_port: Some(port.host_port.unwrap_or(port.container_port).into()),
        protocol: Some(protocol.to_owned()),
        name: port.name.clone(),
        app_protocol: None,
        container_port_range: None,
    }
}

fn log_configuration(log: &LogConfiguration) -> ecs::LogConfiguration {
    let driver = match log.driver {
        LogDriver::Awslogs => "awslogs",
        LogDriver::JsonFile => "json-file",
    };
    ecs::LogConfiguration {
        log_driver: driver.to_owned(),
        options: log.options.clone(),
        secret_options: Vec::new(),
    }
}

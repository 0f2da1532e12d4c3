//! A container.

use super::{lifecycle, linux, logs, ports, volumes};
use crate::ecs::shown;
use wharf_aws::ecs;
use wharf_model::{
    Mebibytes,
    task_definition::{
        ContainerDefinition, NetworkMode, ResourceKind, ResourceRequirement, Secret, VersionConsistency,
    },
};

pub(super) fn container(given: &ContainerDefinition, network_mode: NetworkMode) -> ecs::ContainerDefinition {
    let seconds = |secs: Option<u32>| secs.map(number);
    ecs::ContainerDefinition {
        name: given.name.clone(),
        image: given.image.clone(),
        repository_credentials: given
            .repository_credentials
            .clone()
            .map(|credentials_parameter| ecs::RepositoryCredentials { credentials_parameter }),
        cpu: number(given.cpu.0),
        memory: given.memory.map(mebibytes),
        memory_reservation: given.memory_reservation.map(mebibytes),
        links: given.links.clone(),
        port_mappings: given.port_mappings.iter().map(|port| ports::mapping(port, network_mode)).collect(),
        essential: Some(given.essential),
        restart_policy: given.restart_policy.as_ref().map(lifecycle::restart_policy),
        entry_point: given.entry_point.clone(),
        command: given.command.clone(),
        environment: shown::pairs(&given.environment),
        environment_files: shown::environment_files(&given.environment_files),
        mount_points: given.mount_points.iter().map(volumes::mount_point).collect(),
        volumes_from: given.volumes_from.iter().map(volumes::volume_from).collect(),
        linux_parameters: given.linux_parameters.as_ref().map(linux::parameters),
        secrets: given.secrets.iter().map(secret).collect(),
        depends_on: given.depends_on.iter().map(lifecycle::dependency).collect(),
        start_timeout: seconds(given.start_timeout_secs),
        stop_timeout: seconds(given.stop_timeout_secs),
        version_consistency: given.version_consistency.map(|given| match given {
            VersionConsistency::Enabled => "enabled".to_owned(),
            VersionConsistency::Disabled => "disabled".to_owned(),
        }),
        hostname: given.hostname.clone(),
        user: given.user.clone(),
        working_directory: given.working_directory.clone(),
        disable_networking: given.disable_networking,
        privileged: given.privileged,
        readonly_root_filesystem: given.readonly_root_filesystem,
        dns_servers: given.dns_servers.clone(),
        dns_search_domains: given.dns_search_domains.clone(),
        extra_hosts: given
            .extra_hosts
            .iter()
            .map(|entry| ecs::HostEntry {
                hostname: entry.hostname.clone(),
                ip_address: entry.ip_address.clone(),
            })
            .collect(),
        docker_security_options: given.docker_security_options.clone(),
        interactive: given.interactive,
        pseudo_terminal: given.pseudo_terminal,
        docker_labels: given.docker_labels.clone(),
        ulimits: given
            .ulimits
            .iter()
            .map(|limit| ecs::Ulimit {
                name: limit.name.clone(),
                soft_limit: limit.soft,
                hard_limit: limit.hard,
            })
            .collect(),
        log_configuration: given.log_configuration.as_ref().map(logs::configuration),
        health_check: given.health_check.as_ref().map(lifecycle::health_check),
        system_controls: given
            .system_controls
            .iter()
            .map(|control| ecs::SystemControl {
                namespace: control.namespace.clone(),
                value: control.value.clone(),
            })
            .collect(),
        resource_requirements: given.resource_requirements.iter().map(resource).collect(),
        firelens_configuration: given.firelens_configuration.as_ref().map(logs::firelens),
        credential_specs: given.credential_specs.clone(),
    }
}

/// Returns a number as AWS writes it. What is kept was read from such a number.
pub(super) fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

pub(super) fn mebibytes(size: Mebibytes) -> i32 {
    number(size.0)
}

pub(super) fn secret(secret: &Secret) -> ecs::Secret {
    ecs::Secret { name: secret.name.clone(), value_from: secret.value_from.clone() }
}

fn resource(given: &ResourceRequirement) -> ecs::ResourceRequirement {
    let kind = match given.kind {
        ResourceKind::Gpu => "GPU",
        ResourceKind::InferenceAccelerator => "InferenceAccelerator",
    };
    ecs::ResourceRequirement { value: given.value.clone(), kind: kind.to_owned() }
}

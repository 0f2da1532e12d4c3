//! A container.

use super::{given_word, lifecycle, linux, logs, ports, refuse, volumes};
use crate::ecs::given;
use wharf_aws::ecs::{self, EnvironmentFile, ResourceRequirement};
use wharf_control::operations::Error;
use wharf_model::{
    CpuUnits, Mebibytes,
    task_definition::{self as model, ContainerDefinition, ResourceKind, VersionConsistency},
};

pub(super) fn container(given: ecs::ContainerDefinition) -> Result<ContainerDefinition, Error> {
    let of = format!(" of container '{}'", given.name);
    let number = |value: i32, member: &str| refuse(given::count(value, &format!("'{member}'{of}")));
    let seconds = |value: Option<i32>, member: &str| value.map(|value| number(value, member)).transpose();
    let size = |value: Option<i32>, member: &str| -> Result<Option<Mebibytes>, Error> {
        value.filter(|value| *value != 0).map(|value| Ok(Mebibytes(number(value, member)?))).transpose()
    };
    Ok(ContainerDefinition {
        repository_credentials: given.repository_credentials.map(|given| given.credentials_parameter),
        cpu: CpuUnits(number(given.cpu, "cpu")?),
        memory: size(given.memory, "memory")?,
        memory_reservation: size(given.memory_reservation, "memoryReservation")?,
        links: given.links,
        essential: given.essential.unwrap_or(true),
        restart_policy: given
            .restart_policy
            .map(|policy| lifecycle::restart_policy(policy, &of))
            .transpose()?,
        entry_point: given.entry_point.filter(|words| !words.is_empty()),
        command: given.command.filter(|words| !words.is_empty()),
        environment: given.environment.into_iter().map(|pair| (pair.name, pair.value)).collect(),
        environment_files: each(given.environment_files, |file| environment_file(file, &of))?,
        secrets: given.secrets.into_iter().map(secret).collect(),
        port_mappings: each(given.port_mappings, |port| ports::mapping(port, &of))?,
        mount_points: each(given.mount_points, |mount| volumes::mount_point(mount, &of))?,
        volumes_from: each(given.volumes_from, |from| volumes::volume_from(from, &of))?,
        linux_parameters: given.linux_parameters.map(|linux| linux::parameters(linux, &of)).transpose()?,
        depends_on: each(given.depends_on, |dependency| lifecycle::dependency(dependency, &of))?,
        start_timeout_secs: seconds(given.start_timeout, "startTimeout")?,
        stop_timeout_secs: seconds(given.stop_timeout, "stopTimeout")?,
        health_check: given.health_check.map(|check| lifecycle::health_check(check, &of)).transpose()?,
        version_consistency: given_word(given.version_consistency)
            .map(|word| version_consistency(&word, &of))
            .transpose()?,
        hostname: given_word(given.hostname),
        user: given_word(given.user),
        working_directory: given_word(given.working_directory),
        disable_networking: given.disable_networking,
        privileged: given.privileged,
        readonly_root_filesystem: given.readonly_root_filesystem,
        dns_servers: given.dns_servers,
        dns_search_domains: given.dns_search_domains,
        extra_hosts: given
            .extra_hosts
            .into_iter()
            .map(|entry| model::HostEntry { hostname: entry.hostname, ip_address: entry.ip_address })
            .collect(),
        docker_security_options: given.docker_security_options,
        interactive: given.interactive,
        pseudo_terminal: given.pseudo_terminal,
        docker_labels: given.docker_labels,
        ulimits: given
            .ulimits
            .into_iter()
            .map(|limit| model::Ulimit { name: limit.name, soft: limit.soft_limit, hard: limit.hard_limit })
            .collect(),
        log_configuration: given.log_configuration.map(|log| logs::configuration(log, &of)).transpose()?,
        firelens_configuration: given
            .firelens_configuration
            .map(|router| logs::firelens(router, &of))
            .transpose()?,
        system_controls: given
            .system_controls
            .into_iter()
            .map(|control| model::SystemControl { namespace: control.namespace, value: control.value })
            .collect(),
        resource_requirements: each(given.resource_requirements, |needed| resource(needed, &of))?,
        credential_specs: given.credential_specs,
        name: given.name,
        image: given.image,
    })
}

/// Reads every item of a list.
pub(super) fn each<G, M>(given: Vec<G>, read: impl FnMut(G) -> Result<M, Error>) -> Result<Vec<M>, Error> {
    given.into_iter().map(read).collect()
}

pub(super) fn secret(given: ecs::Secret) -> model::Secret {
    model::Secret { name: given.name, value_from: given.value_from }
}

/// Returns a file of environment variables.
pub(in crate::ecs) fn environment_file(
    given: EnvironmentFile,
    of: &str,
) -> Result<model::EnvironmentFile, Error> {
    match given.kind.as_str() {
        "s3" => Ok(model::EnvironmentFile { value: given.value }),
        other => {
            Err(Error::client(format!("Invalid type '{other}' in environmentFiles{of}: it must be s3.")))
        }
    }
}

fn version_consistency(given: &str, of: &str) -> Result<VersionConsistency, Error> {
    match given {
        "enabled" => Ok(VersionConsistency::Enabled),
        "disabled" => Ok(VersionConsistency::Disabled),
        other => Err(Error::client(format!("Invalid versionConsistency '{other}'{of}."))),
    }
}

fn resource(given: ResourceRequirement, of: &str) -> Result<model::ResourceRequirement, Error> {
    let kind = match given.kind.as_str() {
        "GPU" => ResourceKind::Gpu,
        "InferenceAccelerator" => ResourceKind::InferenceAccelerator,
        other => return Err(Error::client(format!("Invalid type '{other}' in resourceRequirements{of}."))),
    };
    Ok(model::ResourceRequirement { kind, value: given.value })
}

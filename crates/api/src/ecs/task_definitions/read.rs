//! From the shape of a task definition to the model's.

use crate::ecs::given;
use wharf_aws::ecs::{
    ContainerDefinitionInput, LogConfiguration, PortMapping, RegisterTaskDefinitionInput, RuntimePlatform,
};
use wharf_control::operations::{Error, task_definitions::NewDefinition};
use wharf_model::{
    CpuUnits, Mebibytes,
    task_definition::{self as model, ContainerDefinition, LaunchType, LogDriver, NetworkMode, Transport},
};

/// What a definition may ask for and does not get, with the values that ask for nothing.
const NOT_HONOURED: [(&str, &str); 9] = [
    ("volumes", ""),
    ("placementConstraints", ""),
    ("pidMode", ""),
    ("ipcMode", "none"),
    ("proxyConfiguration", ""),
    ("inferenceAccelerators", ""),
    ("ephemeralStorage", ""),
    ("enableFaultInjection", ""),
    ("trustedExecutionConfiguration", ""),
];

/// The same of a container.
const NOT_HONOURED_OF_CONTAINER: [(&str, &str); 25] = [
    ("repositoryCredentials", ""),
    ("links", ""),
    ("restartPolicy", ""),
    ("environmentFiles", ""),
    ("mountPoints", ""),
    ("volumesFrom", ""),
    ("linuxParameters", ""),
    ("secrets", ""),
    ("dependsOn", ""),
    ("startTimeout", ""),
    ("versionConsistency", "enabled"),
    ("hostname", ""),
    ("disableNetworking", ""),
    ("privileged", ""),
    ("dnsServers", ""),
    ("dnsSearchDomains", ""),
    ("extraHosts", ""),
    ("dockerSecurityOptions", ""),
    ("interactive", ""),
    ("pseudoTerminal", ""),
    ("healthCheck", ""),
    ("systemControls", ""),
    ("resourceRequirements", ""),
    ("firelensConfiguration", ""),
    ("credentialSpecs", ""),
];

/// Returns what is to be registered.
pub(super) fn definition(
    input: RegisterTaskDefinitionInput,
    registered_by: &str,
) -> Result<NewDefinition, Error> {
    refuse(given::refuse(&input.others, "", &NOT_HONOURED))?;
    if input.family.is_empty() {
        return Err(Error::client("Family should not be null or empty."));
    }
    let family = input.family.parse().map_err(|_| {
        Error::client(format!(
            "Invalid family '{}': up to 255 letters, numbers, hyphens and underscores are allowed.",
            input.family
        ))
    })?;
    let launch_types = input
        .requires_compatibilities
        .iter()
        .map(|given| match given.as_str() {
            "EC2" => Ok(LaunchType::Ec2),
            "FARGATE" => Ok(LaunchType::Fargate),
            other => refuse(Err(given::unsupported("requiresCompatibilities", &format!(" {other}")))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let network_mode = match input.network_mode.as_deref() {
        Some("awsvpc") => NetworkMode::Awsvpc,
        _ if launch_types.contains(&LaunchType::Fargate) => {
            return Err(Error::client("Fargate only supports network mode 'awsvpc'."));
        }
        given => {
            let given = given.unwrap_or("bridge");
            return refuse(Err(given::unsupported("networkMode", &format!(" {given}; use awsvpc"))));
        }
    };
    Ok(NewDefinition {
        family,
        network_mode,
        cpu: input.cpu.as_deref().filter(|cpu| !cpu.is_empty()).map(given::cpu).transpose()?,
        memory: input.memory.as_deref().filter(|memory| !memory.is_empty()).map(given::memory).transpose()?,
        containers: input.container_definitions.into_iter().map(container).collect::<Result<_, _>>()?,
        requires_compatibilities: launch_types,
        runtime_platform: input.runtime_platform.map(platform).transpose()?,
        task_role_arn: input.task_role_arn.filter(|role| !role.is_empty()),
        execution_role_arn: input.execution_role_arn.filter(|role| !role.is_empty()),
        tags: given::tags(input.tags)?,
        registered_by: registered_by.to_owned(),
    })
}

/// Makes an error of registration the kind that AWS gives for it.
fn refuse<T>(result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| Error::client(error.to_string()))
}

fn platform(given: RuntimePlatform) -> Result<model::RuntimePlatform, Error> {
    let here = if cfg!(target_arch = "aarch64") { "ARM64" } else { "X86_64" };
    let RuntimePlatform { cpu_architecture, operating_system_family } = given;
    match (cpu_architecture.as_deref(), operating_system_family.as_deref()) {
        (Some(other), _) if other != here => {
            refuse(Err(given::unsupported("runtimePlatform", &format!(" {other}; this machine is {here}"))))
        }
        (_, Some(other)) if other != "LINUX" => {
            refuse(Err(given::unsupported("runtimePlatform", &format!(" {other}"))))
        }
        (_, _) => Ok(model::RuntimePlatform { cpu_architecture, operating_system_family }),
    }
}

fn container(given: ContainerDefinitionInput) -> Result<ContainerDefinition, Error> {
    let of = format!(" of container '{}'", given.name);
    refuse(given::refuse(&given.others, &of, &NOT_HONOURED_OF_CONTAINER))?;
    let number = |value: i32, member: &str| refuse(given::count(value, &format!("'{member}'{of}")));
    let size = |value: Option<i32>, member: &str| -> Result<Option<Mebibytes>, Error> {
        value.filter(|value| *value != 0).map(|value| Ok(Mebibytes(number(value, member)?))).transpose()
    };
    Ok(ContainerDefinition {
        cpu: CpuUnits(number(given.cpu, "cpu")?),
        memory: size(given.memory, "memory")?,
        memory_reservation: size(given.memory_reservation, "memoryReservation")?,
        essential: given.essential.unwrap_or(true),
        entry_point: given.entry_point.filter(|words| !words.is_empty()),
        command: given.command.filter(|words| !words.is_empty()),
        environment: given.environment.into_iter().map(|pair| (pair.name, pair.value)).collect(),
        port_mappings: given
            .port_mappings
            .into_iter()
            .map(|port| mapping(port, &of))
            .collect::<Result<_, _>>()?,
        log_configuration: given.log_configuration.map(|log| log_configuration(log, &of)).transpose()?,
        working_directory: given.working_directory.filter(|path| !path.is_empty()),
        user: given.user.filter(|user| !user.is_empty()),
        readonly_root_filesystem: given.readonly_root_filesystem.unwrap_or(false),
        stop_timeout_secs: given.stop_timeout.map(|secs| number(secs, "stopTimeout")).transpose()?,
        ulimits: given
            .ulimits
            .into_iter()
            .map(|limit| model::Ulimit { name: limit.name, soft: limit.soft_limit, hard: limit.hard_limit })
            .collect(),
        docker_labels: given.docker_labels,
        name: given.name,
        image: given.image,
    })
}

fn mapping(given: PortMapping, of: &str) -> Result<model::PortMapping, Error> {
    if given.container_port_range.is_some() {
        return refuse(Err(given::unsupported("containerPortRange", of)));
    }
    if given.app_protocol.is_some() {
        return refuse(Err(given::unsupported("appProtocol", of)));
    }
    let host_port = match given.host_port {
        None | Some(0) => None,
        given => Some(refuse(given::port(given, &format!("'hostPort'{of}")))?),
    };
    Ok(model::PortMapping {
        container_port: refuse(given::port(given.container_port, &format!("'containerPort'{of}")))?,
        host_port,
        protocol: match given.protocol.as_deref() {
            None | Some("" | "tcp") => Transport::Tcp,
            Some("udp") => Transport::Udp,
            Some(other) => return Err(Error::client(format!("Invalid protocol '{other}'{of}."))),
        },
        name: given.name,
    })
}

fn log_configuration(given: LogConfiguration, of: &str) -> Result<model::LogConfiguration, Error> {
    if !given.secret_options.is_empty() {
        return refuse(Err(given::unsupported("secretOptions", of)));
    }
    let driver = match given.log_driver.as_str() {
        "awslogs" => LogDriver::Awslogs,
        "json-file" => LogDriver::JsonFile,
        other => return refuse(Err(given::unsupported("logDriver", &format!(" {other}{of}")))),
    };
    Ok(model::LogConfiguration { driver, options: given.options })
}

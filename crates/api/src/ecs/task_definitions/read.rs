//! From the shape of a task definition to the model's: what callers write, and nothing of whether it makes sense.

mod container;
mod lifecycle;
mod linux;
mod logs;
mod ports;
mod volumes;

pub(in crate::ecs) use container::environment_file;

use crate::ecs::given;
use wharf_aws::ecs::{EphemeralStorage, RegisterTaskDefinitionInput, RuntimePlatform};
use wharf_control::operations::{Error, task_definitions::NewDefinition};
use wharf_model::task_definition::{self as model, IpcMode, LaunchType, NetworkMode, PidMode};

/// What a definition may ask for and does not get, with the values that ask for nothing.
const NOT_HONOURED: [(&str, &str); 4] = [
    ("proxyConfiguration", ""),
    ("inferenceAccelerators", ""),
    ("enableFaultInjection", ""),
    ("trustedExecutionConfiguration", ""),
];

/// The longest definition, in bytes.
const LENGTH_MAX: usize = 65_536;

/// Returns what is to be registered.
pub(super) fn definition(
    input: RegisterTaskDefinitionInput,
    registered_by: &str,
) -> Result<NewDefinition, Error> {
    refuse(given::refuse(&input.others, "", &NOT_HONOURED))?;
    check_length(&input)?;
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
    let containers = input.container_definitions.into_iter().map(container::container);
    Ok(NewDefinition {
        family,
        network_mode: network_mode(input.network_mode.as_deref(), &launch_types)?,
        pid_mode: given_word(input.pid_mode).map(|mode| pid_mode(&mode)).transpose()?,
        ipc_mode: given_word(input.ipc_mode).map(|mode| ipc_mode(&mode)).transpose()?,
        cpu: given_word(input.cpu).as_deref().map(given::cpu).transpose()?,
        memory: given_word(input.memory).as_deref().map(given::memory).transpose()?,
        ephemeral_storage_gib: input.ephemeral_storage.map(ephemeral_storage).transpose()?,
        containers: containers.collect::<Result<_, _>>()?,
        volumes: input.volumes.into_iter().map(volumes::volume).collect::<Result<_, _>>()?,
        placement_constraints: refuse(given::constraints(&input.placement_constraints))?,
        requires_compatibilities: launch_types,
        runtime_platform: input.runtime_platform.map(platform).transpose()?,
        task_role_arn: given_word(input.task_role_arn),
        execution_role_arn: given_word(input.execution_role_arn),
        tags: given::tags(input.tags)?,
        registered_by: registered_by.to_owned(),
    })
}

/// What AWS keeps of a definition may not be longer than this.
fn check_length(input: &RegisterTaskDefinitionInput) -> Result<(), Error> {
    let written = serde_json::to_vec(&(&input.container_definitions, &input.volumes));
    let length = written.map_or(0, |bytes| bytes.len());
    if length > LENGTH_MAX {
        return Err(Error::client(format!(
            "Actual length: '{length}'. Max allowed length is '{LENGTH_MAX}' bytes."
        )));
    }
    Ok(())
}

fn network_mode(given: Option<&str>, launch_types: &[LaunchType]) -> Result<NetworkMode, Error> {
    match given.filter(|given| !given.is_empty()) {
        Some("awsvpc") => Ok(NetworkMode::Awsvpc),
        _ if launch_types.contains(&LaunchType::Fargate) => {
            Err(Error::client("Fargate only supports network mode 'awsvpc'."))
        }
        None | Some("bridge") => Ok(NetworkMode::Bridge),
        Some("host") => Ok(NetworkMode::Host),
        Some("none") => Ok(NetworkMode::None),
        Some(other) => Err(Error::client(format!("Invalid networkMode '{other}'."))),
    }
}

fn pid_mode(given: &str) -> Result<PidMode, Error> {
    match given {
        "host" => Ok(PidMode::Host),
        "task" => Ok(PidMode::Task),
        other => Err(Error::client(format!("Invalid pidMode '{other}': valid values are host and task."))),
    }
}

fn ipc_mode(given: &str) -> Result<IpcMode, Error> {
    match given {
        "host" => Ok(IpcMode::Host),
        "task" => Ok(IpcMode::Task),
        "none" => Ok(IpcMode::None),
        other => {
            Err(Error::client(format!("Invalid ipcMode '{other}': valid values are host, task and none.")))
        }
    }
}

/// Returns the size of a task's disk.
pub(in crate::ecs) fn ephemeral_storage(given: EphemeralStorage) -> Result<u32, Error> {
    refuse(given::count(given.size_in_gib, "'sizeInGiB' of ephemeralStorage"))
}

/// A word that is empty was not given.
fn given_word(word: Option<String>) -> Option<String> {
    word.filter(|word| !word.is_empty())
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

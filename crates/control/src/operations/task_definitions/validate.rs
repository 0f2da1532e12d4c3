//! The rules of a task definition, each once.

mod allowed;
mod told;

use super::{NewDefinition, firelens, lifecycle, provided, volumes};
use crate::operations::Error;
use std::collections::BTreeSet;
use wharf_model::placement::{Constraint, Placement};
use wharf_model::task_definition::{ContainerDefinition, LaunchType, LogDriver, NetworkMode, TaskDefinition};
use wharf_plan::{fargate, placement};

/// The least memory that a container can be given, in mebibytes.
pub(crate) const MEMORY_MIN: u32 = 6;
/// The most containers of a definition.
const CONTAINERS_MAX: usize = 10;
/// The CPU units that a task on a container instance can be limited to.
const EC2_CPU: std::ops::RangeInclusive<u32> = 128..=196_608;
/// The longest start timeout and stop timeout on Fargate, in seconds.
const FARGATE_TIMEOUT_MAX: u32 = 120;

fn check_placement(new: &NewDefinition) -> Result<(), Error> {
    let constraints = new.placement_constraints.clone();
    if constraints.contains(&Constraint::DistinctInstance) {
        return Err(Error::client("Task definitions can have placement constraints of type memberOf only."));
    }
    if !constraints.is_empty() && new.requires_compatibilities.contains(&LaunchType::Fargate) {
        return Err(Error::client("Placement constraints are not supported with FARGATE launch type."));
    }
    let placement = Placement { constraints, strategies: Vec::new() };
    placement::read(&placement).map(drop).map_err(|error| Error::client(error.to_string()))
}

/// Checks every rule.
pub(super) fn check(new: &NewDefinition) -> Result<(), Error> {
    if new.containers.is_empty() {
        return Err(Error::client("Container list cannot be empty."));
    }
    if new.containers.len() > CONTAINERS_MAX {
        return Err(Error::client("Too many containers."));
    }
    check_task_size(new)?;
    if !new.containers.iter().any(|container| container.essential) {
        return Err(Error::client("Task definition does not have any essential container"));
    }
    let mut names = BTreeSet::new();
    for container in &new.containers {
        check_container(container, new)?;
        if !names.insert(container.name.as_str()) {
            return Err(Error::client(format!(
                "Container name '{}' is used more than once in the task definition.",
                container.name
            )));
        }
    }
    lifecycle::check(&new.containers)?;
    let ports = new.containers.iter().flat_map(|container| &container.port_mappings);
    let mut taken = BTreeSet::new();
    for port in ports {
        if !taken.insert((port.container_port, port.protocol)) {
            return Err(Error::client(format!(
                "The container port {} is used more than once in the task definition: containers of a task share its \
                 network.",
                port.container_port
            )));
        }
    }
    let reserved =
        new.containers.iter().filter_map(|container| container.memory_reservation.or(container.memory));
    let sum: u64 = reserved.map(|memory| u64::from(memory.0)).sum();
    if new.memory.is_some_and(|memory| sum > u64::from(memory.0)) {
        return Err(Error::client(
            "Invalid 'memory' setting for task: the memory of the containers adds up to more than that of the task.",
        ));
    }
    volumes::check(new)?;
    firelens::check(&new.containers)?;
    provided::check(new)?;
    check_placement(new)?;
    if new.requires_compatibilities.contains(&LaunchType::Fargate) { check_fargate(new) } else { Ok(()) }
}

fn check_task_size(new: &NewDefinition) -> Result<(), Error> {
    let fargate = new.requires_compatibilities.contains(&LaunchType::Fargate);
    if !fargate && new.cpu.is_some_and(|cpu| !EC2_CPU.contains(&cpu.0)) {
        return Err(Error::client(
            "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS \
             Developer Guide.",
        ));
    }
    let sum: u64 = new.containers.iter().map(|container| u64::from(container.cpu.0)).sum();
    if new.cpu.is_some_and(|cpu| sum > u64::from(cpu.0)) {
        return Err(Error::client(
            "The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value.",
        ));
    }
    Ok(())
}

/// Returns the launch types that a definition can be started with.
pub fn compatibilities(definition: &TaskDefinition) -> Vec<LaunchType> {
    let sized = definition.cpu.zip(definition.memory).is_some_and(|(cpu, memory)| fargate::fits(cpu, memory));
    let anywhere = !definition.volumes.iter().any(volumes::is_of_instances);
    if sized && anywhere { vec![LaunchType::Ec2, LaunchType::Fargate] } else { vec![LaunchType::Ec2] }
}

fn check_fargate(new: &NewDefinition) -> Result<(), Error> {
    let missing =
        |what| Error::client(format!("Fargate requires that '{what}' be defined at the task level."));
    let cpu = new.cpu.ok_or_else(|| missing("cpu"))?;
    let memory = new.memory.ok_or_else(|| missing("memory"))?;
    if !fargate::fits(cpu, memory) {
        return Err(Error::client(format!(
            "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS \
             documentation for the valid values."
        )));
    }
    allowed::check_fargate(new)?;
    for container in &new.containers {
        let Some(log) = &container.log_configuration else { continue };
        if log.driver == LogDriver::Awslogs && new.execution_role_arn.is_none() {
            return Err(Error::client(
                "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
            ));
        }
        if log.driver == LogDriver::Awslogs && !log.options.contains_key("awslogs-stream-prefix") {
            return Err(Error::client(
                "Log driver awslogs requires option 'awslogs-stream-prefix' on Fargate.",
            ));
        }
    }
    for container in &new.containers {
        let given =
            [("startTimeout", container.start_timeout_secs), ("stopTimeout", container.stop_timeout_secs)];
        let too_long = |(_, secs): &(&str, Option<u32>)| secs.is_some_and(|secs| secs > FARGATE_TIMEOUT_MAX);
        if let Some((member, _)) = given.into_iter().find(too_long) {
            return Err(Error::client(format!(
                "Invalid '{member}' setting for container '{}'. The maximum on Fargate is {FARGATE_TIMEOUT_MAX} \
                 seconds.",
                container.name
            )));
        }
    }
    Ok(())
}

fn check_container(container: &ContainerDefinition, new: &NewDefinition) -> Result<(), Error> {
    let name = &container.name;
    if name.is_empty() {
        return Err(Error::client("Container.name should not be null or empty."));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.len() > 255 || !name.bytes().all(plain) {
        return Err(Error::client(format!(
            "Invalid container name '{name}': up to 255 letters, numbers, hyphens and underscores are allowed."
        )));
    }
    if container.image.is_empty() {
        return Err(Error::client("Container.image should not be null or empty."));
    }
    let (hard, soft) = (container.memory, container.memory_reservation);
    if hard.is_none() && soft.is_none() && new.memory.is_none() {
        return Err(Error::client(format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        )));
    }
    if [hard, soft].into_iter().flatten().any(|memory| memory.0 < MEMORY_MIN) {
        return Err(Error::client(format!(
            "Invalid 'memory' setting for container '{name}'. The minimum is {MEMORY_MIN} MiB."
        )));
    }
    if hard.zip(soft).is_some_and(|(hard, soft)| soft > hard) {
        return Err(Error::client(format!(
            "Invalid setting for container '{name}'. 'memory' must not be less than 'memoryReservation'."
        )));
    }
    if hard.zip(new.memory).is_some_and(|(own, task)| own > task) {
        return Err(Error::client("The 'memory' setting for container is greater than for the task."));
    }
    for port in &container.port_mappings {
        if port.container_port == 0 {
            return Err(Error::client(format!("Invalid container port 0 in container '{name}'.")));
        }
        if new.network_mode == NetworkMode::None {
            return Err(Error::client("Networking mode 'none' is not compatible with port mappings."));
        }
        let different = port.host_port.is_some_and(|host| host != 0 && host != port.container_port);
        if new.network_mode == NetworkMode::Host && different {
            return Err(Error::client(
                "When networkMode=host, the host ports and container ports in port mappings must match.",
            ));
        }
        let own_interface = new.network_mode == NetworkMode::Awsvpc;
        if own_interface && port.host_port.is_some_and(|host| host != 0 && host != port.container_port) {
            return Err(Error::client(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
            ));
        }
    }
    told::check(container, new.network_mode)?;
    allowed::check(container, new)?;
    check_log(container)
}

fn check_log(container: &ContainerDefinition) -> Result<(), Error> {
    let Some(log) = &container.log_configuration else { return Ok(()) };
    match wharf_plan::logging::read(log) {
        Ok(_) => Ok(()),
        Err(why) => {
            Err(Error::client(format!("Invalid logConfiguration of container '{}': {why}.", container.name)))
        }
    }
}

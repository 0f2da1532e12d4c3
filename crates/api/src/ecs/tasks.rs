//! The operations on tasks that are there, and what a task looks like.

use super::{given, shown};
use crate::Fault;
use std::sync::Arc;
use wharf_aws::ecs::{
    self, Attachment, DescribeTasksInput, ListTasksInput, ListTasksOutput, ManagedAgent, StopTaskInput,
    TaskOutput, TasksOutput,
};
use wharf_control::{
    Control,
    operations::{
        Error, references,
        tasks::{self, Filter, TaskDetail, private_dns_name},
    },
};
use wharf_model::{
    Place,
    network::NetworkInterface,
    task::{Container, ContainerOverride, DesiredStatus, Task, TaskOverride, TaskStatus},
    task_definition::{ContainerDefinition, LaunchType, Transport},
};

pub(super) async fn stop(control: &Control, input: StopTaskInput) -> Result<TaskOutput, Error> {
    let place = &control.config().place;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    if input.reason.as_ref().is_some_and(|reason| reason.chars().count() > 1024) {
        return Err(Error::invalid("reason can have at most 1024 characters."));
    }
    let reason = input.reason.filter(|reason| !reason.is_empty());
    let stopped = tasks::stop(control, &cluster, &input.task, reason).await?;
    Ok(TaskOutput { task: shape(&stopped, place, false) })
}

pub(super) fn describe(control: &Control, input: &DescribeTasksInput) -> Result<TasksOutput, Error> {
    let place = &control.config().place;
    let with_tags = given::includes_tags(&input.include, &[])?;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    if input.tasks.is_empty() {
        return Err(Error::invalid("Tasks cannot be empty."));
    }
    if input.tasks.len() > 100 {
        return Err(Error::invalid("Tasks can have at most 100 items."));
    }
    let described = tasks::describe(control, &cluster, &input.tasks)?;
    Ok(TasksOutput {
        tasks: described.found.iter().map(|detail| shape(detail, place, with_tags)).collect(),
        failures: shown::failures(described.failures),
    })
}

pub(super) fn list(control: &Control, input: &ListTasksInput) -> Result<ListTasksOutput, Fault> {
    let place = &control.config().place;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    given::refuse(&input.others, "", &[("daemonName", "")])?;
    let desired_status = match input.desired_status.as_deref() {
        None | Some("RUNNING") => Some(DesiredStatus::Running),
        Some("STOPPED") => Some(DesiredStatus::Stopped),
        Some("PENDING") => None,
        Some(other) => return Err(Error::invalid(format!("Invalid desiredStatus '{other}'.")).into()),
    };
    let instance = input.container_instance.as_deref().map(|given| {
        let id = given.rsplit('/').next().unwrap_or(given);
        id.parse().map_err(|_| Error::invalid(format!("Invalid containerInstance '{given}'.")))
    });
    let service = input.service_name.as_deref().map(|given| references::service(given, &cluster, place));
    let launch_type = input.launch_type.as_deref().map(|given| given::launch_type(Some(given)));
    let filter = Filter {
        node: instance.transpose()?,
        family: input.family.clone(),
        started_by: input.started_by.clone(),
        service: service.transpose()?,
        desired_status,
        launch_type: launch_type.transpose()?,
    };
    let found = tasks::list(control, &cluster, &filter)?;
    let key = |task: &Arc<Task>| task.id.to_string();
    let page = given::page(found, key, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(ListTasksOutput {
        task_arns: page.items.iter().map(|task| task.arn.to_string()).collect(),
        next_token: page.next,
    })
}

/// Returns a task's shape.
pub(super) fn shape(detail: &TaskDetail, place: &Place, with_tags: bool) -> ecs::Task {
    let TaskDetail { task, interface, definition } = detail;
    let attached = is_attached(task);
    let instance = place.arn("ecs", format_args!("container-instance/{}/{}", task.cluster, task.node));
    let platform = shown::platform(task.launch_type);
    let times = &task.times;
    let definitions = definition.as_ref().map_or(&[][..], |definition| &definition.containers);
    ecs::Task {
        attachments: interface.iter().map(|interface| attachment(task, interface, place)).collect(),
        attributes: vec![shown::pair("ecs.cpu-architecture", std::env::consts::ARCH)],
        availability_zone: task.zone.to_string(),
        capacity_provider_name: task.capacity_provider.clone(),
        cluster_arn: place.arn("ecs", format_args!("cluster/{}", task.cluster)).to_string(),
        connectivity: times.connectivity_at.map(|_| "CONNECTED"),
        connectivity_at: times.connectivity_at.map(shown::time),
        container_instance_arn: (task.launch_type == LaunchType::Ec2).then(|| instance.to_string()),
        containers: task
            .containers
            .iter()
            .map(|container| {
                let definition = definitions.iter().find(|definition| definition.name == container.name);
                let interface = interface.as_ref().filter(|_| attached);
                self::container(task, container, definition, interface.map(|interface| &**interface))
            })
            .collect(),
        cpu: task.cpu.to_string(),
        created_at: shown::time(task.created_at),
        desired_status: match task.desired_status {
            DesiredStatus::Running => "RUNNING",
            DesiredStatus::Stopped => "STOPPED",
        },
        enable_execute_command: task.enable_execute_command,
        ephemeral_storage: task
            .overrides
            .ephemeral_storage_gib
            .or(definition.as_ref().and_then(|definition| definition.ephemeral_storage_gib))
            .map(shown::ephemeral_storage),
        execution_stopped_at: times.execution_stopped_at.map(shown::time),
        group: task.group.clone(),
        health_status: task.health.unwrap_or_default().as_str(),
        last_status: task.last_status.as_str(),
        launch_type: shown::launch_type(task.launch_type),
        memory: task.memory.to_string(),
        overrides: overrides(task),
        platform_version: platform.map(|(version, _)| version),
        platform_family: platform.map(|(_, family)| family),
        pull_started_at: times.pull_started_at.map(shown::time),
        pull_stopped_at: times.pull_stopped_at.map(shown::time),
        started_at: times.started_at.map(shown::time),
        started_by: task.started_by.clone(),
        stop_code: task.stop_code.map(wharf_model::task::StopCode::as_str),
        stopped_at: times.stopped_at.map(shown::time),
        stopped_reason: task.stopped_reason.clone(),
        stopping_at: times.stopping_at.map(shown::time),
        tags: if with_tags { shown::tags(&task.tags) } else { Vec::new() },
        task_arn: task.arn.to_string(),
        task_definition_arn: place
            .arn("ecs", format_args!("task-definition/{}", task.definition))
            .to_string(),
        version: task.version,
        inference_accelerators: Vec::new(),
    }
}

/// Returns whether a task's interface is, or was, on its node: only then its addresses are shown.
fn is_attached(task: &Task) -> bool {
    task.last_status > TaskStatus::Provisioning && task.times.connectivity_at.is_some()
}

fn attachment(task: &Task, interface: &NetworkInterface, place: &Place) -> Attachment {
    let mut details = vec![shown::pair("subnetId", &interface.subnet)];
    let status = if task.last_status == TaskStatus::Stopped {
        "DELETED"
    } else if is_attached(task) {
        "ATTACHED"
    } else {
        "PRECREATED"
    };
    if status != "PRECREATED" {
        details.push(shown::pair("networkInterfaceId", &interface.id));
        details.push(shown::pair("macAddress", interface.mac));
        details.push(shown::pair("privateDnsName", private_dns_name(interface.private_ip, &place.region)));
        details.push(shown::pair("privateIPv4Address", interface.private_ip));
    }
    Attachment { id: interface.attachment_id.clone(), r#type: "ElasticNetworkInterface", status, details }
}

fn container(
    task: &Task,
    container: &Container,
    definition: Option<&ContainerDefinition>,
    interface: Option<&NetworkInterface>,
) -> ecs::Container {
    let given = task.overrides.containers.iter().find(|given| given.name == container.name);
    let cpu = given.and_then(|given| given.cpu).or(definition.map(|definition| definition.cpu));
    let memory = given.and_then(|given| given.memory).or(definition.and_then(|definition| definition.memory));
    let reserved = given
        .and_then(|given| given.memory_reservation)
        .or(definition.and_then(|definition| definition.memory_reservation));
    ecs::Container {
        container_arn: container.arn.to_string(),
        task_arn: task.arn.to_string(),
        name: container.name.clone(),
        image: container.image.to_string(),
        image_digest: container.image_digest.as_ref().map(ToString::to_string),
        runtime_id: container.runtime_id.clone(),
        last_status: container.last_status.as_str(),
        exit_code: container.exit_code,
        reason: container.reason.clone(),
        network_bindings: container
            .network_bindings
            .iter()
            .map(|binding| ecs::NetworkBinding {
                bind_ip: "0.0.0.0",
                container_port: binding.container_port,
                host_port: binding.host_port,
                protocol: match binding.protocol {
                    Transport::Tcp => "tcp",
                    Transport::Udp => "udp",
                },
            })
            .collect(),
        network_interfaces: interface
            .iter()
            .map(|interface| ecs::NetworkInterface {
                attachment_id: interface.attachment_id.clone(),
                private_ipv4_address: interface.private_ip.to_string(),
            })
            .collect(),
        health_status: container.health.as_str(),
        managed_agents: managed_agents(task, container),
        cpu: cpu.unwrap_or_default().to_string(),
        memory: memory.map(|memory| memory.to_string()),
        memory_reservation: reserved.map(|memory| memory.to_string()),
    }
}

/// Returns the agent by which commands are run, where that was asked for. Here it is the node's own, so it is there
/// whenever the container is.
fn managed_agents(task: &Task, container: &Container) -> Vec<ManagedAgent> {
    if !task.enable_execute_command {
        return Vec::new();
    }
    let last_started_at = task.times.started_at.map(shown::time);
    vec![ManagedAgent {
        name: "ExecuteCommandAgent",
        last_status: container.last_status.as_str(),
        last_started_at,
    }]
}

fn overrides(task: &Task) -> ecs::TaskOverride {
    let TaskOverride { cpu, memory, task_role_arn, execution_role_arn, ephemeral_storage_gib, containers } =
        &task.overrides;
    let none = ContainerOverride::default();
    let of = |container: &Container| {
        let given = containers.iter().find(|given| given.name == container.name).unwrap_or(&none);
        ecs::ContainerOverride {
            name: container.name.clone(),
            command: given.command.clone().unwrap_or_default(),
            environment: shown::pairs(&given.environment),
            environment_files: shown::environment_files(given.environment_files.iter().flatten()),
            resource_requirements: Vec::new(),
            cpu: given.cpu.map(|cpu| cpu.0),
            memory: given.memory.map(|memory| memory.0),
            memory_reservation: given.memory_reservation.map(|memory| memory.0),
        }
    };
    ecs::TaskOverride {
        container_overrides: task.containers.iter().map(of).collect(),
        cpu: cpu.map(|cpu| cpu.to_string()),
        memory: memory.map(|memory| memory.to_string()),
        task_role_arn: task_role_arn.clone(),
        execution_role_arn: execution_role_arn.clone(),
        ephemeral_storage: ephemeral_storage_gib.map(shown::ephemeral_storage),
        inference_accelerator_overrides: Vec::new(),
    }
}

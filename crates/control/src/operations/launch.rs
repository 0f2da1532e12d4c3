//! Making a task: a node, an interface and a record, inside the caller's transaction.

use super::{interfaces, network_configuration, networks, task_definitions};
use crate::{Config, ids, look::Look};
use std::collections::{BTreeSet, HashMap};
use thiserror::Error;
use wharf_model::{
    DeploymentId, NodeId, ServiceName, TaskId, Timestamp,
    cluster::Cluster,
    network::InterfaceOwner,
    node::Node,
    service::AwsvpcConfiguration,
    tag::Tag,
    task::{
        Container, ContainerStatus, DesiredStatus, HealthStatus, Task, TaskOverride, TaskStatus, TaskTimes,
    },
    task_definition::{LaunchType, NetworkMode, TaskDefinition, Transport},
};
use wharf_plan::placement::{self, Holding, NoRoom, Room, Size};
use wharf_store::Draft;

/// What a task is made from.
#[derive(Debug, Clone)]
pub(crate) struct Launch<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) definition: &'a TaskDefinition,
    pub(crate) launch_type: LaunchType,
    pub(crate) network: &'a AwsvpcConfiguration,
    pub(crate) overrides: TaskOverride,
    pub(crate) group: String,
    pub(crate) started_by: Option<String>,
    pub(crate) service: Option<(ServiceName, DeploymentId)>,
    pub(crate) enable_execute_command: bool,
    pub(crate) client_token: Option<String>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) now: Timestamp,
}

/// Why a task cannot be made now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum NotLaunched {
    /// No node takes it.
    #[error("no container instance met all of its requirements")]
    NoRoom(NoRoom),
    /// It gets no interface.
    #[error(transparent)]
    Interface(#[from] interfaces::Error),
}

/// Returns what each node offers, and what its tasks hold.
pub(crate) fn rooms(look: &impl Look) -> Vec<Room> {
    let mut rooms: Vec<Room> = look
        .list::<Node>("")
        .iter()
        .map(|node| Room {
            node: node.id.clone(),
            offered: Size { cpu: node.cpu, memory: node.memory },
            taken_cpu: 0,
            taken_memory: 0,
            taken_ports: BTreeSet::new(),
        })
        .collect();
    let mut by_node: HashMap<NodeId, &mut Room> =
        rooms.iter_mut().map(|room| (room.node.clone(), room)).collect();
    for task in look.list::<Task>("") {
        if task.last_status != TaskStatus::Stopped
            && let Some(room) = by_node.get_mut(&task.node)
        {
            let definition = task_definitions::get(look, &task.definition);
            let mut ports = definition.map_or_else(Vec::new, |definition| host_ports(&definition));
            let bound = task.containers.iter().flat_map(|container| &container.network_bindings);
            ports.extend(bound.map(|binding| (binding.protocol, binding.host_port)));
            room.take(Size { cpu: task.cpu, memory: task.memory }, &ports);
        }
    }
    rooms
}

/// Makes a task and writes it; counts it into `rooms`. When it fails, the transaction must be given up: an address may
/// have been taken.
pub(crate) fn launch(
    draft: &mut Draft<'_>,
    config: &Config,
    rooms: &mut [Room],
    launch: Launch<'_>,
) -> Result<Task, NotLaunched> {
    let Launch { cluster, definition, network, overrides, now, .. } = launch;
    let size = Size {
        cpu: overrides.cpu.unwrap_or_else(|| task_definitions::task_cpu(definition)),
        memory: overrides.memory.unwrap_or_else(|| task_definitions::task_memory(definition)),
    };
    let holding = match launch.launch_type {
        LaunchType::Fargate => Holding::Shared,
        LaunchType::Ec2 => Holding::Reserved,
    };
    let ports = host_ports(definition);
    let node = placement::place(rooms, size, &ports, holding).map_err(NotLaunched::NoRoom)?;
    let id = ids::task();
    let place = &config.place;
    let (interface, zone) = if definition.network_mode == NetworkMode::Awsvpc {
        let new = interfaces::NewInterface {
            subnets: &network.subnets,
            groups: network_configuration::groups(draft, network),
            public: network.assign_public_ip,
            owner: InterfaceOwner::Task { task: id.clone(), node: node.clone() },
            now,
        };
        let made = interfaces::allocate(draft, new, config)?;
        (Some(made.id), made.zone)
    } else {
        let [zone, ..] = networks::zones(&place.region);
        (None, zone)
    };
    if let Some(room) = rooms.iter_mut().find(|room| room.node == node) {
        room.take(size, &ports);
    }
    let containers = definition
        .containers
        .iter()
        .map(|container| Container {
            name: container.name.clone(),
            arn: place.arn("ecs", format_args!("container/{}/{id}/{}", cluster.name, ids::uuid())),
            image: container.image.clone(),
            image_digest: None,
            runtime_id: None,
            last_status: ContainerStatus::Pending,
            exit_code: None,
            reason: None,
            network_bindings: Vec::new(),
            health: HealthStatus::Unknown,
        })
        .collect();
    let task = Task {
        arn: arn(config, cluster, &id),
        id,
        cluster: cluster.name.clone(),
        definition: definition.name(),
        launch_type: launch.launch_type,
        node,
        interface,
        zone,
        group: launch.group,
        started_by: launch.started_by,
        service: launch.service,
        overrides,
        cpu: size.cpu,
        memory: size.memory,
        desired_status: DesiredStatus::Running,
        last_status: TaskStatus::Provisioning,
        health: None,
        version: 1,
        containers,
        created_at: now,
        times: TaskTimes::default(),
        stop_code: None,
        stopped_reason: None,
        enable_execute_command: launch.enable_execute_command,
        client_token: launch.client_token,
        tags: launch.tags,
    };
    draft.put(task.clone());
    Ok(task)
}

/// Returns the ports of its node that a definition's task needs, whichever node it is.
fn host_ports(definition: &TaskDefinition) -> Vec<(Transport, u16)> {
    let mappings = definition.containers.iter().flat_map(|container| &container.port_mappings);
    let ports = mappings.flat_map(|mapping| match definition.network_mode {
        NetworkMode::Awsvpc | NetworkMode::None => Vec::new(),
        NetworkMode::Bridge => mapping.host_port.map(|port| (mapping.protocol, port)).into_iter().collect(),
        NetworkMode::Host => mapping.container_ports().map(|port| (mapping.protocol, port)).collect(),
    });
    ports.collect()
}

fn arn(config: &Config, cluster: &Cluster, id: &TaskId) -> wharf_model::Arn {
    config.place.arn("ecs", format_args!("task/{}/{id}", cluster.name))
}

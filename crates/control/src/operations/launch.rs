//! Making a task: a node, an interface and a record, inside the caller's transaction.

use super::{
    instances::{self, InstanceDetail},
    interfaces, network_configuration, networks, task_definitions,
};
use crate::{Config, ids, look::Look};
use std::collections::{BTreeMap, HashMap};
use thiserror::Error;
use wharf_model::{
    ClusterName, DeploymentId, NodeId, Place, ServiceName, TaskId, Timestamp,
    capacity::{CapacityProvider, StrategyItem},
    cluster::Cluster,
    instance::InstanceStatus,
    network::InterfaceOwner,
    placement::Strategy,
    service::AwsvpcConfiguration,
    tag::Tag,
    task::{
        Container, ContainerStatus, DesiredStatus, HealthStatus, Task, TaskOverride, TaskStatus, TaskTimes,
    },
    task_definition::{LaunchType, NetworkMode, TaskDefinition, Transport},
};
use wharf_plan::placement::{self, Asked, Field, Holding, NoRoom, Room, Rule, Size};
use wharf_store::Draft;

/// What a task is made from.
#[derive(Debug, Clone)]
pub(crate) struct Launch<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) definition: &'a TaskDefinition,
    pub(crate) launch_type: LaunchType,
    /// The capacity provider that places it, when a strategy does.
    pub(crate) provider: Option<String>,
    /// The only node that it may go to.
    pub(crate) only: Option<NodeId>,
    /// The only zone that it may go to.
    pub(crate) zone: Option<String>,
    pub(crate) rules: &'a [Rule],
    pub(crate) strategies: &'a [Strategy],
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

/// The nodes of a cluster, and what their tasks hold.
#[derive(Debug, Clone)]
pub(crate) struct Rooms {
    /// Those with an agent of ours: what Fargate tasks share.
    shared: Vec<Room>,
    /// The active container instances, each with the auto scaling group it says it is of.
    instances: Vec<(Room, Option<String>)>,
    /// The auto scaling group of each capacity provider.
    groups: HashMap<String, String>,
    /// The places of a node in both lists.
    places: HashMap<NodeId, (Option<usize>, Option<usize>)>,
    /// What the last task asked for, with the nodes that have room for another like it.
    field: Option<(Same, Field)>,
}

/// All that two tasks have in common which go the same way.
#[derive(Debug, Clone, PartialEq)]
struct Same {
    launch_type: LaunchType,
    provider: Option<String>,
    only: Option<NodeId>,
    size: Size,
    ports: Vec<(u16, Transport)>,
    rules: Vec<Rule>,
    strategies: Vec<Strategy>,
    group: String,
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

impl Rooms {
    /// Returns the container instances on which all but room holds: where a daemon belongs.
    pub(crate) fn members(&self, rules: &[Rule], providers: &[StrategyItem]) -> Vec<NodeId> {
        let of_a_provider = |group: &Option<String>| {
            providers.is_empty() || providers.iter().any(|item| self.is_of(group.as_deref(), &item.provider))
        };
        self.instances
            .iter()
            .filter(|(room, group)| of_a_provider(group) && placement::is_member(room, rules))
            .map(|(room, _)| room.node.clone())
            .collect()
    }

    fn candidates(&self, launch: &Launch<'_>) -> Vec<&Room> {
        let only = |room: &&Room| launch.only.as_ref().is_none_or(|only| room.node == *only);
        match launch.launch_type {
            LaunchType::Fargate => self.shared.iter().filter(only).collect(),
            LaunchType::Ec2 => self
                .instances
                .iter()
                .filter(|(_, group)| {
                    let provider = launch.provider.as_deref();
                    provider.is_none_or(|provider| self.is_of(group.as_deref(), provider))
                })
                .map(|(room, _)| room)
                .filter(only)
                .collect(),
        }
    }

    fn is_of(&self, group: Option<&str>, provider: &str) -> bool {
        group.is_none() || self.groups.get(provider).map(String::as_str) == group
    }

    /// Returns the node for a task.
    fn place(&mut self, launch: &Launch<'_>, asked: &Asked<'_>) -> Result<NodeId, NoRoom> {
        let same = Same {
            launch_type: launch.launch_type,
            provider: launch.provider.clone(),
            only: launch.only.clone(),
            size: asked.size,
            ports: asked.ports.to_vec(),
            rules: asked.rules.to_vec(),
            strategies: asked.strategies.to_vec(),
            group: asked.group.to_owned(),
        };
        if self.field.as_ref().is_none_or(|(known, _)| *known != same) {
            self.field = Field::of(self.candidates(launch), asked).map(|field| (same, field));
        }
        match self.field.as_ref().and_then(|(_, field)| field.best()) {
            Some(best) => Ok(best.clone()),
            // Chance decides, or it is to be said why no node takes it.
            None => placement::place(self.candidates(launch), asked),
        }
    }

    fn take(&mut self, node: &NodeId, asked: &Asked<'_>, launch_type: LaunchType) {
        let (shared, instance) = self.places.get(node).copied().unwrap_or_default();
        let shared = shared.and_then(|at| self.shared.get_mut(at));
        let instance = instance.and_then(|at| self.instances.get_mut(at)).map(|(room, _)| room);
        let mut changed = None;
        for (of, room) in [(LaunchType::Fargate, shared), (LaunchType::Ec2, instance)] {
            let Some(room) = room else { continue };
            room.take(asked.size, asked.ports, asked.group);
            changed = if of == launch_type { Some(&*room) } else { changed };
        }
        if let (Some((_, field)), Some(room)) = (&mut self.field, changed) {
            field.update(room, asked);
        }
    }
}

/// Returns what each node of a cluster offers, and what its tasks hold.
pub(crate) fn rooms(look: &impl Look, place: &Place, cluster: &ClusterName) -> Rooms {
    let mut instances = instances::of_cluster(look, cluster);
    instances.retain(|instance| instance.record.status == InstanceStatus::Active);
    let mut groups: HashMap<NodeId, BTreeMap<String, usize>> = HashMap::new();
    for task in look.list::<Task>(&format!("{cluster}/")) {
        if task.last_status != TaskStatus::Stopped {
            *groups.entry(task.node.clone()).or_default().entry(task.group.clone()).or_default() += 1;
        }
    }
    let mut room = |detail: &InstanceDetail| Room {
        node: detail.instance.record.id.clone(),
        offered: Size { cpu: detail.instance.cpu(), memory: detail.instance.memory() },
        taken_cpu: detail.taken_cpu,
        taken_memory: detail.taken_memory,
        ports: detail.ports.clone(),
        facts: detail.facts(groups.remove(&detail.instance.record.id).unwrap_or_default()),
    };
    let details = instances::details(look, place, instances);
    let instances: Vec<(Room, Option<String>)> =
        details.iter().map(|detail| (room(detail), detail.instance.group().map(str::to_owned))).collect();
    // A node that drains, or left the cluster, as an instance still takes Fargate tasks: these know no instances.
    let nodes = instances::details(look, place, instances::machines(look, cluster));
    let known: HashMap<&NodeId, &Room> = instances.iter().map(|(room, _)| (&room.node, room)).collect();
    let shared = nodes
        .iter()
        .map(|detail| {
            let known = known.get(&detail.instance.record.id);
            known.map_or_else(|| room(detail), |room| (*room).clone())
        })
        .collect();
    let providers = look.list::<CapacityProvider>("");
    let groups = providers.iter().map(|provider| (provider.name.clone(), provider.group_name().to_owned()));
    let groups = groups.collect();
    let shared: Vec<Room> = shared;
    let mut places: HashMap<NodeId, (Option<usize>, Option<usize>)> = HashMap::new();
    for (at, room) in shared.iter().enumerate() {
        places.entry(room.node.clone()).or_default().0 = Some(at);
    }
    for (at, (room, _)) in instances.iter().enumerate() {
        places.entry(room.node.clone()).or_default().1 = Some(at);
    }
    Rooms { shared, instances, groups, places, field: None }
}

/// Makes a task and writes it; counts it into `rooms`. When it fails, the transaction must be given up: an address may
/// have been taken.
pub(crate) fn launch(
    draft: &mut Draft<'_>,
    config: &Config,
    rooms: &mut Rooms,
    launch: Launch<'_>,
) -> Result<Task, NotLaunched> {
    let Launch { cluster, definition, network, ref overrides, now, .. } = launch;
    let size = Size {
        cpu: overrides.cpu.unwrap_or_else(|| task_definitions::task_cpu(definition)),
        memory: overrides.memory.unwrap_or_else(|| task_definitions::task_memory(definition)),
    };
    let ports = task_definitions::host_ports(definition);
    let asked = Asked {
        size,
        holding: match launch.launch_type {
            LaunchType::Fargate => Holding::Shared,
            LaunchType::Ec2 => Holding::Reserved,
        },
        ports: &ports,
        rules: launch.rules,
        strategies: launch.strategies,
        group: &launch.group,
        dice: ids::dice(),
    };
    let node = rooms.place(&launch, &asked).map_err(NotLaunched::NoRoom)?;
    let subnets = match &launch.zone {
        Some(zone) => network_configuration::of_zone(draft, network, zone),
        None => network.subnets.clone(),
    };
    let id = ids::task();
    let place = &config.place;
    let (interface, zone) = if definition.network_mode == NetworkMode::Awsvpc {
        let new = interfaces::NewInterface {
            subnets: &subnets,
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
    rooms.take(&node, &asked, launch.launch_type);
    let containers = definition
        .containers
        .iter()
        .map(|container| Container {
            name: container.name.clone(),
            arn: place.arn("ecs", format_args!("container/{}/{id}/{}", cluster.name, ids::uuid())),
            image: container.image.as_str().into(),
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
        capacity_provider: launch.provider,
        node,
        interface,
        zone: zone.into(),
        group: launch.group,
        started_by: launch.started_by,
        service: launch.service,
        overrides: launch.overrides,
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
        protected_until: None,
        client_token: launch.client_token,
        tags: launch.tags,
    };
    draft.put(task.clone());
    Ok(task)
}

fn arn(config: &Config, cluster: &Cluster, id: &TaskId) -> wharf_model::Arn {
    config.place.arn("ecs", format_args!("task/{}/{id}", cluster.name))
}

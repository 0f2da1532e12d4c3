//! Container instances: the machines of a cluster.
//!
//! A machine with an agent of ours is an instance of every cluster until it is deregistered there; other agents register
//! theirs with one cluster.

mod registration;

pub use registration::{Registration, deregister, register, set_status};

use super::{Described, Error, Failure, clusters, references, task_definitions};
use crate::{Control, look::Look};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use wharf_model::{
    Arn, ClusterName, CpuUnits, Mebibytes, NodeId, Place,
    instance::{Attribute, ContainerInstance, InstanceStatus},
    node::Node,
    task::{Task, TaskStatus},
    task_definition::{LaunchType, Transport},
};
use wharf_plan::query::{Expression, Facts};
use wharf_store::{Draft, ON_NODE};

/// The version that agents of ours report.
pub const AGENT_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The ports that no task gets: ssh, and those that container runtimes and agents keep for themselves.
const RESERVED: [(u16, Transport); 5] = [
    (22, Transport::Tcp),
    (2375, Transport::Tcp),
    (2376, Transport::Tcp),
    (51678, Transport::Tcp),
    (51679, Transport::Tcp),
];
/// The most custom attributes of an instance.
pub(super) const ATTRIBUTES_MAX: usize = 10;

/// A container instance: what its cluster keeps of it, and its machine when the agent is ours.
#[derive(Debug, Clone)]
pub struct Instance {
    /// What its cluster keeps of it.
    pub record: ContainerInstance,
    /// The machine.
    pub node: Option<Arc<Node>>,
}

/// An instance with its tasks.
#[derive(Debug, Clone)]
pub struct InstanceDetail {
    /// The instance.
    pub instance: Instance,
    /// Its ARN.
    pub arn: Arn,
    /// All its attributes.
    pub attributes: BTreeMap<String, Option<String>>,
    /// Its cluster's tasks that run on it.
    pub running: usize,
    /// Its cluster's tasks that will.
    pub pending: usize,
    /// What is held of its processors.
    pub taken_cpu: u64,
    /// What is held of its memory, in mebibytes.
    pub taken_memory: u64,
    /// The ports that are reserved on it or taken.
    pub ports: BTreeSet<(u16, Transport)>,
}

impl Instance {
    /// Returns the processors it offers.
    pub fn cpu(&self) -> CpuUnits {
        let external = self.record.external.as_ref().map(|external| external.cpu);
        self.node.as_ref().map(|node| node.cpu).or(external).unwrap_or_default()
    }

    /// Returns the memory it offers.
    pub fn memory(&self) -> Mebibytes {
        let external = self.record.external.as_ref().map(|external| external.memory);
        self.node.as_ref().map(|node| node.memory).or(external).unwrap_or_default()
    }

    /// Returns whether its agent is there. One that is not ours is taken to be: it has no connection.
    pub fn is_connected(&self) -> bool {
        self.node.as_ref().map_or(self.record.status != InstanceStatus::Inactive, |node| node.connected)
    }

    /// Returns its agent's version.
    pub fn agent_version(&self) -> &str {
        self.record.external.as_ref().map_or(AGENT_VERSION, |external| &external.agent_version)
    }

    /// Returns the ports that are reserved on it.
    pub fn reserved_ports(&self) -> BTreeSet<(u16, Transport)> {
        match &self.record.external {
            Some(external) => external.reserved_ports.iter().copied().collect(),
            None => RESERVED.into(),
        }
    }

    /// Returns all its attributes: those it has by itself and those it was given.
    pub fn attributes(&self, place: &Place) -> BTreeMap<String, Option<String>> {
        let mut attributes = BTreeMap::new();
        if self.node.is_some() {
            let architecture = match std::env::consts::ARCH {
                "aarch64" => "arm64",
                other => other,
            };
            let zone = format!("{}a", place.region);
            let own = [
                ("ecs.availability-zone", zone.as_str()),
                ("ecs.cpu-architecture", architecture),
                ("ecs.os-type", "linux"),
                ("ecs.os-family", "LINUX"),
            ];
            attributes.extend(own.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))));
            let capabilities = [
                "com.amazonaws.ecs.capability.ecr-auth",
                "com.amazonaws.ecs.capability.logging-driver.awslogs",
                "com.amazonaws.ecs.capability.logging-driver.json-file",
                "ecs.capability.task-eni",
            ];
            attributes.extend(capabilities.map(|name| (name.to_owned(), None)));
        }
        let given = self.record.attributes.iter().cloned();
        attributes.extend(given.map(|Attribute { name, value }| (name, value)));
        attributes
    }

    /// Returns the auto scaling group it says it is of.
    pub(crate) fn group(&self) -> Option<&str> {
        let named = self.record.attributes.iter().find(|attribute| attribute.name == GROUP_ATTRIBUTE);
        named?.value.as_deref()
    }
}

/// The attribute by which an instance says of which auto scaling group it is. One that names none is of every group.
pub const GROUP_ATTRIBUTE: &str = "wharf.auto-scaling-group";

impl InstanceDetail {
    /// Returns what expressions may ask of it.
    pub fn facts(&self, groups: BTreeMap<String, usize>) -> Facts {
        let record = &self.instance.record;
        let external = record.external.as_ref().and_then(|external| external.instance_id.clone());
        let attributes = self.attributes.iter().map(|(name, value)| (name, value.as_deref().map(Into::into)));
        Facts {
            instance_id: external.unwrap_or_else(|| record.id.to_string()),
            attributes: attributes.collect(),
            agent_connected: self.instance.is_connected(),
            agent_version: self.instance.agent_version().to_owned(),
            registered_at: record.registered_at,
            groups: groups.into_iter().collect(),
            running_tasks: self.running,
        }
    }
}

/// Returns a cluster's instances that are not deregistered, in the order of their ids.
pub(crate) fn of_cluster(look: &impl Look, cluster: &ClusterName) -> Vec<Instance> {
    let records = look.list::<ContainerInstance>(&format!("{cluster}/"));
    let kept: HashMap<&NodeId, _> = records.iter().map(|record| (&record.id, record)).collect();
    let mut instances: Vec<Instance> = look
        .list::<Node>("")
        .into_iter()
        .map(|node| {
            let record =
                kept.get(&node.id).map_or_else(|| unchanged(cluster, &node), |record| (***record).clone());
            Instance { record, node: Some(node) }
        })
        .collect();
    let others = records.iter().filter(|record| record.external.is_some());
    instances.extend(others.map(|record| Instance { record: (**record).clone(), node: None }));
    instances.retain(|instance| instance.record.status != InstanceStatus::Inactive);
    instances.sort_by(|left, right| left.record.id.cmp(&right.record.id));
    instances
}

/// Returns the machines with an agent of ours, whatever the cluster says of them.
pub(crate) fn machines(look: &impl Look, cluster: &ClusterName) -> Vec<Instance> {
    let of = |node: Arc<Node>| Instance { record: unchanged(cluster, &node), node: Some(node) };
    look.list::<Node>("").into_iter().map(of).collect()
}

/// Returns an instance that is not deregistered.
pub(crate) fn find(look: &impl Look, cluster: &ClusterName, id: &NodeId) -> Option<Instance> {
    of_cluster(look, cluster).into_iter().find(|instance| instance.record.id == *id)
}

/// Returns instances with their tasks.
pub(crate) fn details(look: &impl Look, place: &Place, instances: Vec<Instance>) -> Vec<InstanceDetail> {
    let detail = |instance: Instance| {
        let Instance { record, .. } = &instance;
        let mut detail = InstanceDetail {
            arn: arn(place, &record.cluster, &record.id),
            attributes: instance.attributes(place),
            running: 0,
            pending: 0,
            taken_cpu: 0,
            taken_memory: 0,
            ports: instance.reserved_ports(),
            instance: instance.clone(),
        };
        for task in look.find::<Task>(ON_NODE, record.id.as_str()) {
            detail.taken_cpu += u64::from(task.cpu.0);
            detail.taken_memory += u64::from(task.memory.0);
            let definition = task_definitions::get(look, &task.definition);
            let asked = definition.iter().flat_map(|definition| task_definitions::host_ports(definition));
            let bound = task.containers.iter().flat_map(|container| &container.network_bindings);
            detail.ports.extend(asked.chain(bound.map(|binding| (binding.host_port, binding.protocol))));
            if task.cluster == record.cluster && task.launch_type == LaunchType::Ec2 {
                detail.running += usize::from(task.last_status == TaskStatus::Running);
                detail.pending += usize::from(task.last_status < TaskStatus::Running);
            }
        }
        detail
    };
    instances.into_iter().map(detail).collect()
}

/// Describes instances.
pub fn describe(
    control: &Control,
    cluster: &ClusterName,
    given: &[String],
) -> Result<Described<InstanceDetail>, Error> {
    let place = &control.config().place;
    let view = control.store().view();
    clusters::active(&view, cluster)?;
    let known = of_cluster(&view, cluster);
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for given in given {
        let named = references::instance(given, cluster, place);
        match named.as_ref().and_then(|id| known.iter().find(|instance| instance.record.id == *id)) {
            Some(instance) => found.push(instance.clone()),
            None => failures.push(missing(given, cluster, place)),
        }
    }
    Ok(Described { found: details(&view, place, found), failures })
}

/// Returns the instances with this status for which the expression holds, in the order of their ids.
pub fn list(
    control: &Control,
    cluster: &ClusterName,
    status: Option<InstanceStatus>,
    filter: Option<&str>,
) -> Result<Vec<InstanceDetail>, Error> {
    let filter = filter.map(str::parse::<Expression>).transpose();
    let filter = filter.map_err(|error| Error::invalid(error.to_string()))?;
    let place = &control.config().place;
    let view = control.store().view();
    clusters::active(&view, cluster)?;
    let tasks = view.list::<Task>(&format!("{cluster}/"));
    let mut found = details(&view, place, of_cluster(&view, cluster));
    found.retain(|detail| {
        let record = &detail.instance.record;
        status.is_none_or(|status| status == record.status)
            && filter.as_ref().is_none_or(|filter| filter.holds(&detail.facts(groups(&tasks, &record.id))))
    });
    Ok(found)
}

/// Returns how many tasks of each group are on an instance.
fn groups(tasks: &[Arc<Task>], id: &NodeId) -> BTreeMap<String, usize> {
    let mut groups = BTreeMap::new();
    let there = |task: &&Arc<Task>| task.node == *id && task.last_status != TaskStatus::Stopped;
    for task in tasks.iter().filter(there) {
        *groups.entry(task.group.clone()).or_default() += 1;
    }
    groups
}

/// Returns an instance's ARN.
pub fn arn(place: &Place, cluster: &ClusterName, id: &NodeId) -> Arn {
    place.arn("ecs", format_args!("container-instance/{cluster}/{id}"))
}

/// Returns what a cluster says of a machine about which nothing was changed.
fn unchanged(cluster: &ClusterName, node: &Node) -> ContainerInstance {
    ContainerInstance {
        id: node.id.clone(),
        cluster: cluster.clone(),
        status: InstanceStatus::Active,
        attributes: Vec::new(),
        tags: Vec::new(),
        version: 1,
        registered_at: node.registered_at,
        external: None,
    }
}

fn missing(given: &str, cluster: &ClusterName, place: &Place) -> Failure {
    match given.starts_with("arn:") {
        true => Failure::missing(given),
        false => Failure::missing(place.arn("ecs", format_args!("container-instance/{cluster}/{given}"))),
    }
}

/// Returns the instances that drain or are deregistered: services move their tasks away from them.
pub(crate) fn leaving(look: &impl Look, cluster: &ClusterName) -> BTreeSet<NodeId> {
    let records = look.list::<ContainerInstance>(&format!("{cluster}/"));
    let leaves = |record: &&Arc<ContainerInstance>| record.status != InstanceStatus::Active;
    records.iter().filter(leaves).map(|record| record.id.clone()).collect()
}

/// Forgets what a deleted cluster kept of machines.
pub(super) fn forget(draft: &mut Draft<'_>, cluster: &ClusterName) {
    for record in draft.list::<ContainerInstance>(&format!("{cluster}/")) {
        draft.delete::<ContainerInstance>(&format!("{cluster}/{}", record.id));
    }
}

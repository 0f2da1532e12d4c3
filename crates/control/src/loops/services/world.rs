//! What is seen of a service: its tasks, and how each of them is.

use crate::{
    Config,
    look::Look,
    operations::{instances, launch, network_configuration, run_task, services, task_definitions},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use wharf_model::{
    Arn, DeploymentId, NodeId, Timestamp,
    network::NetworkInterface,
    service::{Deployment, Rollout, Scheduling, Service, ServiceLoadBalancer, ServiceStatus},
    target_group::{Target, TargetAddress, TargetState},
    task::{DesiredStatus, HealthStatus, Task, TaskStatus},
};
use wharf_plan::service::{
    Health,
    health::{self, ContainerHealth, Failing, Signs},
    zones,
};
use wharf_store::{OF_SERVICE, OF_TASK, Record, TargetHealthRecord, target_key};

/// What is seen of a service.
pub(super) struct Seen<'a> {
    pub(super) service: &'a Arc<Service>,
    /// Its tasks that should run and do not stop, oldest first.
    pub(super) live: Vec<Live>,
    /// The deployments of all its tasks that are not gone.
    pub(super) present: Vec<DeploymentId>,
    /// The instances on which a daemon belongs.
    pub(super) members: Vec<NodeId>,
    /// The number of zones that are to be kept even.
    pub(super) even_zones: usize,
}

/// A task of a service.
pub(super) struct Live {
    pub(super) task: Arc<Task>,
    pub(super) deployment: DeploymentId,
    pub(super) health: Health,
    /// What fails.
    pub(super) failing: Option<Fails>,
    /// Where it is still to be registered.
    pub(super) missing: Vec<(Arn, TargetAddress)>,
    /// Whether it is to go because its instance does.
    pub(super) leaving: bool,
    /// Whether it is not to be stopped for being too many.
    pub(super) protected: bool,
    /// How many of the service's tasks in its zone are older.
    pub(super) crowd: usize,
}

/// What fails of a task.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fails {
    /// A container's own check.
    Container,
    /// A target, with its port and the reason.
    Target(Arn, u16, String),
}

impl Seen<'_> {
    /// Returns whether something may become due with the time alone.
    pub(super) fn waits(&self) -> bool {
        let unsettled = |part: &Deployment| part.retry_at.is_some() || part.rollout == Rollout::InProgress;
        self.service.status == ServiceStatus::Draining
            || self.live.iter().any(|live| live.health != Health::Healthy || live.protected)
            || services::parts(self.service).any(unsettled)
    }
}

/// Looks at a service.
pub(super) fn seen<'a>(
    look: &impl Look,
    service: &'a Arc<Service>,
    config: &Config,
    now: Timestamp,
) -> Seen<'a> {
    let mut tasks = look.find::<Task>(OF_SERVICE, &service.key());
    tasks.sort_by_key(|task| task.created_at);
    let deployment = |task: &Task| task.service.as_ref().map(|(_, deployment)| deployment.clone());
    let leaving = instances::leaving(look, &service.cluster);
    let is_live = |task: &&Arc<Task>| {
        task.desired_status == DesiredStatus::Running && task.last_status <= TaskStatus::Running
    };
    let crowds = zones::crowds(tasks.iter().filter(is_live).map(|task| task.zone.as_str()));
    let live = tasks
        .iter()
        .filter(is_live)
        .zip(crowds)
        .filter_map(|(task, crowd)| {
            let deployment = deployment(task)?;
            let (health, failing, missing) = condition(look, service, task, config, now);
            let leaving = is_on(&leaving, task);
            let protected = service.status == ServiceStatus::Active
                && task.protected_until.is_some_and(|until| until > now);
            let task = Arc::clone(task);
            Some(Live { task, deployment, health, failing, missing, leaving, protected, crowd })
        })
        .collect();
    let present = tasks.iter().filter_map(|task| deployment(task)).collect();
    let members = match service.scheduling {
        Scheduling::Replica => Vec::new(),
        Scheduling::Daemon => {
            let primary = service.deployments.first();
            let definition = primary.and_then(|primary| task_definitions::get(look, &primary.definition));
            let rules =
                definition.and_then(|definition| run_task::rules(&definition, &service.placement).ok());
            let rooms = launch::rooms(look, &config.place, &service.cluster);
            rules.map_or_else(Vec::new, |rules| rooms.members(&rules, &service.strategy))
        }
    };
    let even_zones = match service.zone_rebalancing {
        true => network_configuration::zones(look, &service.network).len(),
        false => 0,
    };
    Seen { service, live, present, members, even_zones }
}

fn condition(
    look: &impl Look,
    service: &Service,
    task: &Task,
    config: &Config,
    now: Timestamp,
) -> (Health, Option<Fails>, Vec<(Arn, TargetAddress)>) {
    let ran = task.times.started_at.filter(|_| task.last_status == TaskStatus::Running);
    let mut missing = Vec::new();
    let mut targets = Vec::new();
    let interface = ran.and_then(|_| look.get::<NetworkInterface>(task.interface.as_ref()?.as_str()));
    let load_balancers = load_balancers(service, task);
    let there = match load_balancers {
        [] => Vec::new(),
        _ => look.find::<Target>(OF_TASK, task.id.as_str()),
    };
    for ServiceLoadBalancer { target_group, container_port, .. } in load_balancers {
        let Some(interface) = &interface else {
            targets.push((None, None));
            continue;
        };
        let address = TargetAddress { ip: interface.private_ip, port: *container_port };
        if !is_registered(&there, target_group, &address) {
            missing.push((target_group.clone(), address));
            targets.push((None, None));
            continue;
        }
        let known = look.get::<TargetHealthRecord>(&target_key(target_group, &address));
        let state = known.as_ref().map_or(TargetState::Initial, |known| known.health.state);
        targets.push((Some(state), known.and_then(|known| known.health.description.clone())));
    }
    let states: Vec<Option<TargetState>> = targets.iter().map(|(state, _)| *state).collect();
    let (health, failing) = health::judge(&Signs {
        ran: ran.map(|started_at| now.since(started_at)),
        containers: container_health(task),
        targets: &states,
        grace: Duration::from_secs(service.grace_secs.into()),
        healthy_after: Duration::from_secs(config.healthy_after_secs.into()),
    });
    let failing = failing.map(|failing| match failing {
        Failing::Container => Fails::Container,
        Failing::Target(place) => {
            let ServiceLoadBalancer { target_group, container_port, .. } = &load_balancers[place];
            let words = targets[place].1.clone();
            let words = words.unwrap_or_else(|| "Health checks failed".to_owned());
            Fails::Target(target_group.clone(), *container_port, words)
        }
    });
    (health, failing, missing)
}

fn is_registered(targets: &[Arc<Target>], group: &Arn, address: &TargetAddress) -> bool {
    targets.iter().any(|target| {
        target.target_group == *group && target.address == *address && target.draining_since.is_none()
    })
}

/// Returns the target groups of a task: those of its deployment.
fn load_balancers<'a>(service: &'a Service, task: &Task) -> &'a [ServiceLoadBalancer] {
    let of = task.service.as_ref().map(|(_, deployment)| deployment);
    let part = services::parts(service).find(|part| Some(&part.id) == of);
    let own = part.and_then(|part| part.terms.load_balancers.as_deref());
    own.unwrap_or(&service.load_balancers)
}

/// Returns what the checks of a task's containers say together.
fn container_health(task: &Task) -> ContainerHealth {
    match task.health {
        None => ContainerHealth::Unchecked,
        Some(HealthStatus::Unknown) => ContainerHealth::Unknown,
        Some(HealthStatus::Healthy) => ContainerHealth::Healthy,
        Some(HealthStatus::Unhealthy) => ContainerHealth::Unhealthy,
    }
}

/// Returns whether a task has to leave its instance. Fargate tasks know no instances.
fn is_on(leaving: &BTreeSet<NodeId>, task: &Task) -> bool {
    task.launch_type == wharf_model::task_definition::LaunchType::Ec2 && leaving.contains(&task.node)
}

/// Returns how many live tasks each zone has.
pub(super) fn by_zone(live: &[Live]) -> BTreeMap<String, usize> {
    let mut zones = BTreeMap::new();
    for live in live {
        *zones.entry(live.task.zone.to_string()).or_default() += 1;
    }
    zones
}

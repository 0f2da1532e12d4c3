//! What is seen of a service: its tasks, and how each of them is.

use crate::{Config, look::Look};
use std::{collections::HashMap, sync::Arc, time::Duration};
use wharf_model::{
    Arn, ClusterName, DeploymentId, ServiceName, TaskId, Timestamp,
    network::NetworkInterface,
    service::{Service, ServiceLoadBalancer},
    target_group::{Target, TargetAddress, TargetState},
    task::{DesiredStatus, Task, TaskStatus},
};
use wharf_plan::service::Health;
use wharf_store::{TargetHealthRecord, target_key};

/// The tasks and targets there are, by whom they belong to.
pub(super) struct World {
    tasks: HashMap<(ClusterName, ServiceName), Vec<Arc<Task>>>,
    targets: HashMap<TaskId, Vec<Arc<Target>>>,
}

/// What is seen of a service.
pub(super) struct Seen<'a> {
    pub(super) service: &'a Arc<Service>,
    /// Its tasks that should run and do not stop, oldest first.
    pub(super) live: Vec<Live>,
    /// The deployments of all its tasks that are not gone.
    pub(super) present: Vec<DeploymentId>,
}

/// A task of a service.
pub(super) struct Live {
    pub(super) task: Arc<Task>,
    pub(super) deployment: DeploymentId,
    pub(super) health: Health,
    /// The target that fails its checks, with its reason.
    pub(super) failing: Option<(Arn, u16, String)>,
    /// Where it is still to be registered.
    pub(super) missing: Vec<(Arn, TargetAddress)>,
}

impl World {
    /// Looks at the tasks whose keys start with `prefix`.
    pub(super) fn of(look: &impl Look, prefix: &str) -> World {
        let mut tasks: HashMap<_, Vec<Arc<Task>>> = HashMap::new();
        for task in look.list::<Task>(prefix) {
            if let Some((service, _)) = &task.service
                && task.last_status != TaskStatus::Stopped
            {
                tasks.entry((task.cluster.clone(), service.clone())).or_default().push(task);
            }
        }
        tasks.values_mut().for_each(|tasks| tasks.sort_by_key(|task| task.created_at));
        let mut targets: HashMap<_, Vec<Arc<Target>>> = HashMap::new();
        for target in look.list::<Target>("") {
            if let Some(task) = &target.task {
                targets.entry(task.clone()).or_default().push(target);
            }
        }
        World { tasks, targets }
    }

    /// Returns what is seen of a service.
    pub(super) fn seen<'a>(
        &self,
        look: &impl Look,
        service: &'a Arc<Service>,
        config: &Config,
        now: Timestamp,
    ) -> Seen<'a> {
        let of = (service.cluster.clone(), service.name.clone());
        let tasks = self.tasks.get(&of).map_or(&[][..], Vec::as_slice);
        let deployment = |task: &Task| task.service.as_ref().map(|(_, deployment)| deployment.clone());
        let live = tasks
            .iter()
            .filter(|task| {
                task.desired_status == DesiredStatus::Running && task.last_status <= TaskStatus::Running
            })
            .filter_map(|task| {
                let deployment = deployment(task)?;
                let (health, failing, missing) = self.condition(look, service, task, config, now);
                Some(Live { task: Arc::clone(task), deployment, health, failing, missing })
            })
            .collect();
        Seen { service, live, present: tasks.iter().filter_map(|task| deployment(task)).collect() }
    }

    #[expect(clippy::type_complexity, reason = "used once, above")]
    fn condition(
        &self,
        look: &impl Look,
        service: &Service,
        task: &Task,
        config: &Config,
        now: Timestamp,
    ) -> (Health, Option<(Arn, u16, String)>, Vec<(Arn, TargetAddress)>) {
        let started_at = match task.times.started_at {
            Some(started_at) if task.last_status == TaskStatus::Running => started_at,
            _ => return (Health::Pending, None, Vec::new()),
        };
        let ran = now.since(started_at);
        if service.load_balancers.is_empty() {
            let long_enough = ran >= Duration::from_secs(config.healthy_after_secs.into());
            let health = if long_enough { Health::Healthy } else { Health::Starting };
            return (health, None, Vec::new());
        }
        let interface = task.interface.as_ref();
        let Some(interface) = interface.and_then(|id| look.get::<NetworkInterface>(id.as_str())) else {
            return (Health::Starting, None, Vec::new());
        };
        let in_grace = ran < Duration::from_secs(service.grace_secs.into());
        let (mut health, mut failing, mut missing) = (Health::Healthy, None, Vec::new());
        for ServiceLoadBalancer { target_group, container_port, .. } in &service.load_balancers {
            let address = TargetAddress { ip: interface.private_ip, port: *container_port };
            if !self.is_registered(task, target_group, &address) {
                missing.push((target_group.clone(), address));
                health = health.max(Health::Starting);
                continue;
            }
            let known = look.get::<TargetHealthRecord>(&target_key(target_group, &address));
            match known.as_ref().map_or(TargetState::Initial, |known| known.health.state) {
                // Nobody checks the last two, so nobody will ever know better.
                TargetState::Healthy | TargetState::Unavailable | TargetState::Unused => {}
                TargetState::Unhealthy if !in_grace => {
                    let words = known.and_then(|known| known.health.description.clone());
                    let words = words.unwrap_or_else(|| "Health checks failed".to_owned());
                    failing = Some((target_group.clone(), *container_port, words));
                    health = Health::Failing;
                }
                TargetState::Initial | TargetState::Unhealthy | TargetState::Draining => {
                    health = health.max(Health::Starting)
                }
            }
        }
        (health, failing, missing)
    }

    fn is_registered(&self, task: &Task, group: &Arn, address: &TargetAddress) -> bool {
        let targets = self.targets.get(&task.id).map_or(&[][..], Vec::as_slice);
        targets.iter().any(|target| {
            target.target_group == *group && target.address == *address && target.draining_since.is_none()
        })
    }
}

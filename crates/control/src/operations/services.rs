//! Services: what their owners ask for. `loops::services` brings it about.

mod change;
mod validate;

pub use change::{UpdateService, update};
pub(super) use validate::check_load_balancers;

use super::{
    Described, Error, Failure,
    capacity_providers::{self, Capacity},
    clusters, references, service_deployments,
};
use crate::{Control, ids, look::Look};
use std::{collections::BTreeMap, sync::Arc};
use wharf_model::{
    ClusterName, DeploymentId, ServiceName, Timestamp,
    placement::Placement,
    service::{
        AwsvpcConfiguration, CircuitBreaker, Controller, Deployment, DeploymentState, DeploymentStatus,
        PropagateTags, Rollout, Scheduling, Service, ServiceEvent, ServiceLoadBalancer, ServiceStatus, Terms,
    },
    tag::Tag,
    task::{DesiredStatus, Task, TaskStatus},
    task_definition::Revision,
};

use wharf_store::{OF_SERVICE, Record};

/// How many events a service keeps.
const EVENTS_MAX: usize = 100;

/// What a service is made from.
#[derive(Debug, Clone)]
pub struct CreateService {
    /// The cluster.
    pub cluster: ClusterName,
    /// Its name.
    pub name: ServiceName,
    /// What its tasks are started from, as given; absent when somebody else deploys.
    pub definition: Option<String>,
    /// How many tasks it keeps; absent for a daemon.
    pub desired_count: Option<u32>,
    /// What its tasks are placed by.
    pub capacity: Capacity,
    /// Where its tasks may go and should go.
    pub placement: Placement,
    /// Whether it keeps a number of tasks, or one on each instance.
    pub scheduling: Scheduling,
    /// Who deploys.
    pub controller: Controller,
    /// Whether its zones are kept even.
    pub zone_rebalancing: bool,
    /// The lower bound of its deployments, in percent.
    pub healthy_min_percent: Option<u32>,
    /// The upper bound of its deployments, in percent.
    pub live_max_percent: Option<u32>,
    /// Whether a deployment that does not come up is given up.
    pub circuit_breaker: CircuitBreaker,
    /// The target groups that its tasks are registered with.
    pub load_balancers: Vec<ServiceLoadBalancer>,
    /// Where its tasks' interfaces are made.
    pub network: Option<AwsvpcConfiguration>,
    /// Seconds in which failed checks of a new task do not count.
    pub grace_secs: u32,
    /// Makes the request one that can be repeated.
    pub client_token: Option<String>,
    /// From where its tasks take their tags.
    pub propagate_tags: PropagateTags,
    /// Whether its tasks are tagged with their cluster and service.
    pub managed_tags: bool,
    /// Whether commands can be run in the containers of its tasks.
    pub enable_execute_command: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Who makes it.
    pub created_by: String,
}

/// A service with the numbers of its tasks.
#[derive(Debug, Clone)]
pub struct ServiceDetail {
    /// The service.
    pub service: Arc<Service>,
    /// The numbers of each deployment's tasks.
    pub counts: BTreeMap<DeploymentId, Counts>,
}

/// Numbers of tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that run.
    pub running: usize,
    /// Those that will.
    pub pending: usize,
    /// Those that should run.
    pub wanted: usize,
}

impl ServiceDetail {
    /// Returns the numbers of all the service's tasks.
    pub fn total(&self) -> Counts {
        self.counts.values().fold(Counts::default(), |sum, counts| Counts {
            running: sum.running + counts.running,
            pending: sum.pending + counts.pending,
            wanted: sum.wanted + counts.wanted,
        })
    }

    /// Returns the numbers of a deployment's tasks.
    pub fn of(&self, deployment: &DeploymentId) -> Counts {
        self.counts.get(deployment).copied().unwrap_or_default()
    }
}

/// Makes a service. Its tasks follow.
pub async fn create(control: &Control, request: CreateService) -> Result<ServiceDetail, Error> {
    let now = control.now();
    let created = control
        .store()
        .update(|draft| {
            let key = format!("{}/{}", request.cluster, request.name);
            if let Some(known) = draft.get::<Service>(&key) {
                match known.status {
                    ServiceStatus::Active if validate::is_repetition(&known, &request, control) => {
                        return Ok(detail(draft, known));
                    }
                    ServiceStatus::Active => {
                        return Err(Error::invalid("Creation of service was not idempotent."));
                    }
                    ServiceStatus::Draining => {
                        return Err(Error::invalid("Unable to Start a service that is still Draining."));
                    }
                    ServiceStatus::Inactive => {}
                }
            }
            let place = &control.config().place;
            let cluster = clusters::in_use(draft, place, &request.cluster)?;
            let chosen = capacity_providers::choose(draft, place, &cluster, &request.capacity)?;
            let checked = validate::create(draft, control, &request, &chosen)?;
            let mut service = Service {
                arn: place.arn("ecs", format_args!("service/{}/{}", cluster.name, request.name)),
                name: request.name,
                cluster: cluster.name.clone(),
                status: ServiceStatus::Active,
                desired_count: request.desired_count.unwrap_or(0),
                launch_type: chosen.launch_type,
                strategy: chosen.strategy,
                placement: request.placement,
                scheduling: request.scheduling,
                controller: request.controller,
                zone_rebalancing: request.zone_rebalancing,
                task_sets: Vec::new(),
                deployment_bounds: checked.bounds,
                circuit_breaker: request.circuit_breaker,
                load_balancers: request.load_balancers,
                network: checked.network.clone(),
                grace_secs: request.grace_secs,
                last_completed: None,
                deployments: Vec::new(),
                events: Vec::new(),
                created_at: now,
                created_by: request.created_by,
                client_token: request.client_token,
                propagate_tags: request.propagate_tags,
                managed_tags: request.managed_tags,
                enable_execute_command: request.enable_execute_command,
                tags: request.tags,
            };
            if let Some(definition) = checked.definition {
                let mut first = deployment(definition, checked.network, terms(&service), now);
                service_deployments::begin(draft, place, &service, &mut first, now);
                service.deployments.push(first);
            }
            draft.put(service.clone());
            Ok(detail(draft, Arc::new(service)))
        })
        .await?;
    Ok(created)
}

/// Deletes a service: its tasks stop, then it is INACTIVE and still describable.
pub async fn delete(
    control: &Control,
    cluster: &ClusterName,
    given: &str,
    force: bool,
) -> Result<ServiceDetail, Error> {
    let now = control.now();
    let deleted = control
        .store()
        .update(|draft| {
            let known = active(draft, control, cluster, given)?;
            let counted = known.scheduling == Scheduling::Replica;
            if counted && known.desired_count > 0 && !force {
                return Err(Error::invalid("The service cannot be stopped while it is scaled above 0."));
            }
            if !force && known.task_sets.iter().any(|set| !set.draining) {
                return Err(Error::invalid("The service cannot be stopped while deployments are active."));
            }
            let mut service =
                Service { status: ServiceStatus::Draining, desired_count: 0, ..(*known).clone() };
            service.task_sets.iter_mut().for_each(|set| set.draining = true);
            if let Some(primary) = service.deployments.first_mut() {
                primary.updated_at = now;
            }
            for open in &service.deployments {
                let reason = "The service was deleted.";
                service_deployments::stop(draft, &service, open, DeploymentState::Stopped, reason, now);
            }
            draft.put(service.clone());
            Ok(detail(draft, Arc::new(service)))
        })
        .await?;
    Ok(deleted)
}

/// Describes services.
pub fn describe(
    control: &Control,
    cluster: &ClusterName,
    given: &[String],
) -> Result<Described<ServiceDetail>, Error> {
    let place = &control.config().place;
    let view = control.store().view();
    clusters::active(&view, cluster)?;
    let described = given
        .iter()
        .map(|given| {
            let missing = || match given.starts_with("arn:") {
                true => Failure::missing(given),
                false => Failure::missing(place.arn("ecs", format_args!("service/{cluster}/{given}"))),
            };
            let name = references::service(given, cluster, place).map_err(|_| missing())?;
            let service = view.get::<Service>(&format!("{cluster}/{name}")).ok_or_else(missing)?;
            Ok(detail(&view, service))
        })
        .collect();
    Ok(described)
}

/// Returns an active service.
pub fn find(control: &Control, cluster: &ClusterName, given: &str) -> Result<Arc<Service>, Error> {
    active(&control.store().view(), control, cluster, given)
}

/// Returns the services that are not deleted, in the order of their names.
pub fn list(control: &Control, cluster: &ClusterName) -> Result<Vec<Arc<Service>>, Error> {
    let view = control.store().view();
    clusters::active(&view, cluster)?;
    let mut services = view.list::<Service>(&format!("{cluster}/"));
    services.retain(|service| service.status != ServiceStatus::Inactive);
    Ok(services)
}

/// Adds an event to a service.
pub(crate) fn note(service: &mut Service, message: String, now: Timestamp) {
    service.events.insert(0, ServiceEvent { id: ids::uuid(), created_at: now, message });
    service.events.truncate(EVENTS_MAX);
}

/// Returns a deployment that has just been asked for.
pub(crate) fn deployment(
    definition: Revision,
    network: AwsvpcConfiguration,
    terms: Terms,
    now: Timestamp,
) -> Deployment {
    Deployment {
        id: ids::deployment(),
        status: DeploymentStatus::Primary,
        definition,
        network,
        rollout: Rollout::InProgress,
        rollout_reason: None,
        failed_tasks: 0,
        failures: 0,
        terms,
        told_by: None,
        retry_at: None,
        created_at: now,
        updated_at: now,
    }
}

/// Returns what the tasks of a service's next deployment are like besides their definition and network.
pub(crate) fn terms(service: &Service) -> Terms {
    Terms {
        launch_type: Some(service.launch_type),
        strategy: service.strategy.clone(),
        placement: service.placement.clone(),
        load_balancers: Some(service.load_balancers.clone()),
        enable_execute_command: service.enable_execute_command,
        ..Terms::default()
    }
}

/// Returns every deployment and task set of a service, the newest first.
pub(crate) fn parts(service: &Service) -> impl Iterator<Item = &Deployment> {
    service.deployments.iter().chain(service.task_sets.iter().map(|set| &set.deployment))
}

/// Returns a service's deployment or task set, to change it.
pub(crate) fn part<'a>(service: &'a mut Service, id: &DeploymentId) -> Option<&'a mut Deployment> {
    let sets = service.task_sets.iter_mut().map(|set| &mut set.deployment);
    service.deployments.iter_mut().chain(sets).find(|deployment| deployment.id == *id)
}

/// Puts a deployment before those that are there.
pub(crate) fn replace_primary(service: &mut Service, deployment: Deployment) {
    if let Some(primary) = service.deployments.first_mut() {
        primary.status = DeploymentStatus::Active;
        primary.updated_at = deployment.created_at;
    }
    service.deployments.insert(0, deployment);
}

pub(crate) fn active(
    look: &impl Look,
    control: &Control,
    cluster: &ClusterName,
    given: &str,
) -> Result<Arc<Service>, Error> {
    clusters::active(look, cluster)?;
    let name = references::service(given, cluster, &control.config().place)?;
    let service = look.get::<Service>(&format!("{cluster}/{name}")).ok_or(Error::ServiceNotFound)?;
    match service.status {
        ServiceStatus::Active => Ok(service),
        ServiceStatus::Draining | ServiceStatus::Inactive => Err(Error::ServiceNotActive),
    }
}

pub(crate) fn detail(look: &impl Look, service: Arc<Service>) -> ServiceDetail {
    let mut counts: BTreeMap<DeploymentId, Counts> = BTreeMap::new();
    for task in look.find::<Task>(OF_SERVICE, &service.key()) {
        let Some((_, deployment)) = task.service.as_ref() else { continue };
        // A service of the same name may have been deleted before.
        if !parts(&service).any(|known| known.id == *deployment) {
            continue;
        }
        let counts = counts.entry(deployment.clone()).or_default();
        let wanted = task.desired_status == DesiredStatus::Running;
        counts.running += usize::from(task.last_status == TaskStatus::Running);
        counts.pending += usize::from(wanted && task.last_status < TaskStatus::Running);
        counts.wanted += usize::from(wanted && task.last_status <= TaskStatus::Running);
    }
    ServiceDetail { service, counts }
}

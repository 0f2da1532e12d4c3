//! Services: what their owners ask for. `loops::services` brings it about.

mod validate;

use super::{Described, Error, Failure, clusters, references};
use crate::{Control, ids, look::Look};
use std::{collections::BTreeMap, sync::Arc};
use wharf_model::{
    ClusterName, DeploymentId, ServiceName, Timestamp,
    service::{
        AwsvpcConfiguration, CircuitBreaker, Deployment, DeploymentBounds, DeploymentStatus, PropagateTags,
        Rollout, Service, ServiceEvent, ServiceLoadBalancer, ServiceStatus,
    },
    tag::Tag,
    task::{DesiredStatus, Task, TaskStatus},
    task_definition::{LaunchType, Revision},
};

/// How many events a service keeps.
const EVENTS_MAX: usize = 100;

/// What a service is made from.
#[derive(Debug, Clone)]
pub struct CreateService {
    /// The cluster.
    pub cluster: ClusterName,
    /// Its name.
    pub name: ServiceName,
    /// What its tasks are started from, as given.
    pub definition: String,
    /// How many tasks it keeps.
    pub desired_count: u32,
    /// The launch type.
    pub launch_type: LaunchType,
    /// The bounds of its deployments.
    pub bounds: DeploymentBounds,
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
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Who makes it.
    pub created_by: String,
}

/// What of a service is changed; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct UpdateService {
    /// How many tasks it keeps.
    pub desired_count: Option<u32>,
    /// What its tasks are started from.
    pub definition: Option<String>,
    /// The lower bound of its deployments, in percent.
    pub healthy_min_percent: Option<u32>,
    /// The upper bound of its deployments, in percent.
    pub live_max_percent: Option<u32>,
    /// Whether a deployment that does not come up is given up.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Where its tasks' interfaces are made.
    pub network: Option<AwsvpcConfiguration>,
    /// The target groups that its tasks are registered with.
    pub load_balancers: Option<Vec<ServiceLoadBalancer>>,
    /// Seconds in which failed checks of a new task do not count.
    pub grace_secs: Option<u32>,
    /// From where its tasks take their tags.
    pub propagate_tags: Option<PropagateTags>,
    /// Whether its tasks are tagged with their cluster and service.
    pub managed_tags: Option<bool>,
    /// Whether its tasks are replaced even if nothing else changes.
    pub force_new_deployment: bool,
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
            let checked = validate::create(draft, control, &request)?;
            let cluster = clusters::in_use(draft, &control.config().place, &request.cluster)?;
            let place = &control.config().place;
            let service = Service {
                arn: place.arn("ecs", format_args!("service/{}/{}", cluster.name, request.name)),
                name: request.name,
                cluster: cluster.name.clone(),
                status: ServiceStatus::Active,
                desired_count: request.desired_count,
                launch_type: request.launch_type,
                deployment_bounds: request.bounds,
                circuit_breaker: request.circuit_breaker,
                load_balancers: request.load_balancers,
                network: checked.network.clone(),
                grace_secs: request.grace_secs,
                last_completed: None,
                deployments: vec![deployment(checked.definition, checked.network, now)],
                events: Vec::new(),
                created_at: now,
                created_by: request.created_by,
                client_token: request.client_token,
                propagate_tags: request.propagate_tags,
                managed_tags: request.managed_tags,
                tags: request.tags,
            };
            draft.put(service.clone());
            Ok(detail(draft, Arc::new(service)))
        })
        .await?;
    Ok(created)
}

/// Changes a service; what concerns its tasks makes a new deployment.
pub async fn update(
    control: &Control,
    cluster: &ClusterName,
    given: &str,
    request: UpdateService,
) -> Result<ServiceDetail, Error> {
    let now = control.now();
    let updated = control
        .store()
        .update(|draft| {
            let known = active(draft, control, cluster, given)?;
            let checked = validate::update(draft, control, &known, &request)?;
            let mut service = (*known).clone();
            service.desired_count = request.desired_count.unwrap_or(service.desired_count);
            service.grace_secs = request.grace_secs.unwrap_or(service.grace_secs);
            service.circuit_breaker = request.circuit_breaker.unwrap_or(service.circuit_breaker);
            service.propagate_tags = request.propagate_tags.unwrap_or(service.propagate_tags);
            service.managed_tags = request.managed_tags.unwrap_or(service.managed_tags);
            service.deployment_bounds = checked.bounds;
            let replaces = request.force_new_deployment
                || checked.network != service.network
                || request.load_balancers.as_ref().is_some_and(|given| *given != service.load_balancers)
                || service.deployments.first().is_none_or(|primary| primary.definition != checked.definition);
            if let Some(load_balancers) = request.load_balancers {
                service.load_balancers = load_balancers;
            }
            service.network = checked.network.clone();
            if replaces {
                replace_primary(&mut service, deployment(checked.definition, checked.network, now));
            } else if let Some(primary) = service.deployments.first_mut()
                && service.desired_count != known.desired_count
            {
                primary.updated_at = now;
            }
            if service != *known {
                draft.put(service.clone());
            }
            Ok::<_, Error>(detail(draft, Arc::new(service)))
        })
        .await?;
    Ok(updated)
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
            if known.desired_count > 0 && !force {
                return Err(Error::invalid("The service cannot be stopped while it is scaled above 0."));
            }
            let mut service =
                Service { status: ServiceStatus::Draining, desired_count: 0, ..(*known).clone() };
            if let Some(primary) = service.deployments.first_mut() {
                primary.updated_at = now;
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
pub(crate) fn deployment(definition: Revision, network: AwsvpcConfiguration, now: Timestamp) -> Deployment {
    Deployment {
        id: ids::deployment(),
        status: DeploymentStatus::Primary,
        definition,
        network,
        rollout: Rollout::InProgress,
        rollout_reason: None,
        failed_tasks: 0,
        retry_at: None,
        created_at: now,
        updated_at: now,
    }
}

/// Puts a deployment before those that are there.
pub(crate) fn replace_primary(service: &mut Service, deployment: Deployment) {
    if let Some(primary) = service.deployments.first_mut() {
        primary.status = DeploymentStatus::Active;
        primary.updated_at = deployment.created_at;
    }
    service.deployments.insert(0, deployment);
}

fn active(
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

fn detail(look: &impl Look, service: Arc<Service>) -> ServiceDetail {
    let mut counts: BTreeMap<DeploymentId, Counts> = BTreeMap::new();
    for task in look.list::<Task>(&format!("{}/", service.cluster)) {
        let Some((_, deployment)) = task.service.as_ref().filter(|(name, _)| *name == service.name) else {
            continue;
        };
        // A service of the same name may have been deleted before.
        if !service.deployments.iter().any(|known| known.id == *deployment) {
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

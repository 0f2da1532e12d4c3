//! Task sets: the parts of a service that somebody else deploys.

use super::{
    Described, Error, Failure,
    capacity_providers::{self, Capacity},
    clusters, network_configuration, services,
    services::ServiceDetail,
    task_definitions,
};
use crate::Control;
use std::sync::Arc;
use wharf_model::{
    Arn, ClusterName,
    service::{
        AwsvpcConfiguration, Controller, DeploymentStatus, Service, ServiceLoadBalancer, TaskSet, Terms,
    },
    tag::Tag,
    task::TaskOverride,
};

/// The most task sets of a service.
const SETS_MAX: usize = 5;

/// What a task set is made from.
#[derive(Debug, Clone)]
pub struct CreateTaskSet {
    /// The cluster.
    pub cluster: ClusterName,
    /// The service, as given.
    pub service: String,
    /// What its maker calls it.
    pub external_id: Option<String>,
    /// What its tasks are started from, as given.
    pub definition: String,
    /// Where its tasks' interfaces are made.
    pub network: Option<AwsvpcConfiguration>,
    /// The target groups that its tasks are registered with.
    pub load_balancers: Vec<ServiceLoadBalancer>,
    /// What its tasks are placed by.
    pub capacity: Capacity,
    /// Its share, in hundredths of a percent.
    pub scale: u32,
    /// Makes the request one that can be repeated.
    pub client_token: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A task set with its service.
#[derive(Debug, Clone)]
pub struct TaskSetDetail {
    /// The task set.
    pub set: TaskSet,
    /// Its service, with the numbers of its tasks.
    pub service: ServiceDetail,
}

/// Makes a task set. Its tasks follow.
pub async fn create(control: &Control, request: CreateTaskSet) -> Result<TaskSetDetail, Error> {
    let (place, now) = (control.config().place.clone(), control.now());
    let created = control
        .store()
        .update(|draft| {
            let known = external(draft, control, &request.cluster, &request.service)?;
            let repeated = known
                .task_sets
                .iter()
                .find(|set| set.client_token.is_some() && set.client_token == request.client_token);
            if let Some(set) = repeated {
                return Ok(TaskSetDetail {
                    set: set.clone(),
                    service: services::detail(draft, known.clone()),
                });
            }
            if known.task_sets.len() >= SETS_MAX {
                return Err(Error::invalid(format!("A service can have at most {SETS_MAX} task sets.")));
            }
            let cluster = clusters::active(draft, &request.cluster)?;
            let chosen = capacity_providers::choose(draft, &place, &cluster, &request.capacity)?;
            let definition = task_definitions::to_start(draft, control, &request.definition)?;
            super::run_task::check_launch_type(chosen.launch_type, &definition, &TaskOverride::default())?;
            let network = network_configuration::of(draft, &definition, request.network.as_ref())?;
            services::check_load_balancers(draft, &request.load_balancers, &definition)?;
            let terms = Terms {
                launch_type: Some(chosen.launch_type),
                strategy: chosen.strategy,
                load_balancers: Some(request.load_balancers),
                enable_execute_command: known.enable_execute_command,
                ..Terms::default()
            };
            let mut deployment = services::deployment(definition.name(), network, terms, now);
            deployment.status = DeploymentStatus::Active;
            let (cluster, name) = (&known.cluster, &known.name);
            let set = TaskSet {
                arn: place.arn("ecs", format_args!("task-set/{cluster}/{name}/{}", deployment.id)),
                deployment,
                external_id: request.external_id,
                primary: false,
                draining: false,
                scale: request.scale,
                stable: (false, now),
                client_token: request.client_token,
                tags: request.tags,
            };
            let mut service = (*known).clone();
            service.task_sets.push(set.clone());
            draft.put(service.clone());
            Ok(TaskSetDetail { set, service: services::detail(draft, Arc::new(service)) })
        })
        .await?;
    Ok(created)
}

/// Changes a task set's share.
pub async fn scale(
    control: &Control,
    cluster: &ClusterName,
    service: &str,
    given: &str,
    scale: u32,
) -> Result<TaskSetDetail, Error> {
    let now = control.now();
    change(control, cluster, service, given, |service, place| {
        let set = &mut service.task_sets[place];
        if set.scale != scale {
            set.scale = scale;
            set.stable = (false, now);
            set.deployment.updated_at = now;
        }
        Ok(())
    })
    .await
}

/// Makes a task set the one that serves.
pub async fn make_primary(
    control: &Control,
    cluster: &ClusterName,
    service: &str,
    given: &str,
) -> Result<TaskSetDetail, Error> {
    let now = control.now();
    change(control, cluster, service, given, |service, place| {
        for (other, set) in service.task_sets.iter_mut().enumerate() {
            let primary = other == place;
            if set.primary != primary {
                set.primary = primary;
                set.deployment.updated_at = now;
            }
        }
        Ok(())
    })
    .await
}

/// Deletes a task set: its tasks stop first.
pub async fn delete(
    control: &Control,
    cluster: &ClusterName,
    service: &str,
    given: &str,
    force: bool,
) -> Result<TaskSetDetail, Error> {
    let now = control.now();
    change(control, cluster, service, given, |service, place| {
        let set = &mut service.task_sets[place];
        if set.scale > 0 && !force {
            return Err(Error::invalid("The task set cannot be deleted while it is scaled above 0."));
        }
        set.draining = true;
        set.primary = false;
        set.deployment.updated_at = now;
        Ok(())
    })
    .await
}

/// Describes task sets; all of a service when none is named.
pub fn describe(
    control: &Control,
    cluster: &ClusterName,
    service: &str,
    given: &[String],
) -> Result<Described<TaskSetDetail>, Error> {
    let view = control.store().view();
    let known = external(&view, control, cluster, service)?;
    let place = &control.config().place;
    let detail = services::detail(&view, Arc::clone(&known));
    let of = |set: &TaskSet| TaskSetDetail { set: set.clone(), service: detail.clone() };
    if given.is_empty() {
        return Ok(Described { found: known.task_sets.iter().map(of).collect(), failures: Vec::new() });
    }
    let described = given.iter().map(|given| {
        find(&known, given).map(|at| of(&known.task_sets[at])).ok_or_else(|| {
            match given.starts_with("arn:") {
                true => Failure::missing(given),
                false => {
                    let name = &known.name;
                    Failure::missing(place.arn("ecs", format_args!("task-set/{cluster}/{name}/{given}")))
                }
            }
        })
    });
    Ok(described.collect())
}

async fn change(
    control: &Control,
    cluster: &ClusterName,
    service: &str,
    given: &str,
    change: impl FnOnce(&mut Service, usize) -> Result<(), Error>,
) -> Result<TaskSetDetail, Error> {
    let changed = control
        .store()
        .update(|draft| {
            let known = external(draft, control, cluster, service)?;
            let at = find(&known, given).ok_or(Error::TaskSetNotFound)?;
            let mut service = (*known).clone();
            change(&mut service, at)?;
            if service != *known {
                draft.put(service.clone());
            }
            let set = service.task_sets[at].clone();
            Ok::<_, Error>(TaskSetDetail { set, service: services::detail(draft, Arc::new(service)) })
        })
        .await?;
    Ok(changed)
}

/// Returns a service whose deployments are somebody else's.
fn external(
    look: &impl crate::look::Look,
    control: &Control,
    cluster: &ClusterName,
    given: &str,
) -> Result<Arc<Service>, Error> {
    let service = services::active(look, control, cluster, given)?;
    match service.controller {
        Controller::External => Ok(service),
        Controller::Ecs => Err(Error::invalid(
            "Unable to use task sets with a service that has the ECS deployment controller.",
        )),
    }
}

/// Returns the place of a task set that is named by its id or ARN.
fn find(service: &Service, given: &str) -> Option<usize> {
    let arn: Option<Arn> = given.parse().ok();
    service.task_sets.iter().position(|set| {
        set.deployment.id.as_str() == given || arn.as_ref().is_some_and(|arn| *arn == set.arn)
    })
}

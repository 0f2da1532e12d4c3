//! Clusters.

use super::{Described, Error, Failure, capacity_providers, instances, references};
use crate::{Control, look::Look};
use std::sync::Arc;
use wharf_model::{
    ClusterName, Place,
    capacity::StrategyItem,
    cluster::{Cluster, ClusterStatus, ExecuteCommandLogging},
    service::{Service, ServiceStatus},
    tag::Tag,
    task::{DesiredStatus, Task, TaskStatus},
    task_definition::LaunchType,
};
use wharf_store::Draft;

/// A cluster with what is in it.
#[derive(Debug, Clone)]
pub struct ClusterSummary {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// Its tasks that run.
    pub running_tasks: usize,
    /// Its tasks that will.
    pub pending_tasks: usize,
    /// Its services that are not deleted.
    pub active_services: usize,
    /// Its container instances.
    pub instances: usize,
    /// The same numbers by launch type, in the words of the API.
    pub statistics: Vec<(&'static str, usize)>,
}

/// What a cluster is made from.
#[derive(Debug, Clone, Default)]
pub struct NewCluster {
    /// Where the words of executed commands go.
    pub execute_command_logging: Option<ExecuteCommandLogging>,
    /// The capacity providers that its tasks may be placed by.
    pub capacity_providers: Vec<String>,
    /// The strategy for those who name neither one nor a launch type.
    pub default_strategy: Vec<StrategyItem>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Makes a cluster; one that is there already is returned as it is.
pub async fn create(control: &Control, name: ClusterName, new: NewCluster) -> Result<ClusterSummary, Error> {
    let place = control.config().place.clone();
    let made = control
        .store()
        .update(|draft| match active(draft, &name) {
            Ok(cluster) => Ok(summary(draft, cluster)),
            Err(_) => {
                let (providers, strategy) = capacity_providers::associated(
                    draft,
                    &place,
                    &new.capacity_providers,
                    new.default_strategy.clone(),
                )?;
                let new =
                    NewCluster { capacity_providers: providers, default_strategy: strategy, ..new.clone() };
                let cluster = make(draft, &place, name.clone(), new);
                Ok::<_, Error>(summary(draft, cluster))
            }
        })
        .await?;
    Ok(made)
}

/// Changes where the words of executed commands go.
pub async fn update(
    control: &Control,
    name: &ClusterName,
    logging: Option<ExecuteCommandLogging>,
) -> Result<ClusterSummary, Error> {
    let updated = control
        .store()
        .update(|draft| {
            let known = active(draft, name)?;
            let mut cluster = (*known).clone();
            cluster.execute_command_logging = logging.or(cluster.execute_command_logging);
            if cluster != *known {
                draft.put(cluster.clone());
            }
            Ok::<_, Error>(summary(draft, Arc::new(cluster)))
        })
        .await?;
    Ok(updated)
}

/// Returns an active cluster with what is in it.
pub fn get(control: &Control, name: &ClusterName) -> Result<ClusterSummary, Error> {
    let view = control.store().view();
    Ok(summary(&view, active(&view, name)?))
}

/// Deletes a cluster that has no services and no tasks. It stays describable.
pub async fn delete(control: &Control, name: &ClusterName) -> Result<ClusterSummary, Error> {
    let deleted = control
        .store()
        .update(|draft| {
            let cluster = active(draft, name)?;
            let summary = summary(draft, cluster);
            if summary.active_services > 0 {
                return Err(Error::ClusterContainsServices);
            }
            // The machines that are instances of every cluster do not hold this one; those of other agents do.
            if instances::of_cluster(draft, name).iter().any(|instance| instance.node.is_none()) {
                return Err(Error::ClusterContainsInstances);
            }
            let prefix = format!("{name}/");
            if draft.list::<Task>(&prefix).iter().any(|task| task.last_status != TaskStatus::Stopped) {
                return Err(Error::ClusterContainsTasks);
            }
            instances::forget(draft, name);
            let cluster = Cluster { status: ClusterStatus::Inactive, ..(*summary.cluster).clone() };
            draft.put(cluster.clone());
            Ok(ClusterSummary { cluster: Arc::new(cluster), instances: 0, ..summary })
        })
        .await?;
    Ok(deleted)
}

/// Describes clusters; `default` when none is named.
pub fn describe(control: &Control, given: &[String]) -> Described<ClusterSummary> {
    let place = &control.config().place;
    let default = [String::new()];
    let given = if given.is_empty() { &default } else { given };
    let view = control.store().view();
    given
        .iter()
        .map(|given| {
            let missing = || Failure::missing(place.arn("ecs", format_args!("cluster/{given}")));
            let name = references::cluster(Some(given), place).map_err(|_| missing())?;
            let cluster = view
                .get::<Cluster>(name.as_str())
                .ok_or_else(|| Failure::missing(place.arn("ecs", format_args!("cluster/{name}"))))?;
            Ok(summary(&view, cluster))
        })
        .collect()
}

/// Returns the active clusters in the order of their names.
pub fn list(control: &Control) -> Vec<Arc<Cluster>> {
    let mut clusters = control.store().view().list::<Cluster>("");
    clusters.retain(|cluster| cluster.status == ClusterStatus::Active);
    clusters
}

/// Returns an active cluster.
pub(crate) fn active(look: &impl Look, name: &ClusterName) -> Result<Arc<Cluster>, Error> {
    look.get::<Cluster>(name.as_str())
        .filter(|cluster| cluster.status == ClusterStatus::Active)
        .ok_or(Error::ClusterNotFound)
}

/// Returns an active cluster; `default` is made when it is first used.
pub(crate) fn in_use(
    draft: &mut Draft<'_>,
    place: &Place,
    name: &ClusterName,
) -> Result<Arc<Cluster>, Error> {
    match active(draft, name) {
        Err(Error::ClusterNotFound) if name.as_str() == "default" => {
            Ok(make(draft, place, name.clone(), NewCluster::default()))
        }
        found => found,
    }
}

fn make(draft: &mut Draft<'_>, place: &Place, name: ClusterName, new: NewCluster) -> Arc<Cluster> {
    let arn = place.arn("ecs", format_args!("cluster/{name}"));
    let NewCluster { execute_command_logging, capacity_providers, default_strategy, tags } = new;
    let status = ClusterStatus::Active;
    let cluster =
        Cluster { name, arn, status, tags, execute_command_logging, capacity_providers, default_strategy };
    draft.put(cluster.clone());
    Arc::new(cluster)
}

pub(super) fn summary(look: &impl Look, cluster: Arc<Cluster>) -> ClusterSummary {
    let prefix = format!("{}/", cluster.name);
    let mut tasks = look.list::<Task>(&prefix);
    tasks.retain(|task| task.last_status != TaskStatus::Stopped);
    let mut services = look.list::<Service>(&prefix);
    services.retain(|service| service.status != ServiceStatus::Inactive);
    let running = |task: &Arc<Task>| task.last_status == TaskStatus::Running;
    let pending = |task: &Arc<Task>| {
        task.last_status < TaskStatus::Running && task.desired_status == DesiredStatus::Running
    };
    let count = |passes: &dyn Fn(&Arc<Task>) -> bool, launch_type: LaunchType| {
        tasks.iter().filter(|task| task.launch_type == launch_type && passes(task)).count()
    };
    let kept = |status: ServiceStatus, launch_type: LaunchType| {
        let is = |service: &&Arc<Service>| service.status == status && service.launch_type == launch_type;
        services.iter().filter(is).count()
    };
    let (ec2, fargate) = (LaunchType::Ec2, LaunchType::Fargate);
    let statistics = vec![
        ("runningEC2TasksCount", count(&running, ec2)),
        ("runningFargateTasksCount", count(&running, fargate)),
        ("pendingEC2TasksCount", count(&pending, ec2)),
        ("pendingFargateTasksCount", count(&pending, fargate)),
        ("runningExternalTasksCount", 0),
        ("pendingExternalTasksCount", 0),
        ("activeEC2ServiceCount", kept(ServiceStatus::Active, ec2)),
        ("activeFargateServiceCount", kept(ServiceStatus::Active, fargate)),
        ("drainingEC2ServiceCount", kept(ServiceStatus::Draining, ec2)),
        ("drainingFargateServiceCount", kept(ServiceStatus::Draining, fargate)),
        ("activeExternalServiceCount", 0),
        ("drainingExternalServiceCount", 0),
    ];
    let instances = match cluster.status {
        ClusterStatus::Active => instances::of_cluster(look, &cluster.name).len(),
        ClusterStatus::Inactive => 0,
    };
    ClusterSummary {
        running_tasks: tasks.iter().filter(|task| running(task)).count(),
        pending_tasks: tasks.iter().filter(|task| pending(task)).count(),
        active_services: services.len(),
        instances,
        statistics,
        cluster,
    }
}

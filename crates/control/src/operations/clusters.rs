//! Clusters.

use super::{Described, Error, Failure, references};
use crate::{Control, look::Look};
use std::sync::Arc;
use wharf_model::{
    ClusterName, Place,
    cluster::{Cluster, ClusterStatus},
    service::{Service, ServiceStatus},
    tag::Tag,
    task::{DesiredStatus, Task, TaskStatus},
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
}

/// Makes a cluster; one that is there already is returned as it is.
pub async fn create(control: &Control, name: ClusterName, tags: Vec<Tag>) -> Result<ClusterSummary, Error> {
    let place = control.config().place.clone();
    let made = control
        .store()
        .update(|draft| match active(draft, &name) {
            Ok(cluster) => Ok(summary(draft, cluster)),
            Err(_) => {
                let cluster = make(draft, &place, name.clone(), tags);
                Ok::<_, Error>(summary(draft, cluster))
            }
        })
        .await?;
    Ok(made)
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
            let prefix = format!("{name}/");
            if draft.list::<Task>(&prefix).iter().any(|task| task.last_status != TaskStatus::Stopped) {
                return Err(Error::ClusterContainsTasks);
            }
            let cluster = Cluster { status: ClusterStatus::Inactive, ..(*summary.cluster).clone() };
            draft.put(cluster.clone());
            Ok(ClusterSummary { cluster: Arc::new(cluster), ..summary })
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
            Ok(make(draft, place, name.clone(), Vec::new()))
        }
        found => found,
    }
}

fn make(draft: &mut Draft<'_>, place: &Place, name: ClusterName, tags: Vec<Tag>) -> Arc<Cluster> {
    let arn = place.arn("ecs", format_args!("cluster/{name}"));
    let cluster = Cluster { name, arn, status: ClusterStatus::Active, tags };
    draft.put(cluster.clone());
    Arc::new(cluster)
}

fn summary(look: &impl Look, cluster: Arc<Cluster>) -> ClusterSummary {
    let prefix = format!("{}/", cluster.name);
    let tasks = look.list::<Task>(&prefix);
    let services = look.list::<Service>(&prefix);
    ClusterSummary {
        running_tasks: tasks.iter().filter(|task| task.last_status == TaskStatus::Running).count(),
        pending_tasks: tasks
            .iter()
            .filter(|task| {
                task.last_status < TaskStatus::Running && task.desired_status == DesiredStatus::Running
            })
            .count(),
        active_services: services.iter().filter(|service| service.status != ServiceStatus::Inactive).count(),
        cluster,
    }
}

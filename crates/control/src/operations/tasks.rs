//! Tasks that are there: describing, listing and stopping them.

use super::{Described, Error, Failure, clusters, interfaces, references, targets};
use crate::{Control, look::Look};
use std::{net::Ipv4Addr, sync::Arc};
use wharf_model::{
    Arn, ClusterName, NodeId, ServiceName, TaskId, Timestamp,
    cluster::Cluster,
    network::NetworkInterface,
    service::Service,
    target_group::Target,
    task::{ContainerStatus, DesiredStatus, StopCode, Task, TaskStatus},
    task_definition::{LaunchType, TaskDefinition},
};
use wharf_plan::service::words;
use wharf_store::{Draft, OF_TASK};

/// A task with what is shown of it and kept elsewhere.
#[derive(Debug, Clone)]
pub struct TaskDetail {
    /// The task.
    pub task: Arc<Task>,
    /// Its interface; gone a while after the task.
    pub interface: Option<Arc<NetworkInterface>>,
    /// Its definition; gone when it was deleted.
    pub definition: Option<Arc<TaskDefinition>>,
}

/// Which tasks are listed.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Those of this node.
    pub node: Option<NodeId>,
    /// Those of this family.
    pub family: Option<String>,
    /// Those that were started by this.
    pub started_by: Option<String>,
    /// Those of this service.
    pub service: Option<ServiceName>,
    /// Those that should be this; `None` for PENDING, which nothing ever should be.
    pub desired_status: Option<DesiredStatus>,
    /// Those of this launch type.
    pub launch_type: Option<LaunchType>,
}

/// Stops a task: its targets first, then its containers.
pub async fn stop(
    control: &Control,
    cluster: &ClusterName,
    given: &str,
    reason: Option<String>,
) -> Result<TaskDetail, Error> {
    let place = control.config().place.clone();
    let now = control.now();
    let stopped = control
        .store()
        .update(|draft| {
            clusters::active(draft, cluster)?;
            let task = references::task(given, cluster, &place)
                .and_then(|id| draft.get::<Task>(&format!("{cluster}/{id}")))
                .ok_or_else(|| Error::invalid("The referenced task was not found."))?;
            let reason = reason.unwrap_or_else(|| "Task stopped by user".to_owned());
            let task = stop_in(draft, &task, StopCode::UserInitiated, reason, now).0;
            Ok::<_, Error>(detail(draft, task))
        })
        .await?;
    Ok(stopped)
}

/// Describes tasks.
pub fn describe(
    control: &Control,
    cluster: &ClusterName,
    given: &[String],
) -> Result<Described<TaskDetail>, Error> {
    let place = &control.config().place;
    let view = control.store().view();
    clusters::active(&view, cluster)?;
    let described = given
        .iter()
        .map(|given| {
            let missing = || match given.starts_with("arn:") {
                true => Failure::missing(given),
                false => Failure::missing(place.arn("ecs", format_args!("task/{cluster}/{given}"))),
            };
            let id = references::task(given, cluster, place).ok_or_else(missing)?;
            let task = view.get::<Task>(&format!("{cluster}/{id}")).ok_or_else(missing)?;
            Ok(detail(&view, task))
        })
        .collect();
    Ok(described)
}

/// Returns the tasks that pass the filter, in the order of their ids.
pub fn list(control: &Control, cluster: &ClusterName, filter: &Filter) -> Result<Vec<Arc<Task>>, Error> {
    let view = control.store().view();
    clusters::active(&view, cluster)?;
    let mut tasks = view.list::<Task>(&format!("{cluster}/"));
    let Filter { node, family, started_by, service, desired_status, launch_type } = filter;
    tasks.retain(|task| {
        let of_service = task.service.as_ref().map(|(name, _)| name);
        *desired_status == Some(task.desired_status)
            && node.as_ref().is_none_or(|node| task.node == *node)
            && family.as_ref().is_none_or(|family| task.definition.family.as_str() == family)
            && started_by.as_ref().is_none_or(|by| task.started_by.as_ref() == Some(by))
            && service.as_ref().is_none_or(|service| of_service == Some(service))
            && launch_type.is_none_or(|launch_type| task.launch_type == launch_type)
    });
    Ok(tasks)
}

/// Returns the name that an address has inside its VPC.
pub fn private_dns_name(address: Ipv4Addr, region: &str) -> String {
    let [a, b, c, d] = address.octets();
    format!("ip-{a}-{b}-{c}-{d}.{region}.compute.internal")
}

/// Returns a task with what belongs to it.
pub(crate) fn detail(look: &impl Look, task: Arc<Task>) -> TaskDetail {
    TaskDetail {
        interface: task.interface.as_ref().and_then(|interface| look.get(interface.as_str())),
        definition: super::task_definitions::get(look, &task.definition),
        task,
    }
}

/// Asks for a task's stop and deregisters its targets; returns the task and the groups it was deregistered from. Does
/// nothing to a task that was asked to stop before.
///
/// Its node is told once no target of it is left: see `links::agent`.
pub(crate) fn stop_in(
    draft: &mut Draft<'_>,
    task: &Arc<Task>,
    code: StopCode,
    reason: String,
    now: Timestamp,
) -> (Arc<Task>, Vec<Arn>) {
    if task.desired_status == DesiredStatus::Stopped {
        return (Arc::clone(task), Vec::new());
    }
    let deregistered = deregister_in(draft, task, now);
    let mut stopping = Task {
        desired_status: DesiredStatus::Stopped,
        stop_code: Some(code),
        stopped_reason: Some(reason),
        version: task.version + 1,
        ..(**task).clone()
    };
    stopping.times.stopping_at.get_or_insert(now);
    if !deregistered.is_empty() && stopping.last_status == TaskStatus::Running {
        stopping.last_status = TaskStatus::Deactivating;
    }
    draft.put(stopping.clone());
    (Arc::new(stopping), deregistered)
}

/// Ends a task that nobody saw ending; what was said of its end before stays.
pub(crate) fn lose(draft: &mut Draft<'_>, known: &Arc<Task>, code: StopCode, reason: String, now: Timestamp) {
    let deregistered = deregister_in(draft, known, now);
    let mut task = Task {
        desired_status: DesiredStatus::Stopped,
        last_status: TaskStatus::Stopped,
        version: known.version + 1,
        ..(**known).clone()
    };
    task.stop_code.get_or_insert(code);
    task.stopped_reason.get_or_insert(reason);
    task.times.stopping_at.get_or_insert(now);
    task.times.execution_stopped_at.get_or_insert(now);
    task.times.stopped_at.get_or_insert(now);
    task.containers.iter_mut().for_each(|container| container.last_status = ContainerStatus::Stopped);
    draft.put(task.clone());
    tell_deregistered(draft, &task, &deregistered, now);
    if let Some(interface) = &task.interface {
        interfaces::release(draft, interface, now);
    }
}

/// Returns the task with this id, whatever cluster it is in.
pub(crate) fn of_id(look: &impl Look, id: &TaskId) -> Option<Arc<Task>> {
    let clusters = look.list::<Cluster>("");
    clusters.iter().find_map(|cluster| look.get::<Task>(&format!("{}/{id}", cluster.name)))
}

/// Deregisters a task's targets and says so in its service's events; returns their groups.
pub(crate) fn deregister_in(draft: &mut Draft<'_>, task: &Task, now: Timestamp) -> Vec<Arn> {
    let mut of_task = draft.find::<Target>(OF_TASK, task.id.as_str());
    of_task.retain(|target| target.draining_since.is_none());
    for target in &of_task {
        targets::deregister(draft, &target.target_group, &target.address, now);
    }
    of_task.iter().map(|target| target.target_group.clone()).collect()
}

/// Adds to the service's events which of a task's targets were deregistered.
pub(crate) fn tell_deregistered(draft: &mut Draft<'_>, task: &Task, groups: &[Arn], now: Timestamp) {
    let Some((name, _)) = task.service.as_ref().filter(|_| !groups.is_empty()) else { return };
    let Some(service) = draft.get::<Service>(&format!("{}/{name}", task.cluster)) else { return };
    let mut service = (*service).clone();
    super::services::note(&mut service, words::draining(name, 1), now);
    for group in groups {
        super::services::note(&mut service, words::deregistered(name, 1, group), now);
    }
    draft.put(service);
}

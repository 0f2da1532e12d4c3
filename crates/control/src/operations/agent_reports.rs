//! What agents that are not ours say of their tasks.

use super::{Error, clusters, instances, references};
use crate::{Control, links::agent::record, look::Look};
use std::sync::Arc;
use wharf_model::{
    ClusterName, Place, Timestamp,
    task::{Container, ContainerStatus, DesiredStatus, NetworkBinding, StopCode, Task, TaskStatus},
};
use wharf_nodelink::agent::{ContainerReport, TaskReport};

/// What is said of a task; what is absent is as it was.
#[derive(Debug, Clone, Default)]
pub struct TaskChange {
    /// Where it stands.
    pub status: Option<TaskStatus>,
    /// Why.
    pub reason: Option<String>,
    /// Its containers.
    pub containers: Vec<ContainerChange>,
    /// When the first pull began.
    pub pull_started_at: Option<Timestamp>,
    /// When the last pull ended.
    pub pull_stopped_at: Option<Timestamp>,
    /// When its last container ended.
    pub execution_stopped_at: Option<Timestamp>,
}

/// What is said of a container.
#[derive(Debug, Clone, Default)]
pub struct ContainerChange {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: Option<ContainerStatus>,
    /// The image's digest.
    pub image_digest: Option<String>,
    /// The runtime's id.
    pub runtime_id: Option<String>,
    /// The exit code.
    pub exit_code: Option<i32>,
    /// What went wrong.
    pub reason: Option<String>,
    /// The ports of its instance that lead to it.
    pub network_bindings: Vec<NetworkBinding>,
}

/// Writes down what an agent says of a task on an instance that it registered.
pub async fn submit(
    control: &Control,
    cluster: &ClusterName,
    given: &str,
    change: TaskChange,
) -> Result<(), Error> {
    let (place, now) = (control.config().place.clone(), control.now());
    control
        .store()
        .update(|draft| {
            let task = of_other_agent(draft, &place, cluster, given)?;
            for container in &change.containers {
                if !task.containers.iter().any(|known| known.name == container.name) {
                    return Err(Error::invalid(format!("The task has no container '{}'.", container.name)));
                }
            }
            let report = report(&task, &change, now);
            record(draft, &task.node, report, now);
            Ok::<_, Error>(())
        })
        .await?;
    Ok(())
}

/// Checks that an attachment is one of a task of another agent. What it is, is ours to say.
pub fn attachment(control: &Control, cluster: &ClusterName, given: &str) -> Result<(), Error> {
    let view = control.store().view();
    clusters::active(&view, cluster)?;
    let id = given.rsplit('/').next().unwrap_or(given);
    let interfaces = view.list::<wharf_model::network::NetworkInterface>("");
    match interfaces.iter().any(|interface| interface.attachment_id == id) {
        true => Ok(()),
        false => Err(Error::invalid(format!("The attachment '{given}' was not found."))),
    }
}

fn of_other_agent(
    look: &impl Look,
    place: &Place,
    cluster: &ClusterName,
    given: &str,
) -> Result<Arc<Task>, Error> {
    clusters::active(look, cluster)?;
    let task = references::task(given, cluster, place)
        .and_then(|id| look.get::<Task>(&format!("{cluster}/{id}")))
        .ok_or_else(|| Error::invalid("The referenced task was not found."))?;
    let instance = instances::find(look, cluster, &task.node);
    match instance.is_some_and(|instance| instance.node.is_none()) {
        true => Ok(task),
        false => Err(Error::client(
            "The task is not on a container instance that was registered with RegisterContainerInstance.",
        )),
    }
}

fn report(task: &Task, change: &TaskChange, now: Timestamp) -> TaskReport {
    let last_status = change.status.unwrap_or(task.last_status).max(task.last_status);
    let mut times = task.times.clone();
    times.pull_started_at = change.pull_started_at.or(times.pull_started_at);
    times.pull_stopped_at = change.pull_stopped_at.or(times.pull_stopped_at);
    times.execution_stopped_at = change.execution_stopped_at.or(times.execution_stopped_at);
    if last_status > TaskStatus::Provisioning {
        times.connectivity_at.get_or_insert(now);
    }
    let ran = times.started_at.is_some();
    if last_status == TaskStatus::Running {
        times.started_at.get_or_insert(now);
    }
    if last_status == TaskStatus::Stopped {
        times.execution_stopped_at.get_or_insert(now);
    }
    let stops = last_status > TaskStatus::Running && task.desired_status == DesiredStatus::Running;
    let stop = stops.then(|| {
        let (code, words) = match ran {
            true => (StopCode::EssentialContainerExited, "Essential container in task exited"),
            false => (StopCode::TaskFailedToStart, "Task failed to start"),
        };
        (code, change.reason.clone().unwrap_or_else(|| words.to_owned()))
    });
    let container = |known: &Container| {
        let said = change.containers.iter().find(|said| said.name == known.name);
        let follows = match last_status {
            TaskStatus::Stopped => ContainerStatus::Stopped,
            TaskStatus::Running => ContainerStatus::Running,
            _ => known.last_status,
        };
        let said = said.cloned().unwrap_or_default();
        ContainerReport {
            name: known.name.clone(),
            last_status: said.status.unwrap_or(follows),
            image_digest: said.image_digest,
            runtime_id: said.runtime_id,
            exit_code: said.exit_code,
            reason: said.reason,
            network_bindings: said.network_bindings,
            health: known.health,
        }
    };
    TaskReport {
        task: task.id.clone(),
        last_status,
        times,
        containers: task.containers.iter().map(container).collect(),
        stop,
        health: task.health,
    }
}

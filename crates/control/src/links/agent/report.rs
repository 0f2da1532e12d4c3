//! What a node says of its tasks, and of itself, written down.

use crate::operations::{interfaces, pinned_images, services, tasks};
use std::sync::Arc;
use wharf_model::{
    NodeId, TaskId, Timestamp, Word,
    node::Node,
    service::Service,
    task::{ContainerStatus, DesiredStatus, StopCode, Task, TaskStatus, TaskTimes},
};
use wharf_nodelink::agent::{ContainerReport, TaskReport};
use wharf_plan::service::restart;
use wharf_store::{Draft, ENDED, ON_NODE};

/// Writes down a node that has connected. When it has been booted since, its tasks are gone.
pub(super) fn join(draft: &mut Draft<'_>, node: Node, now: Timestamp) {
    let known = draft.get::<Node>(node.id.as_str());
    if known.as_ref().is_some_and(|known| known.boot_id != node.boot_id) {
        for task in draft.find::<Task>(ON_NODE, node.id.as_str()) {
            let reason = format!("Host (node {}) was restarted.", task.node);
            tasks::lose(draft, &task, StopCode::TerminationNotice, reason, now);
        }
    }
    let registered_at = known.as_ref().map_or(node.registered_at, |known| known.registered_at);
    let node = Node { registered_at, ..node };
    if known.is_none_or(|known| *known != node) {
        draft.put(node);
    }
}

/// Writes down that a node's agent is gone.
pub(super) fn leave(draft: &mut Draft<'_>, node: &NodeId) {
    if let Some(known) = draft.get::<Node>(node.as_str()).filter(|known| known.connected) {
        draft.put_volatile(Node { connected: false, ..(*known).clone() });
    }
}

/// Writes down where a task stands. Returns the task when its node may forget it.
pub(crate) fn record(
    draft: &mut Draft<'_>,
    node: &NodeId,
    report: TaskReport,
    now: Timestamp,
) -> Option<TaskId> {
    // A node reports ids alone; the table's keys begin with the cluster.
    let Some(known) = tasks::of_id(draft, &report.task).filter(|task| task.node == *node) else {
        return (report.last_status == TaskStatus::Stopped).then_some(report.task);
    };
    if known.last_status == TaskStatus::Stopped {
        return Some(report.task);
    }
    let mut task = (*known).clone();
    task.last_status = known.last_status.max(report.last_status);
    task.times = merge(&known.times, &report.times);
    task.health = report.health;
    for container in &mut task.containers {
        if let Some(report) = report.containers.iter().find(|report| report.name == container.name) {
            take_over(container, report);
        }
    }
    if let Some((code, reason)) = report.stop {
        task.stop_code = Some(code);
        task.stopped_reason = Some(reason);
    }
    let mut deregistered = Vec::new();
    if task.last_status > TaskStatus::Running {
        task.desired_status = DesiredStatus::Stopped;
        task.times.stopping_at.get_or_insert(now);
        deregistered = tasks::deregister_in(draft, &task, now);
    }
    let stopped = task.last_status == TaskStatus::Stopped;
    if stopped {
        task.times.stopped_at.get_or_insert(now);
        task.containers.iter_mut().for_each(|container| container.last_status = ContainerStatus::Stopped);
    }
    if task == *known {
        return None;
    }
    pinned_images::note(draft, &task);
    task.version += 1;
    // Where a task stands on its way need not survive: its node says it again.
    let lasting = task.last_status != known.last_status
        && matches!(task.last_status, TaskStatus::Running | TaskStatus::Stopped);
    if lasting {
        draft.put(task.clone());
    } else {
        draft.put_volatile(task.clone());
    }
    tasks::tell_deregistered(draft, &task, &deregistered, now);
    if stopped {
        release(draft, &task, now);
        hold_back_next(draft, &task, now);
    }
    stopped.then_some(task.id)
}

/// Makes a task's service wait before it starts another, when the task did not last.
fn hold_back_next(draft: &mut Draft<'_>, task: &Task, now: Timestamp) {
    let Some((name, deployment)) = &task.service else { return };
    let Some(service) = draft.get::<Service>(&format!("{}/{name}", task.cluster)) else { return };
    let mut service = (*service).clone();
    // Of deployments, only the newest starts tasks; of task sets, each does.
    let starts = service.deployments.first().is_none_or(|primary| primary.id == *deployment);
    let Some(part) = services::part(&mut service, deployment).filter(|_| starts) else { return };
    let wait = match task.stop_code {
        Some(StopCode::TaskFailedToStart) => {
            part.failed_tasks += 1;
            part.failures += 1;
            part.updated_at = now;
            restart::after_failed_starts(part.failed_tasks)
        }
        Some(StopCode::EssentialContainerExited) => restart::after_brief_runs(brief_runs(draft, task, now)),
        Some(
            StopCode::UserInitiated
            | StopCode::ServiceSchedulerInitiated
            | StopCode::SpotInterruption
            | StopCode::TerminationNotice,
        )
        | None => return,
    };
    if wait.is_zero() {
        return;
    }
    part.retry_at = part.retry_at.max(Some(now + wait));
    draft.put(service);
}

/// Returns how many tasks of a task's deployment ended by themselves lately, soon after their start.
fn brief_runs(draft: &Draft<'_>, task: &Task, now: Timestamp) -> u32 {
    let brief = |other: &Arc<Task>| {
        let TaskTimes { started_at, stopped_at, .. } = &other.times;
        other.service == task.service
            && other.stop_code == Some(StopCode::EssentialContainerExited)
            && stopped_at.is_some_and(|stopped_at| {
                now.since(stopped_at) < restart::MEMORY
                    && started_at.is_none_or(|started_at| stopped_at.since(started_at) < restart::BRIEF)
            })
    };
    let Some((service, _)) = &task.service else { return 0 };
    let tasks = draft.find::<Task>(ENDED, &format!("{}/{service}", task.cluster));
    u32::try_from(tasks.iter().filter(|other| brief(other)).count()).unwrap_or(u32::MAX)
}

fn release(draft: &mut Draft<'_>, task: &Task, now: Timestamp) {
    if let Some(interface) = &task.interface {
        interfaces::release(draft, interface, now);
    }
}

fn take_over(container: &mut wharf_model::task::Container, report: &ContainerReport) {
    container.last_status = container.last_status.max(report.last_status);
    container.image_digest = report.image_digest.as_ref().map(Word::from).or(container.image_digest.take());
    container.runtime_id = report.runtime_id.clone().or(container.runtime_id.take());
    container.exit_code = report.exit_code.or(container.exit_code);
    container.reason = report.reason.clone().or(container.reason.take());
    if !report.network_bindings.is_empty() {
        container.network_bindings.clone_from(&report.network_bindings);
    }
    container.health = report.health;
}

fn merge(known: &TaskTimes, report: &TaskTimes) -> TaskTimes {
    TaskTimes {
        connectivity_at: report.connectivity_at.or(known.connectivity_at),
        pull_started_at: report.pull_started_at.or(known.pull_started_at),
        pull_stopped_at: report.pull_stopped_at.or(known.pull_stopped_at),
        started_at: report.started_at.or(known.started_at),
        stopping_at: known.stopping_at.or(report.stopping_at),
        execution_stopped_at: report.execution_stopped_at.or(known.execution_stopped_at),
        stopped_at: report.stopped_at.or(known.stopped_at),
    }
}

//! What an agent would report of a task that does what it is told.

use wharf_model::{
    Timestamp,
    task::{ContainerStatus, HealthStatus, StopCode, TaskStatus, TaskTimes},
};
use wharf_nodelink::agent::{Assignment, ContainerReport, TaskReport};

/// Returns what a node says of a task that has come so far.
pub fn report(
    assignment: &Assignment,
    last_status: TaskStatus,
    now: Timestamp,
    stop: Option<(StopCode, String)>,
) -> TaskReport {
    let failed = matches!(stop, Some((StopCode::TaskFailedToStart, _)));
    let reached = |status| (last_status >= status && !failed).then_some(now);
    let stopped = last_status == TaskStatus::Stopped;
    let status = match last_status {
        TaskStatus::Stopped => ContainerStatus::Stopped,
        TaskStatus::Running | TaskStatus::Deactivating | TaskStatus::Stopping => ContainerStatus::Running,
        _ => ContainerStatus::Pending,
    };
    let container = |name: &String| ContainerReport {
        name: name.clone(),
        last_status: status,
        image_digest: reached(TaskStatus::Running).map(|_| format!("sha256:{}", "0".repeat(64))),
        runtime_id: reached(TaskStatus::Running).map(|_| format!("{}-app", assignment.task)),
        exit_code: (stopped && !failed).then_some(143),
        reason: None,
        network_bindings: Vec::new(),
        health: HealthStatus::Unknown,
    };
    TaskReport {
        task: assignment.task.clone(),
        last_status,
        times: TaskTimes {
            connectivity_at: reached(TaskStatus::Pending),
            pull_started_at: reached(TaskStatus::Activating),
            pull_stopped_at: reached(TaskStatus::Activating),
            started_at: reached(TaskStatus::Running),
            stopping_at: reached(TaskStatus::Stopping),
            execution_stopped_at: reached(TaskStatus::Deprovisioning),
            stopped_at: stopped.then_some(now),
        },
        containers: assignment.containers.iter().map(|(definition, _)| container(&definition.name)).collect(),
        stop,
        health: None,
    }
}

//! What a service says has happened, in ECS's words.

use crate::placement::{Lack, NoRoom};
use std::fmt::Write;
use wharf_model::{Arn, DeploymentId, ServiceName, TaskId};

#[cfg(test)]
mod tests;

const STEADY: &str = "has reached a steady state.";

/// Returns the event of a service that has what it wants.
pub fn steady(service: &ServiceName) -> String {
    format!("(service {service}) {STEADY}")
}

/// Returns whether an event says that the service has what it wants.
pub fn is_steady(event: &str) -> bool {
    event.ends_with(STEADY)
}

/// Returns the event of tasks that were started.
pub fn started(service: &ServiceName, tasks: &[TaskId]) -> String {
    format!("(service {service}) has started {} tasks:{}.", tasks.len(), list(tasks))
}

/// Returns the event of tasks that were told to stop.
pub fn stopped(service: &ServiceName, tasks: &[TaskId]) -> String {
    format!("(service {service}) has stopped {} running tasks:{}.", tasks.len(), list(tasks))
}

/// Returns the event of tasks whose connections end.
pub fn draining(service: &ServiceName, tasks: usize) -> String {
    format!("(service {service}) has begun draining connections on {tasks} tasks.")
}

/// Returns the event of targets that were registered.
pub fn registered(service: &ServiceName, targets: usize, group: &Arn) -> String {
    format!("(service {service}) registered {targets} targets in (target-group {group})")
}

/// Returns the event of targets that were deregistered.
pub fn deregistered(service: &ServiceName, targets: usize, group: &Arn) -> String {
    format!("(service {service}) deregistered {targets} targets in (target-group {group})")
}

/// Returns the event of a task whose target fails its checks.
pub fn unhealthy(service: &ServiceName, task: &TaskId, port: u16, group: &Arn, reason: &str) -> String {
    format!(
        "(service {service}) (task {task}) (port {port}) is unhealthy in (target-group {group}) due to (reason {reason})."
    )
}

/// Returns the reason of a task's stop after failed checks.
pub fn failed_checks(group: &Arn) -> String {
    format!("Task failed ELB health checks in (target-group {group})")
}

/// Returns the reason of a task's stop because its deployment wants fewer.
pub fn scaling(deployment: &DeploymentId) -> String {
    format!("Scaling activity initiated by (deployment {deployment})")
}

/// Returns the event of a deployment that is done.
pub fn completed(service: &ServiceName, deployment: &DeploymentId) -> String {
    format!("(service {service}) (deployment {deployment}) deployment completed.")
}

/// Returns the event of a deployment that was given up.
pub fn failed(service: &ServiceName, deployment: &DeploymentId) -> String {
    format!("(service {service}) (deployment {deployment}) deployment failed: tasks failed to start.")
}

/// The reason of a deployment that was given up.
pub const BROKEN: &str = "ECS deployment circuit breaker: tasks failed to start.";

/// Returns the event of a return to the last deployment that was done.
pub fn rolling_back(service: &ServiceName, deployment: &DeploymentId) -> String {
    format!("(service {service}) rolling back to deployment {deployment}.")
}

/// Returns the event of starts that keep failing.
pub fn impaired(service: &ServiceName) -> String {
    format!(
        "(service {service}) is unable to consistently start tasks successfully. For more information, see the \
         Troubleshooting section of the Amazon ECS Developer Guide."
    )
}

/// Returns the event of bounds that leave no way to go on.
pub fn stuck(service: &ServiceName) -> String {
    format!(
        "(service {service}) was unable to stop or start tasks during a deployment because of the service deployment \
         configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
    )
}

/// Returns the event of a task whose containers fail their checks.
pub fn container_unhealthy(service: &ServiceName, task: &TaskId) -> String {
    format!("(service {service}) (task {task}) failed container health checks.")
}

/// The reason of a task's stop after failed checks of its containers.
pub const FAILED_CONTAINER_CHECKS: &str = "Task failed container health checks";

/// Returns the event of a task that no node takes.
pub fn unplaced(service: &ServiceName, why: &NoRoom) -> String {
    let text = format!(
        "(service {service}) was unable to place a task because no container instance met all of its requirements."
    );
    let NoRoom::Closest(instance, lack) = why else {
        return format!("{text} Reason: No Container Instances were found in your cluster.");
    };
    let lack = match lack {
        Lack::Cpu => "has insufficient CPU units available",
        Lack::Memory => "has insufficient memory available",
        Lack::Ports => "is already using a port required by your task",
        Lack::Member => "does not satisfy a memberOf placement constraint of your task",
        Lack::Distinct => "already runs a task of the group (distinctInstance)",
    };
    format!("{text} The closest matching (container-instance {instance}) {lack}.")
}

/// Returns the event of a task that could not be made for another reason.
pub fn unstartable(service: &ServiceName, reason: &str) -> String {
    format!("(service {service}) was unable to place a task. Reason: {reason}.")
}

fn list(tasks: &[TaskId]) -> String {
    tasks.iter().fold(String::new(), |mut text, task| {
        let _ = write!(text, " (task {task})");
        text
    })
}

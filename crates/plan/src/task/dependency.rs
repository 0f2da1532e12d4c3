//! What containers wait for in one another.

use super::{Container, Life};
use serde::{Deserialize, Serialize};
use wharf_model::task::HealthStatus;

/// What another container must have reached before one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The other container's place in the task.
    pub container: usize,
    /// What it must have reached.
    pub condition: Condition,
}

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// It was started.
    Start,
    /// It ended.
    Complete,
    /// It ended with exit code 0.
    Success,
    /// It passed its health check.
    Healthy,
}

/// Where a wait stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wait {
    /// It is over.
    Over,
    /// It goes on.
    On,
    /// It cannot end any more, for this reason.
    Vain(String),
}

/// Returns where the waiting of a container stands, of which all must be over.
pub(super) fn wait(containers: &[Container], target: usize) -> Wait {
    let mut all = Wait::Over;
    for dependency in &containers[target].depends_on {
        match wait_for(containers, target, *dependency) {
            Wait::Over => {}
            Wait::On => all = Wait::On,
            vain @ Wait::Vain(_) => return vain,
        }
    }
    all
}

/// Returns where the wait for one other container stands.
pub(super) fn wait_for(containers: &[Container], target: usize, dependency: Dependency) -> Wait {
    let Some(other) = containers.get(dependency.container) else {
        return Wait::Vain(format!(
            "{GRAPH}container ordering dependency for target [{}] does not exist.",
            containers[target].name
        ));
    };
    let code = match &other.life {
        Life::Ended(ending) => Some(ending.code),
        Life::Pulling
        | Life::Pulled
        | Life::Starting
        | Life::Running
        | Life::Resetting(_)
        | Life::Stopping { .. } => None,
    };
    let failed = || {
        Wait::Vain(format!(
            "{GRAPH}failed to resolve container ordering dependency [{}] for target [{}]",
            other.name, containers[target].name
        ))
    };
    let healthy = other.health.as_ref().is_some_and(|health| health.status == HealthStatus::Healthy);
    match (dependency.condition, code) {
        (Condition::Start, _) if other.was_started() => Wait::Over,
        (Condition::Healthy, None) if healthy => Wait::Over,
        (Condition::Healthy, None) if other.health.is_none() => failed(),
        (_, None) => Wait::On,
        (Condition::Complete, Some(_)) if other.was_started() => Wait::Over,
        (Condition::Success, Some(Some(0))) => Wait::Over,
        (Condition::Success, Some(Some(_))) => Wait::Vain(format!(
            "{GRAPH}failed to resolve container ordering dependency [{}] for target [{}] as dependency did not exit \
             successfully.",
            other.name, containers[target].name
        )),
        (Condition::Start | Condition::Complete | Condition::Success | Condition::Healthy, Some(_)) => {
            failed()
        }
    }
}

/// Returns what a container says that waited for another longer than that one's start timeout.
pub(super) fn timed_out(containers: &[Container], target: usize, other: usize) -> String {
    format!(
        "{GRAPH}container ordering dependency [{}] for target [{}] has timed out.",
        containers[other].name, containers[target].name
    )
}

const GRAPH: &str = "CannotStartContainerError: dependency graph: ";

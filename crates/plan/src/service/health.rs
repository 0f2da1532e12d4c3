//! How a service's task is: healthy as ECS defines it.
//!
//! A task without checks is healthy once it has run for a while (40 seconds on AWS). One whose containers are checked is
//! healthy when these are, one behind load balancers when its targets are, one with both when all are. Within the grace
//! period nothing that fails counts.

use super::Health;
use std::time::Duration;
use wharf_model::target_group::TargetState;

#[cfg(test)]
mod tests;

/// What is known of a task.
#[derive(Debug, Clone)]
pub struct Signs<'a> {
    /// How long it has run; nothing while it does not.
    pub ran: Option<Duration>,
    /// What its containers' own checks say.
    pub containers: ContainerHealth,
    /// What the load balancers say of its targets; nothing of one that is not registered yet.
    pub targets: &'a [Option<TargetState>],
    /// How long nothing that fails counts.
    pub grace: Duration,
    /// How long a task without checks must run.
    pub healthy_after: Duration,
}

/// What the checks of a task's containers say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerHealth {
    /// There are none.
    Unchecked,
    /// Not all have passed yet.
    Unknown,
    /// All pass.
    Healthy,
    /// One fails.
    Unhealthy,
}

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// A container's own check.
    Container,
    /// The target of this place.
    Target(usize),
}

/// Returns how a task is, and what fails.
pub fn judge(signs: &Signs<'_>) -> (Health, Option<Failing>) {
    let Some(ran) = signs.ran else { return (Health::Pending, None) };
    let in_grace = ran < signs.grace;
    if signs.containers == ContainerHealth::Unchecked && signs.targets.is_empty() {
        let health = if ran >= signs.healthy_after { Health::Healthy } else { Health::Starting };
        return (health, None);
    }
    let containers = match signs.containers {
        ContainerHealth::Unchecked | ContainerHealth::Healthy => Health::Healthy,
        ContainerHealth::Unhealthy if !in_grace => return (Health::Failing, Some(Failing::Container)),
        ContainerHealth::Unhealthy | ContainerHealth::Unknown => Health::Starting,
    };
    let mut health = containers;
    for (place, target) in signs.targets.iter().enumerate() {
        match target {
            // Nobody checks the last two, so nobody will ever know better.
            Some(TargetState::Healthy | TargetState::Unavailable | TargetState::Unused) => {}
            Some(TargetState::Unhealthy) if !in_grace => {
                return (Health::Failing, Some(Failing::Target(place)));
            }
            Some(TargetState::Initial | TargetState::Unhealthy | TargetState::Draining) | None => {
                health = health.max(Health::Starting);
            }
        }
    }
    (health, None)
}

//! When a container starts, whether it is well, and whether it is started again.

use super::container::number;
use wharf_aws::ecs;
use wharf_model::task_definition::{Dependency, DependencyCondition, HealthCheck, RestartPolicy};

pub(super) fn dependency(given: &Dependency) -> ecs::ContainerDependency {
    let condition = match given.condition {
        DependencyCondition::Start => "START",
        DependencyCondition::Complete => "COMPLETE",
        DependencyCondition::Success => "SUCCESS",
        DependencyCondition::Healthy => "HEALTHY",
    };
    ecs::ContainerDependency { container_name: given.container.clone(), condition: condition.to_owned() }
}

/// Times that were not given are shown with their defaults, as on AWS.
pub(super) fn health_check(given: &HealthCheck) -> ecs::HealthCheck {
    ecs::HealthCheck {
        command: given.command.clone(),
        interval: Some(number(given.interval_secs.unwrap_or(30))),
        timeout: Some(number(given.timeout_secs.unwrap_or(5))),
        retries: Some(number(given.retries.unwrap_or(3))),
        start_period: given.start_period_secs.map(number),
    }
}

pub(super) fn restart_policy(given: &RestartPolicy) -> ecs::ContainerRestartPolicy {
    ecs::ContainerRestartPolicy {
        enabled: given.enabled,
        ignored_exit_codes: given.ignored_exit_codes.clone(),
        restart_attempt_period: given.attempt_period_secs.map(number),
    }
}

//! When a container starts, whether it is well, and whether it is started again.

use super::refuse;
use crate::ecs::given;
use wharf_aws::ecs::{self, ContainerDependency, ContainerRestartPolicy};
use wharf_control::operations::Error;
use wharf_model::task_definition::{Dependency, DependencyCondition, HealthCheck, RestartPolicy};

pub(super) fn dependency(given: ContainerDependency, of: &str) -> Result<Dependency, Error> {
    let condition = match given.condition.as_str() {
        "START" => DependencyCondition::Start,
        "COMPLETE" => DependencyCondition::Complete,
        "SUCCESS" => DependencyCondition::Success,
        "HEALTHY" => DependencyCondition::Healthy,
        other => return Err(Error::client(format!("Invalid condition '{other}' in dependsOn{of}."))),
    };
    Ok(Dependency { container: given.container_name, condition })
}

pub(super) fn health_check(given: ecs::HealthCheck, of: &str) -> Result<HealthCheck, Error> {
    let number = |value: Option<i32>, member: &str| {
        let named = format!("'{member}' of healthCheck{of}");
        value.map(|value| refuse(given::count(value, &named))).transpose()
    };
    Ok(HealthCheck {
        interval_secs: number(given.interval, "interval")?,
        timeout_secs: number(given.timeout, "timeout")?,
        retries: number(given.retries, "retries")?,
        start_period_secs: number(given.start_period, "startPeriod")?,
        command: given.command,
    })
}

pub(super) fn restart_policy(given: ContainerRestartPolicy, of: &str) -> Result<RestartPolicy, Error> {
    let period = given
        .restart_attempt_period
        .map(|secs| refuse(given::count(secs, &format!("'restartAttemptPeriod' of restartPolicy{of}"))));
    Ok(RestartPolicy {
        enabled: given.enabled,
        ignored_exit_codes: given.ignored_exit_codes,
        attempt_period_secs: period.transpose()?,
    })
}

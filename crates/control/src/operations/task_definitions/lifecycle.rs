//! The rules of what a definition says of its containers' lives: who waits for whom, checks, starting again.

use crate::operations::Error;
use std::ops::RangeInclusive;
use wharf_model::task_definition::{ContainerDefinition, Dependency, DependencyCondition};
use wharf_plan::{firelens, links};

/// Exit codes that a restart policy may name.
const IGNORED_EXIT_CODES_MAX: usize = 50;

/// Checks every rule.
pub(super) fn check(containers: &[ContainerDefinition]) -> Result<(), Error> {
    for container in containers {
        for dependency in &container.depends_on {
            check_dependency(containers, container, dependency)?;
        }
        check_health(container)?;
        check_restart(container)?;
    }
    check_links(containers)?;
    if has_circle(containers) {
        return Err(Error::client("Container dependencies should not have a cycle"));
    }
    Ok(())
}

fn check_dependency(
    containers: &[ContainerDefinition],
    container: &ContainerDefinition,
    dependency: &Dependency,
) -> Result<(), Error> {
    let found = containers.iter().find(|other| other.name == dependency.container);
    let Some(other) = found else {
        let name = &dependency.container;
        return Err(Error::client(format!(
            "Cannot depend on container + '{name}' because it does not exist"
        )));
    };
    match dependency.condition {
        DependencyCondition::Complete | DependencyCondition::Success if other.essential => {
            Err(Error::client(
                "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
            ))
        }
        DependencyCondition::Healthy if other.health_check.is_none() => Err(Error::client(format!(
            "Container '{}' depends on container '{}' with the condition HEALTHY, but that container has no health check",
            container.name, other.name
        ))),
        DependencyCondition::Start
        | DependencyCondition::Complete
        | DependencyCondition::Success
        | DependencyCondition::Healthy => Ok(()),
    }
}

fn check_links(containers: &[ContainerDefinition]) -> Result<(), Error> {
    for container in containers {
        for given in &container.links {
            let link = links::read(given).filter(|link| {
                link.container != container.name
                    && containers.iter().any(|other| other.name == link.container)
            });
            if link.is_none() {
                return Err(Error::client(format!(
                    "Invalid link '{given}' of container '{}': it must be the name of another container of the task \
                     definition, or that and an alias, name:alias.",
                    container.name
                )));
            }
        }
    }
    Ok(())
}

/// Returns whether containers wait for each other in a circle, for linked ones and the log router too: then those that
/// wait for nobody, taken away again and again, leave some.
fn has_circle(containers: &[ContainerDefinition]) -> bool {
    let router = containers.iter().find(|container| container.firelens_configuration.is_some());
    let waits_for = |container: &ContainerDefinition, names: &[&str]| {
        let said =
            container.depends_on.iter().any(|dependency| names.contains(&dependency.container.as_str()));
        let routed = router.filter(|_| firelens::routed(container).is_some());
        let linked = container.links.iter().filter_map(|given| links::read(given));
        let linked = linked.into_iter().any(|link| names.contains(&link.container));
        said || linked || routed.is_some_and(|router| names.contains(&router.name.as_str()))
    };
    let mut left: Vec<&ContainerDefinition> = containers.iter().collect();
    loop {
        let names: Vec<&str> = left.iter().map(|container| container.name.as_str()).collect();
        let before = left.len();
        left.retain(|container| waits_for(container, &names));
        if left.len() == before {
            return !left.is_empty();
        }
    }
}

fn check_health(container: &ContainerDefinition) -> Result<(), Error> {
    let Some(check) = &container.health_check else { return Ok(()) };
    let kind = check.command.first().map(String::as_str);
    if !matches!(kind, Some("CMD" | "CMD-SHELL")) || check.command.len() < 2 {
        return Err(Error::client(format!(
            "Invalid 'healthCheck' setting for container '{}'. The command must begin with CMD or CMD-SHELL and name what \
             is run.",
            container.name
        )));
    }
    let numbers = [
        ("interval", check.interval_secs, 5..=300),
        ("timeout", check.timeout_secs, 2..=60),
        ("retries", check.retries, 1..=10),
        ("startPeriod", check.start_period_secs, 0..=300),
    ];
    numbers.into_iter().try_for_each(|(member, given, range)| {
        within(given, &range, &format!("'{member}' of the healthCheck"), container)
    })
}

fn check_restart(container: &ContainerDefinition) -> Result<(), Error> {
    let Some(policy) = &container.restart_policy else { return Ok(()) };
    if policy.ignored_exit_codes.len() > IGNORED_EXIT_CODES_MAX {
        return Err(Error::client(format!(
            "Invalid 'restartPolicy' setting for container '{}'. At most {IGNORED_EXIT_CODES_MAX} exit codes can be \
             ignored.",
            container.name
        )));
    }
    within(policy.attempt_period_secs, &(60..=1800), "'restartAttemptPeriod' of the restartPolicy", container)
}

fn within(
    given: Option<u32>,
    range: &RangeInclusive<u32>,
    member: &str,
    container: &ContainerDefinition,
) -> Result<(), Error> {
    if given.is_none_or(|given| range.contains(&given)) {
        return Ok(());
    }
    Err(Error::client(format!(
        "Invalid {member} setting for container '{}'. It must be between {} and {}.",
        container.name,
        range.start(),
        range.end()
    )))
}

//! The rules of log routers: one for a task that routes, none that waits for those it serves.

use crate::operations::Error;
use wharf_model::task_definition::ContainerDefinition;
use wharf_plan::firelens;

/// Checks every rule.
pub(super) fn check(containers: &[ContainerDefinition]) -> Result<(), Error> {
    let mut routers = containers.iter().filter(|container| container.firelens_configuration.is_some());
    let router = routers.next();
    if let Some(second) = routers.next() {
        return Err(Error::client(format!(
            "Invalid 'firelensConfiguration' of container '{}': only one container of a task can have it.",
            second.name
        )));
    }
    for container in containers {
        let Some(log) = firelens::routed(container) else { continue };
        let Some(router) = router else {
            return Err(Error::client(format!(
                "Container '{}' has the log driver awsfirelens, but no container of the task definition has a \
                 'firelensConfiguration'.",
                container.name
            )));
        };
        if router.name == container.name {
            return Err(Error::client(format!(
                "Container '{}' has a 'firelensConfiguration' and cannot have the log driver awsfirelens itself.",
                container.name
            )));
        }
        firelens::check_routed(log)
            .map_err(|why| Error::client(format!("Container '{}': {why}.", container.name)))?;
    }
    let Some(router) = router else { return Ok(()) };
    if let Some(configuration) = &router.firelens_configuration {
        firelens::check(configuration)
            .map_err(|why| Error::client(format!("Container '{}': {why}.", router.name)))?;
    }
    Ok(())
}

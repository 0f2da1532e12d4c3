//! StartTask: tasks on container instances that the caller chooses.

use super::{
    Described, Error, Failure,
    capacity_providers::Capacity,
    instances,
    launch::{self, Launch, NotLaunched},
    references,
    run_task::{self, RunTask, Start},
    tasks::{self, TaskDetail},
};
use crate::Control;
use std::sync::Arc;
use wharf_model::{instance::InstanceStatus, task_definition::LaunchType};

/// The most instances of one request.
const INSTANCES_MAX: usize = 10;

/// Starts a task on each of these instances. What an instance has no room for is a failure, and no error.
pub async fn start_task(
    control: &Control,
    request: RunTask,
    given: &[String],
) -> Result<Described<TaskDetail>, Error> {
    if given.is_empty() {
        return Err(Error::invalid("Container Instances cannot be empty."));
    }
    if given.len() > INSTANCES_MAX {
        return Err(Error::invalid(format!("containerInstances can have at most {INSTANCES_MAX} items.")));
    }
    let request = RunTask { capacity: Capacity::Launch(LaunchType::Ec2), ..request };
    run_task::check_group(request.group.as_deref())?;
    let place = &control.config().place;
    let now = control.now();
    let started = control
        .store()
        .update(|draft| {
            let Start { cluster, definition, network, rules, .. } =
                run_task::start(draft, control, &request)?;
            let mut rooms = launch::rooms(draft, place, &cluster.name);
            let mut described = Described { found: Vec::new(), failures: Vec::new() };
            for given in given {
                let known = references::instance(given, &cluster.name, place)
                    .and_then(|id| instances::find(draft, &cluster.name, &id));
                let arn =
                    |id: &str| place.arn("ecs", format_args!("container-instance/{}/{id}", cluster.name));
                let fails =
                    |arn: String, reason: &str| Failure { arn, reason: reason.to_owned(), detail: None };
                let instance = match known {
                    Some(instance) => instance,
                    None if given.starts_with("arn:") => {
                        described.failures.push(fails(given.clone(), "MISSING"));
                        continue;
                    }
                    None => {
                        described.failures.push(fails(arn(given).to_string(), "MISSING"));
                        continue;
                    }
                };
                let id = &instance.record.id;
                if instance.record.status != InstanceStatus::Active {
                    described.failures.push(fails(arn(id.as_str()).to_string(), "INACTIVE"));
                    continue;
                }
                if !instance.is_connected() {
                    described.failures.push(fails(arn(id.as_str()).to_string(), "AGENT"));
                    continue;
                }
                let new = Launch {
                    cluster: &cluster,
                    definition: &definition,
                    launch_type: LaunchType::Ec2,
                    provider: None,
                    only: Some(id.clone()),
                    zone: None,
                    rules: &rules,
                    strategies: &[],
                    network: &network,
                    overrides: request.overrides.clone(),
                    group: request.group.clone().unwrap_or_else(|| format!("family:{}", definition.family)),
                    started_by: request.started_by.clone(),
                    service: None,
                    enable_execute_command: request.enable_execute_command,
                    client_token: None,
                    tags: run_task::task_tags(&request, &cluster, &definition),
                    now,
                };
                match launch::launch(draft, control.config(), &mut rooms, new) {
                    Ok(task) => described.found.push(tasks::detail(draft, Arc::new(task))),
                    Err(why @ NotLaunched::NoRoom(_)) => {
                        described.failures.push(run_task::failure(control, &cluster, &why));
                    }
                    Err(NotLaunched::Interface(why)) => return Err(Error::client(why.to_string())),
                }
            }
            Ok::<_, Error>(described)
        })
        .await?;
    Ok(started)
}

//! Task protection: tasks that their service does not stop for being too many or too old.

use super::{Described, Error, Failure, clusters, references};
use crate::{Control, look::Look};
use std::{sync::Arc, time::Duration};
use wharf_model::{
    ClusterName, Place, Timestamp,
    service::Service,
    task::{DesiredStatus, Task},
};

const TASKS_MAX: usize = 10;
const LISTED_MAX: usize = 100;
/// How long a protection lasts when that was not said, and at most.
const MINUTES: u32 = 120;
const MINUTES_MAX: u32 = 2_880;

/// Whether a task is protected now.
#[derive(Debug, Clone)]
pub struct Protection {
    /// The task.
    pub task: Arc<Task>,
    /// Until when it is; absent when it is not.
    pub until: Option<Timestamp>,
}

/// Returns which tasks are protected; of all the cluster's service tasks when none is named.
pub fn get(
    control: &Control,
    cluster: &ClusterName,
    given: &[String],
) -> Result<Described<Protection>, Error> {
    let (place, now) = (&control.config().place, control.now());
    let view = control.store().view();
    clusters::active(&view, cluster)?;
    if given.is_empty() {
        let mut tasks = view.list::<Task>(&format!("{cluster}/"));
        tasks.retain(|task| task.service.is_some() && task.desired_status == DesiredStatus::Running);
        tasks.truncate(LISTED_MAX);
        let found = tasks.into_iter().map(|task| Protection { until: active(&task, now), task });
        return Ok(Described { found: found.collect(), failures: Vec::new() });
    }
    check_number(given, LISTED_MAX)?;
    let described = given.iter().map(|given| {
        let task = of_service(&view, place, cluster, given)?;
        Ok(Protection { until: active(&task, now), task })
    });
    Ok(described.collect())
}

/// Protects tasks for a while, or not any more.
pub async fn update(
    control: &Control,
    cluster: &ClusterName,
    given: &[String],
    protect: bool,
    minutes: Option<u32>,
) -> Result<Described<Protection>, Error> {
    check_number(given, TASKS_MAX)?;
    if !protect && minutes.is_some() {
        return Err(Error::invalid("expiresInMinutes can only be specified when protectionEnabled is true."));
    }
    let minutes = minutes.unwrap_or(MINUTES);
    if minutes == 0 || minutes > MINUTES_MAX {
        return Err(Error::invalid(format!("expiresInMinutes must be between 1 and {MINUTES_MAX}.")));
    }
    let (place, now) = (control.config().place.clone(), control.now());
    let until = protect.then(|| now + Duration::from_secs(u64::from(minutes) * 60));
    let updated = control
        .store()
        .update(|draft| {
            clusters::active(draft, cluster)?;
            let mut described = Described { found: Vec::new(), failures: Vec::new() };
            for given in given {
                let known = of_service(draft, &place, cluster, given).and_then(|task| {
                    if protect && is_being_replaced(draft, &task) { Err(blocked(&task)) } else { Ok(task) }
                });
                match known {
                    Ok(known) => {
                        let task =
                            Task { protected_until: until, version: known.version + 1, ..(*known).clone() };
                        draft.put(task.clone());
                        described.found.push(Protection { task: Arc::new(task), until });
                    }
                    Err(failure) => described.failures.push(failure),
                }
            }
            Ok::<_, Error>(described)
        })
        .await?;
    Ok(updated)
}

/// Returns until when a task is protected, if it is now.
fn active(task: &Task, now: Timestamp) -> Option<Timestamp> {
    task.protected_until.filter(|until| *until > now)
}

/// Returns a running task of a service: others cannot be protected.
fn of_service(
    look: &impl Look,
    place: &Place,
    cluster: &ClusterName,
    given: &str,
) -> Result<Arc<Task>, Failure> {
    let arn = |id: &str| match given.starts_with("arn:") {
        true => given.to_owned(),
        false => place.arn("ecs", format_args!("task/{cluster}/{id}")).to_string(),
    };
    let id = references::task(given, cluster, place).ok_or_else(|| Failure::missing(arn(given)))?;
    let task = look.get::<Task>(&format!("{cluster}/{id}"));
    let task = task.ok_or_else(|| Failure::missing(arn(given)))?;
    if task.service.is_none() || task.desired_status == DesiredStatus::Stopped {
        let reason = "TASK_NOT_VALID".to_owned();
        let detail = "The task is not a running task of a service.".to_owned();
        return Err(Failure { arn: task.arn.to_string(), reason, detail: Some(detail) });
    }
    Ok(task)
}

/// Returns whether a deployment under way replaces a task.
fn is_being_replaced(look: &impl Look, task: &Task) -> bool {
    let Some((name, deployment)) = &task.service else { return false };
    let service = look.get::<Service>(&format!("{}/{name}", task.cluster));
    service
        .is_some_and(|service| service.deployments.first().is_some_and(|primary| primary.id != *deployment))
}

fn blocked(task: &Task) -> Failure {
    Failure {
        arn: task.arn.to_string(),
        reason: "DEPLOYMENT_BLOCKED".to_owned(),
        detail: Some("A deployment of the service is replacing the task.".to_owned()),
    }
}

fn check_number(given: &[String], most: usize) -> Result<(), Error> {
    if given.is_empty() {
        return Err(Error::invalid("Tasks cannot be empty."));
    }
    if given.len() > most {
        return Err(Error::invalid(format!("Tasks can have at most {most} items.")));
    }
    Ok(())
}

//! Registered targets: who may be sent requests.
//!
//! A target's record stays while it drains and goes when the balancer says that it has drained, or when its delay is
//! over, whichever is first. A group that no listener or rule reaches has no request in flight: its targets go at once.

use super::balancing::reach;
use std::{sync::Arc, time::Duration};
use thiserror::Error;
use wharf_model::{
    Arn, TaskId, Timestamp,
    target_group::{Target, TargetAddress, TargetGroup, TargetHealth},
};
use wharf_plan::routing;
use wharf_store::{Draft, TargetHealthRecord, View, target_key};

/// What a balancer that is there needs, beyond the delay, to say that a target has drained.
const REPORT_GRACE: Duration = Duration::from_secs(5);

/// Why a target is not registered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The target group does not exist.
    #[error("One or more target groups not found")]
    GroupNotFound(Arn),
}

/// Registers a target; one that was draining takes requests again. Safe to repeat.
pub fn register(
    draft: &mut Draft<'_>,
    target_group: &Arn,
    address: TargetAddress,
    task: Option<TaskId>,
    now: Timestamp,
) -> Result<(), Error> {
    if draft.get::<TargetGroup>(&target_group.to_string()).is_none() {
        return Err(Error::GroupNotFound(target_group.clone()));
    }
    let key = target_key(target_group, &address);
    let known = draft.get::<Target>(&key);
    if known.is_some_and(|known| known.draining_since.is_none() && known.task == task) {
        return Ok(());
    }
    draft.delete::<TargetHealthRecord>(&key);
    draft.put(Target {
        target_group: target_group.clone(),
        address,
        task,
        registered_at: now,
        draining_since: None,
    });
    Ok(())
}

/// Deregisters a target: no new request goes to it. Safe to repeat, and for a target that is not there.
pub fn deregister(draft: &mut Draft<'_>, target_group: &Arn, address: &TargetAddress, now: Timestamp) {
    let key = target_key(target_group, address);
    let Some(target) = draft.get::<Target>(&key).filter(|target| target.draining_since.is_none()) else {
        return;
    };
    if reach(draft).has(target_group) {
        draft.put(Target { draining_since: Some(now), ..(*target).clone() });
    } else {
        forget(draft, &key);
    }
}

/// Removes a target that has drained; one that was registered again meanwhile stays.
pub fn drained(draft: &mut Draft<'_>, target_group: &Arn, address: &TargetAddress) {
    let key = target_key(target_group, address);
    if draft.get::<Target>(&key).is_some_and(|target| target.draining_since.is_some()) {
        forget(draft, &key);
    }
}

/// Returns the draining targets that nobody needs to wait for any more.
pub fn overdue(view: &View<'_>, now: Timestamp) -> Vec<(Arn, TargetAddress)> {
    let draining: Vec<_> =
        view.list::<Target>("").into_iter().filter(|target| target.draining_since.is_some()).collect();
    if draining.is_empty() {
        return Vec::new();
    }
    let reach = reach(view);
    draining
        .iter()
        .filter(|target| {
            let group = view.get::<TargetGroup>(&target.target_group.to_string());
            let delay = group.map_or(0, |group| group.deregistration_delay_secs);
            let limit = Duration::from_secs(delay.into()) + REPORT_GRACE;
            !reach.has(&target.target_group)
                || target.draining_since.is_some_and(|since| since + limit <= now)
        })
        .map(|target| (target.target_group.clone(), target.address))
        .collect()
}

/// Returns what is said of the health of each target of a group.
pub fn health(view: &View<'_>, group: &TargetGroup) -> Vec<(Arc<Target>, TargetHealth)> {
    let reached = reach(view).has(&group.arn);
    view.list::<Target>(&format!("{} ", group.arn))
        .into_iter()
        .map(|target| {
            let reported = view.get::<TargetHealthRecord>(&target_key(&group.arn, &target.address));
            let reported = reported.as_ref().map(|record| &record.health);
            let health = routing::health(&target, group, reached, reported);
            (target, health)
        })
        .collect()
}

fn forget(draft: &mut Draft<'_>, key: &str) {
    draft.delete::<Target>(key);
    draft.delete::<TargetHealthRecord>(key);
}

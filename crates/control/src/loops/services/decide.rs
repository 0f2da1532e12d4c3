//! What is due for a service, as a value.

use super::world::Seen;
use std::time::Duration;
use wharf_model::{
    Arn, DeploymentId, TaskId, Timestamp,
    service::{Deployment, Rollout, ServiceStatus},
    target_group::TargetAddress,
};
use wharf_plan::service::{Bounds, Desired, Health, Observed, Starts, Step, breaker, plan, restart, words};

/// How long an event is not repeated.
const SILENCE: Duration = Duration::from_secs(6 * 3600);

/// What is due for a service.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Decision {
    /// Tasks to start and stop.
    pub(super) step: Step,
    /// Targets to register.
    pub(super) register: Vec<(TaskId, Arn, TargetAddress)>,
    /// Older deployments whose tasks are gone.
    pub(super) retired: Vec<DeploymentId>,
    /// The newest deployment is done.
    pub(super) completed: bool,
    /// It does not come up, and is given up.
    pub(super) broken: bool,
    /// All tasks are healthy, or one is that was started after the last that failed.
    pub(super) forgiven: bool,
    /// Events to add, oldest first.
    pub(super) say: Vec<String>,
    /// The deleted service has no task left.
    pub(super) gone: bool,
}

impl Decision {
    /// Returns whether nothing is due.
    pub(super) fn is_nothing(&self) -> bool {
        // Being stuck is told once, by an event; by itself it asks for nothing.
        let step = Step { stuck: self.step.stuck, ..Step::default() };
        *self == Decision { step, ..Decision::default() }
    }
}

/// Returns what is due for a service.
pub(super) fn decide(seen: &Seen<'_>, now: Timestamp) -> Decision {
    let service = seen.service;
    let Some(primary) = service.deployments.first() else { return Decision::default() };
    let draining = service.status == ServiceStatus::Draining;
    if draining && seen.present.is_empty() {
        return Decision { gone: true, ..Decision::default() };
    }
    let count = usize::try_from(service.desired_count).unwrap_or(usize::MAX);
    let rank = |id: &DeploymentId| {
        // A task whose deployment is not known any more is older than all.
        let known = service.deployments.iter().position(|deployment| deployment.id == *id);
        known.unwrap_or(service.deployments.len())
    };
    let observed: Vec<Observed> = seen
        .live
        .iter()
        .map(|live| Observed {
            task: live.task.id.clone(),
            deployment: rank(&live.deployment),
            health: live.health,
        })
        .collect();
    let desired = Desired {
        count,
        bounds: Bounds::new(service.deployment_bounds, service.desired_count),
        starts: starts(primary, now),
    };
    let step = plan(&desired, &observed);
    let retired: Vec<DeploymentId> = service
        .deployments
        .iter()
        .skip(1)
        .filter(|deployment| !seen.present.contains(&deployment.id))
        .map(|deployment| deployment.id.clone())
        .collect();
    let fresh = || observed.iter().filter(|task| task.deployment == 0);
    let healthy = fresh().filter(|task| task.health == Health::Healthy).count();
    let all_there = observed.len() == count && healthy == count;
    let alone = service.deployments.len() == retired.len() + 1;
    let in_progress = primary.rollout == Rollout::InProgress;
    let completed = in_progress && all_there && alone && !draining;
    let tripped = primary.failed_tasks >= breaker::threshold(service.desired_count);
    let recovered = all_there
        || seen.live.iter().any(|live| {
            live.deployment == primary.id
                && live.health == Health::Healthy
                && primary.retry_at.is_none_or(|retry_at| live.task.created_at >= retry_at)
        });
    let mut decision = Decision {
        register: seen
            .live
            .iter()
            .flat_map(|live| {
                let of = live.task.id.clone();
                live.missing.iter().map(move |(group, address)| (of.clone(), group.clone(), *address))
            })
            .filter(|(task, ..)| !step.stops.iter().any(|(stopped, _)| stopped == task))
            .collect(),
        retired,
        completed,
        broken: service.circuit_breaker.enable && in_progress && tripped && !draining,
        forgiven: (primary.failed_tasks > 0 || primary.retry_at.is_some()) && recovered,
        ..Decision::default()
    };
    let recently = |message: &str| {
        let mut events = service.events.iter();
        events.any(|event| event.message == message && now.since(event.created_at) < SILENCE)
    };
    if step.stuck && !recently(&words::stuck(&service.name)) {
        decision.say.push(words::stuck(&service.name));
    }
    if primary.failed_tasks >= restart::IMPAIRED
        && !decision.forgiven
        && !recently(&words::impaired(&service.name))
    {
        decision.say.push(words::impaired(&service.name));
    }
    let told = service
        .events
        .first()
        .is_some_and(|event| words::is_steady(&event.message) && now.since(event.created_at) < SILENCE);
    let done = completed || (primary.rollout == Rollout::Completed && all_there && alone);
    if done && !draining && !told {
        decision.say.push(words::steady(&service.name));
    }
    decision.step = step;
    decision
}

fn starts(primary: &Deployment, now: Timestamp) -> Starts {
    match (primary.rollout, primary.retry_at) {
        (Rollout::Failed, _) => Starts::Never,
        (_, Some(retry_at)) if retry_at > now => Starts::Later,
        (_, _) => Starts::Now,
    }
}

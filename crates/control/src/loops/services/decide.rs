//! What is due for a service, as a value.

use super::world::{Fails, Live, Seen};
use std::time::Duration;
use wharf_model::{
    Arn, DeploymentId, NodeId, TaskId, Timestamp,
    service::{Controller, Deployment, DeploymentBounds, Rollout, Scheduling, ServiceStatus, TaskSet},
    target_group::TargetAddress,
};
use wharf_plan::service::{
    Bounds, Desired, Health, Observed, Starts, Why, breaker, daemon, plan, restart, words,
};

/// How long an event is not repeated.
const SILENCE: Duration = Duration::from_secs(6 * 3600);

/// What is due for a service.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Decision {
    /// Tasks to start.
    pub(super) starts: Vec<Start>,
    /// Tasks to stop, and why.
    pub(super) stops: Vec<(TaskId, Why)>,
    /// Targets to register.
    pub(super) register: Vec<(TaskId, Arn, TargetAddress)>,
    /// Older deployments whose tasks are gone.
    pub(super) retired: Vec<DeploymentId>,
    /// The newest deployment is done.
    pub(super) completed: bool,
    /// It does not come up, and is given up.
    pub(super) broken: bool,
    /// Deployments of which all tasks are healthy, or one is that was started after the last that failed.
    pub(super) forgiven: Vec<DeploymentId>,
    /// How many tasks a daemon is to have, when that has changed.
    pub(super) desired_count: Option<u32>,
    /// Task sets that have what they want from now on, or have not any more.
    pub(super) stable: Vec<(DeploymentId, bool)>,
    /// Events to add, oldest first.
    pub(super) say: Vec<String>,
    /// The deleted service has no task left.
    pub(super) gone: bool,
}

/// Tasks to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    /// Of which deployment or task set.
    pub(super) deployment: DeploymentId,
    /// How many.
    pub(super) count: usize,
    /// On which instance, for a daemon.
    pub(super) on: Option<NodeId>,
}

impl Decision {
    /// Returns whether nothing is due.
    pub(super) fn is_nothing(&self) -> bool {
        *self == Decision::default()
    }
}

/// Returns what is due for a service.
pub(super) fn decide(seen: &Seen<'_>, now: Timestamp) -> Decision {
    let service = seen.service;
    if service.status == ServiceStatus::Draining && seen.present.is_empty() {
        return Decision { gone: true, ..Decision::default() };
    }
    let mut decision = match (service.controller, service.deployments.first()) {
        (Controller::External, _) => of_task_sets(seen, now),
        (Controller::Ecs, Some(primary)) => of_deployments(seen, primary, now),
        (Controller::Ecs, None) => Decision::default(),
    };
    decision.register = seen
        .live
        .iter()
        .flat_map(|live| {
            let of = live.task.id.clone();
            live.missing.iter().map(move |(group, address)| (of.clone(), group.clone(), *address))
        })
        .filter(|(task, ..)| !decision.stops.iter().any(|(stopped, _)| stopped == task))
        .collect();
    decision
}

fn of_deployments(seen: &Seen<'_>, primary: &Deployment, now: Timestamp) -> Decision {
    let service = seen.service;
    let draining = service.status == ServiceStatus::Draining;
    let rank = |live: &Live| {
        // A task whose deployment is not known any more, or whose instance goes, is older than all.
        let known = service.deployments.iter().position(|deployment| deployment.id == live.deployment);
        known.filter(|_| !live.leaving).unwrap_or(service.deployments.len())
    };
    let observed: Vec<Observed> = seen.live.iter().map(|live| observe(live, rank(live))).collect();
    let (starts, stops, stuck, count) = match service.scheduling {
        Scheduling::Replica => {
            let desired = Desired {
                count: size(service.desired_count),
                bounds: Bounds::new(service.deployment_bounds, service.desired_count),
                starts: may_start(primary, now),
                even_zones: seen.even_zones,
            };
            let step = plan(&desired, &observed);
            let start = Start { deployment: primary.id.clone(), count: step.starts, on: None };
            let starts = if step.starts > 0 { vec![start] } else { Vec::new() };
            (starts, step.stops, step.stuck, desired.count)
        }
        Scheduling::Daemon => {
            let members = if draining { &[][..] } else { &seen.members[..] };
            let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
            let bounds = Bounds::new(service.deployment_bounds, count);
            let live: Vec<_> =
                seen.live.iter().map(|live| live.task.node.clone()).zip(observed.iter().cloned()).collect();
            let step = daemon::plan(members, bounds, may_start(primary, now), &live);
            let start = |node: NodeId| Start { deployment: primary.id.clone(), count: 1, on: Some(node) };
            (step.starts.into_iter().map(start).collect(), step.stops, step.stuck, members.len())
        }
    };
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
    let limit = breaker::threshold(service.circuit_breaker.threshold, service.desired_count);
    let tripped = primary.failures >= limit;
    let forgiven = is_forgiven(seen, primary, all_there);
    let counted = u32::try_from(count)
        .ok()
        .filter(|count| service.scheduling == Scheduling::Daemon && *count != service.desired_count);
    let mut decision = Decision {
        starts,
        stops,
        retired,
        completed,
        broken: service.circuit_breaker.enable && in_progress && tripped && !draining,
        forgiven: if forgiven { vec![primary.id.clone()] } else { Vec::new() },
        desired_count: counted,
        ..Decision::default()
    };
    if stuck && !recently(seen, &words::stuck(&service.name), now) {
        decision.say.push(words::stuck(&service.name));
    }
    say_impaired(seen, primary, forgiven, now, &mut decision);
    let done = completed || (primary.rollout == Rollout::Completed && all_there && alone);
    say_steady(seen, done && !draining, now, &mut decision);
    decision
}

/// Each task set is kept by itself: nobody rolls anything but their owner.
fn of_task_sets(seen: &Seen<'_>, now: Timestamp) -> Decision {
    let service = seen.service;
    let mut decision = Decision::default();
    let mut all_stable = true;
    for set in &service.task_sets {
        let count = size(set.count(service.desired_count));
        let of_set: Vec<&Live> =
            seen.live.iter().filter(|live| live.deployment == set.deployment.id).collect();
        let observed: Vec<Observed> =
            of_set.iter().map(|live| observe(live, usize::from(live.leaving))).collect();
        let whole = DeploymentBounds { healthy_min_percent: 0, live_max_percent: 100 };
        let bounds = Bounds::new(whole, u32::try_from(count).unwrap_or(u32::MAX));
        let desired = Desired { count, bounds, starts: may_start(&set.deployment, now), even_zones: 0 };
        let step = plan(&desired, &observed);
        if step.starts > 0 {
            let deployment = set.deployment.id.clone();
            decision.starts.push(Start { deployment, count: step.starts, on: None });
        }
        decision.stops.extend(step.stops);
        let healthy = observed.iter().filter(|task| task.health == Health::Healthy).count();
        let stable = observed.len() == count && healthy == count && !set.draining;
        all_stable &= stable;
        if stable != set.stable.0 {
            decision.stable.push((set.deployment.id.clone(), stable));
        }
        let forgiven = is_forgiven(seen, &set.deployment, stable);
        if forgiven {
            decision.forgiven.push(set.deployment.id.clone());
        }
        say_impaired(seen, &set.deployment, forgiven, now, &mut decision);
    }
    let gone = |set: &&TaskSet| set.draining && !seen.present.contains(&set.deployment.id);
    decision.retired = service.task_sets.iter().filter(gone).map(|set| set.deployment.id.clone()).collect();
    let active = service.status == ServiceStatus::Active && !service.task_sets.is_empty();
    say_steady(seen, all_stable && active, now, &mut decision);
    decision
}

fn observe(live: &Live, deployment: usize) -> Observed {
    Observed {
        task: live.task.id.clone(),
        deployment,
        health: live.health,
        protected: live.protected,
        crowd: live.crowd,
    }
}

/// Returns whether the failures of a deployment are over: all its tasks are healthy, or one is that was started after
/// the last that failed.
fn is_forgiven(seen: &Seen<'_>, deployment: &Deployment, all_there: bool) -> bool {
    let recovered = all_there
        || seen.live.iter().any(|live| {
            live.deployment == deployment.id
                && live.health == Health::Healthy
                && deployment.retry_at.is_none_or(|retry_at| live.task.created_at >= retry_at)
        });
    (deployment.failed_tasks > 0 || deployment.retry_at.is_some()) && recovered
}

fn say_impaired(
    seen: &Seen<'_>,
    deployment: &Deployment,
    forgiven: bool,
    now: Timestamp,
    decision: &mut Decision,
) {
    let words = words::impaired(&seen.service.name);
    if deployment.failed_tasks >= restart::IMPAIRED && !forgiven && !recently(seen, &words, now) {
        decision.say.push(words);
    }
}

fn say_steady(seen: &Seen<'_>, steady: bool, now: Timestamp, decision: &mut Decision) {
    let told = seen
        .service
        .events
        .first()
        .is_some_and(|event| words::is_steady(&event.message) && now.since(event.created_at) < SILENCE);
    if steady && !told {
        decision.say.push(words::steady(&seen.service.name));
    }
}

fn recently(seen: &Seen<'_>, message: &str, now: Timestamp) -> bool {
    let mut events = seen.service.events.iter();
    events.any(|event| event.message == message && now.since(event.created_at) < SILENCE)
}

fn may_start(deployment: &Deployment, now: Timestamp) -> Starts {
    match (deployment.rollout, deployment.retry_at) {
        (Rollout::Failed, _) => Starts::Never,
        (_, Some(retry_at)) if retry_at > now => Starts::Later,
        (_, _) => Starts::Now,
    }
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Returns the event of a task that fails, and the reason of its stop.
pub(super) fn words_of(seen: &Seen<'_>, task: &TaskId, fails: &Fails) -> (String, String) {
    let name = &seen.service.name;
    match fails {
        Fails::Container => {
            (words::container_unhealthy(name, task), words::FAILED_CONTAINER_CHECKS.to_owned())
        }
        Fails::Target(group, port, words) => {
            (words::unhealthy(name, task, *port, group, words), words::failed_checks(group))
        }
    }
}

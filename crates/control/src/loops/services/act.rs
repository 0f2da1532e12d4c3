//! Doing what is due for a service, in one transaction.

use super::{
    decide::{Decision, decide},
    world::{Seen, World},
};
use crate::{
    Config,
    operations::{
        launch::{self, Launch, NotLaunched},
        run_task::add_missing,
        services, targets, task_definitions, tasks,
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use wharf_model::{
    Arn, TaskId, Timestamp,
    cluster::Cluster,
    service::{CompletedDeployment, PropagateTags, Rollout, Service, ServiceStatus},
    tag::Tag,
    task::{StopCode, Task, TaskOverride},
    task_definition::TaskDefinition,
};
use wharf_plan::{
    placement::NoRoom,
    service::{Why, words},
};
use wharf_store::Draft;

/// How long an event about tasks that cannot be started is not repeated.
const SILENCE: Duration = Duration::from_secs(6 * 3600);

/// Whether tasks are started.
pub(super) enum Mode {
    /// They are.
    Full,
    /// They are not, because of this.
    NoStarts(NotLaunched),
}

/// Looks at a service and does what is due. Refuses, and then nothing is done, when a task cannot be made.
pub(super) fn act(
    draft: &mut Draft<'_>,
    config: &Config,
    key: &str,
    now: Timestamp,
    mode: &Mode,
) -> Result<(), NotLaunched> {
    let Some(known) = draft.get::<Service>(key) else { return Ok(()) };
    if known.status == ServiceStatus::Inactive {
        return Ok(());
    }
    let world = World::of(draft, &format!("{}/", known.cluster));
    let seen = world.seen(draft, &known, config, now);
    let decision = decide(&seen, now);
    let mut service = (*known).clone();
    if decision.gone {
        service.status = ServiceStatus::Inactive;
        service.deployments.clear();
        draft.put(service);
        return Ok(());
    }
    stop(draft, &mut service, &seen, &decision, now);
    register(draft, &mut service, &decision, now);
    match mode {
        Mode::Full => start(draft, config, &mut service, decision.step.starts, now)?,
        Mode::NoStarts(why) => {
            let message = cannot_start(&service, why);
            let told = service
                .events
                .iter()
                .any(|event| event.message == message && now.since(event.created_at) < SILENCE);
            if !told {
                services::note(&mut service, message, now);
            }
        }
    }
    settle(&mut service, &decision, now);
    if service != *known {
        draft.put(service);
    }
    Ok(())
}

/// Asks tasks to stop; those that failed their checks are counted.
fn stop(draft: &mut Draft<'_>, service: &mut Service, seen: &Seen<'_>, decision: &Decision, now: Timestamp) {
    let name = service.name.clone();
    let mut stopped = Vec::new();
    let mut drained = 0;
    let mut deregistered: BTreeMap<Arn, usize> = BTreeMap::new();
    for (id, why) in &decision.step.stops {
        let Some(live) = seen.live.iter().find(|live| live.task.id == *id) else { continue };
        let reason = match (why, &live.failing) {
            (Why::Failing, Some((group, port, words))) => {
                services::note(service, words::unhealthy(&name, id, *port, group, words), now);
                words::failed_checks(group)
            }
            (Why::Failing | Why::Scaling, _) => {
                let newest = service.deployments.first().map(|primary| primary.id.clone());
                words::scaling(&newest.unwrap_or_else(|| live.deployment.clone()))
            }
        };
        if let Some(primary) = service.deployments.first_mut()
            && *why == Why::Failing
            && primary.id == live.deployment
        {
            primary.failed_tasks += 1;
            // Only a task that is started from now on can show that things are well again.
            primary.retry_at = Some(now);
            primary.updated_at = now;
        }
        let (_, groups) = tasks::stop_in(draft, &live.task, StopCode::ServiceSchedulerInitiated, reason, now);
        stopped.push(id.clone());
        drained += usize::from(!groups.is_empty());
        for group in groups {
            *deregistered.entry(group).or_default() += 1;
        }
    }
    if !stopped.is_empty() {
        services::note(service, words::stopped(&name, &stopped), now);
    }
    if drained > 0 {
        services::note(service, words::draining(&name, drained), now);
    }
    for (group, targets) in deregistered {
        services::note(service, words::deregistered(&name, targets, &group), now);
    }
}

fn register(draft: &mut Draft<'_>, service: &mut Service, decision: &Decision, now: Timestamp) {
    let mut registered: BTreeMap<&Arn, usize> = BTreeMap::new();
    for (task, group, address) in &decision.register {
        match targets::register(draft, group, *address, Some(task.clone()), now) {
            Ok(()) => *registered.entry(group).or_default() += 1,
            Err(error) => tracing::warn!(%task, %group, %error, "target cannot be registered"),
        }
    }
    for (group, targets) in registered {
        let message = words::registered(&service.name, targets, group);
        services::note(service, message, now);
    }
}

fn start(
    draft: &mut Draft<'_>,
    config: &Config,
    service: &mut Service,
    starts: usize,
    now: Timestamp,
) -> Result<(), NotLaunched> {
    let Some(primary) = service.deployments.first().filter(|_| starts > 0).cloned() else { return Ok(()) };
    let Some(definition) = task_definitions::get(draft, &primary.definition) else { return Ok(()) };
    let Some(cluster) = draft.get::<Cluster>(service.cluster.as_str()) else { return Ok(()) };
    let mut rooms = launch::rooms(draft);
    let mut started: Vec<TaskId> = Vec::new();
    for _ in 0..starts {
        let new = Launch {
            cluster: &cluster,
            definition: &definition,
            launch_type: service.launch_type,
            network: &primary.network,
            overrides: TaskOverride::default(),
            group: format!("service:{}", service.name),
            started_by: Some(primary.id.to_string()),
            service: Some((service.name.clone(), primary.id.clone())),
            enable_execute_command: false,
            client_token: None,
            tags: tags(service, &definition),
            now,
        };
        let task: Task = launch::launch(draft, config, &mut rooms, new)?;
        started.push(task.id);
    }
    let message = words::started(&service.name, &started);
    services::note(service, message, now);
    Ok(())
}

fn tags(service: &Service, definition: &Arc<TaskDefinition>) -> Vec<Tag> {
    let mut tags = match service.propagate_tags {
        PropagateTags::None => Vec::new(),
        PropagateTags::Service => service.tags.clone(),
        PropagateTags::TaskDefinition => definition.tags.clone(),
    };
    if service.managed_tags {
        let managed = [
            ("aws:ecs:clusterName", service.cluster.as_str()),
            ("aws:ecs:serviceName", service.name.as_str()),
        ];
        let managed = managed.map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned() });
        add_missing(&mut tags, &managed);
    }
    tags
}

/// Brings the deployments up to date and tells what has come of them.
fn settle(service: &mut Service, decision: &Decision, now: Timestamp) {
    let name = service.name.clone();
    service.deployments.retain(|deployment| !decision.retired.contains(&deployment.id));
    if decision.broken {
        give_up(service, now);
    } else if let Some(primary) = service.deployments.first_mut() {
        if decision.forgiven {
            primary.failed_tasks = 0;
            primary.retry_at = None;
        }
        if decision.completed {
            primary.rollout = Rollout::Completed;
            primary.rollout_reason = None;
            primary.updated_at = now;
            let id = primary.id.clone();
            service.last_completed = Some(CompletedDeployment {
                id: id.clone(),
                definition: primary.definition.clone(),
                network: primary.network.clone(),
            });
            services::note(service, words::completed(&name, &id), now);
        }
    }
    for message in &decision.say {
        services::note(service, message.clone(), now);
    }
}

/// Gives the newest deployment up; deploys the last one that was done again, if that is asked for.
fn give_up(service: &mut Service, now: Timestamp) {
    let name = service.name.clone();
    let Some(primary) = service.deployments.first_mut() else { return };
    primary.rollout = Rollout::Failed;
    primary.rollout_reason = Some("ECS deployment circuit breaker: tasks failed to start.".to_owned());
    primary.updated_at = now;
    let failed = primary.clone();
    services::note(service, words::failed(&name, &failed.id), now);
    let Some(last) = service.last_completed.clone().filter(|_| service.circuit_breaker.rollback) else {
        return;
    };
    if last.definition == failed.definition && last.network == failed.network {
        return;
    }
    let mut again = services::deployment(last.definition, last.network, now);
    again.rollout_reason =
        Some(format!("ECS deployment circuit breaker: rolling back to deploymentId {}.", last.id));
    services::replace_primary(service, again);
    services::note(service, words::rolling_back(&name, &last.id), now);
}

fn cannot_start(service: &Service, why: &NotLaunched) -> String {
    match why {
        NotLaunched::NoRoom(NoRoom::NoNode) => words::unplaced(&service.name, None),
        NotLaunched::NoRoom(NoRoom::Cpu(node)) => {
            words::unplaced(&service.name, Some((node.as_str(), "has insufficient CPU units available")))
        }
        NotLaunched::NoRoom(NoRoom::Memory(node)) => {
            words::unplaced(&service.name, Some((node.as_str(), "has insufficient memory available")))
        }
        NotLaunched::NoRoom(NoRoom::Ports(node)) => words::unplaced(
            &service.name,
            Some((node.as_str(), "is already using a port required by your task")),
        ),
        NotLaunched::Interface(error) => words::unstartable(&service.name, &error.to_string()),
    }
}

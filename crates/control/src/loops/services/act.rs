//! Doing what is due for a service, in one transaction.

use super::{
    decide::{Decision, Start, decide, words_of},
    world::{self, Seen, by_zone},
};
use crate::{
    Config,
    operations::{
        interfaces,
        launch::{self, Launch, NotLaunched},
        network_configuration, run_task,
        run_task::add_missing,
        service_deployments, services, targets, task_definitions, tasks,
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
    capacity,
    placement::NoRoom,
    service::{Why, words},
};
use wharf_store::Draft;

/// How long an event about tasks that cannot be started is not repeated.
const SILENCE: Duration = Duration::from_secs(6 * 3600);

/// How many of the tasks that are due are started.
pub(super) enum Mode {
    /// All of them.
    All,
    /// So many, because the next one cannot be made.
    AtMost(usize, interfaces::Error),
}

/// Why not all tasks can be made, and how many can.
#[derive(Debug)]
pub(super) struct Short {
    pub(super) made: usize,
    pub(super) why: interfaces::Error,
}

/// Looks at a service and does what is due. Refuses, and then nothing is done, when a task gets no interface; that there
/// is no room for one is said, and the others are started.
pub(super) fn act(
    draft: &mut Draft<'_>,
    config: &Config,
    key: &str,
    now: Timestamp,
    mode: &Mode,
) -> Result<(), Short> {
    let Some(known) = draft.get::<Service>(key) else { return Ok(()) };
    if known.status == ServiceStatus::Inactive {
        return Ok(());
    }
    let seen = world::seen(draft, &known, config, now);
    let decision = decide(&seen, now);
    let mut service = (*known).clone();
    if decision.gone {
        service.status = ServiceStatus::Inactive;
        service.deployments.clear();
        service.task_sets.clear();
        draft.put(service);
        return Ok(());
    }
    stop(draft, &mut service, &seen, &decision, now);
    register(draft, &mut service, &decision, now);
    let (most, mut why) = match mode {
        Mode::All => (usize::MAX, None),
        Mode::AtMost(most, why) => (*most, Some(NotLaunched::Interface(why.clone()))),
    };
    let mut made = 0;
    for due in &decision.starts {
        let count = due.count.min(most - made);
        let (started, no_room) =
            start(draft, config, &mut service, &seen, &Start { count, ..due.clone() }, now)
                .map_err(|short| Short { made: made + short.made, ..short })?;
        made += started;
        why = no_room.map(NotLaunched::NoRoom).or(why);
    }
    if let Some(why) = why {
        let message = cannot_start(&service, &why);
        let told = service
            .events
            .iter()
            .any(|event| event.message == message && now.since(event.created_at) < SILENCE);
        if !told {
            services::note(&mut service, message, now);
        }
    }
    settle(draft, config, &mut service, &decision, now);
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
    for (id, why) in &decision.stops {
        let Some(live) = seen.live.iter().find(|live| live.task.id == *id) else { continue };
        let reason = match (why, &live.failing) {
            (Why::Failing, Some(fails)) => {
                let (event, reason) = words_of(seen, id, fails);
                services::note(service, event, now);
                reason
            }
            (Why::Failing | Why::Scaling, _) => {
                let newest = service.deployments.first().map(|primary| primary.id.clone());
                words::scaling(&newest.unwrap_or_else(|| live.deployment.clone()))
            }
        };
        let newest = service.deployments.first().map(|primary| primary.id.clone());
        if *why == Why::Failing
            && newest.is_none_or(|newest| newest == live.deployment)
            && let Some(part) = services::part(service, &live.deployment)
        {
            part.failed_tasks += 1;
            part.failures += 1;
            // Only a task that is started from now on can show that things are well again.
            part.retry_at = Some(now);
            part.updated_at = now;
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

/// Starts tasks; returns how many, and why no more have room.
fn start(
    draft: &mut Draft<'_>,
    config: &Config,
    service: &mut Service,
    seen: &Seen<'_>,
    due: &Start,
    now: Timestamp,
) -> Result<(usize, Option<NoRoom>), Short> {
    let Some(part) = services::part(service, &due.deployment).cloned() else { return Ok((0, None)) };
    let Some(definition) = task_definitions::get(draft, &part.definition) else { return Ok((0, None)) };
    let Some(cluster) = draft.get::<Cluster>(service.cluster.as_str()) else { return Ok((0, None)) };
    let placement = &part.terms.placement;
    // An expression that cannot be read was refused before; without it tasks would go where they must not.
    let Ok(rules) = run_task::rules(&definition, placement) else { return Ok((0, None)) };
    let mut rooms = launch::rooms(draft, &config.place, &service.cluster);
    let zones = network_configuration::zones(draft, &part.network);
    let mut there = by_zone(&seen.live);
    let mut placed: BTreeMap<String, usize> = BTreeMap::new();
    let of_part = seen.live.iter().filter(|live| live.deployment == due.deployment);
    for provider in of_part.filter_map(|live| live.task.capacity_provider.clone()) {
        *placed.entry(provider).or_default() += 1;
    }
    let mut started: Vec<TaskId> = Vec::new();
    let mut no_room = None;
    for _ in 0..due.count {
        let provider = capacity::next(&part.terms.strategy, &placed).map(str::to_owned);
        if let Some(provider) = &provider {
            *placed.entry(provider.clone()).or_default() += 1;
        }
        let counts = there.iter().map(|(zone, tasks)| (zone.as_str(), *tasks)).collect();
        let names: Vec<&str> = zones.iter().map(String::as_str).collect();
        let zone = wharf_plan::service::zones::emptiest(&names, &counts).map(str::to_owned);
        let new = Launch {
            cluster: &cluster,
            definition: &definition,
            launch_type: part.terms.launch_type.unwrap_or(service.launch_type),
            provider,
            only: due.on.clone(),
            zone: zone.clone(),
            rules: &rules,
            strategies: &placement.strategies,
            network: &part.network,
            overrides: TaskOverride::default(),
            group: format!("service:{}", service.name),
            started_by: Some(part.id.to_string()),
            service: Some((service.name.clone(), part.id.clone())),
            enable_execute_command: part.terms.enable_execute_command,
            client_token: None,
            tags: tags(service, &definition),
            now,
        };
        let launched = match launch::launch(draft, config, &mut rooms, new.clone()) {
            // A zone without addresses is no reason not to start, unless all are to have equally many.
            Err(NotLaunched::Interface(_)) if !service.zone_rebalancing => {
                launch::launch(draft, config, &mut rooms, Launch { zone: None, ..new })
            }
            launched => launched,
        };
        let task: Task = match launched {
            Ok(task) => task,
            Err(NotLaunched::NoRoom(why)) => {
                no_room = Some(why);
                break;
            }
            Err(NotLaunched::Interface(why)) => return Err(Short { made: started.len(), why }),
        };
        *there.entry(task.zone.to_string()).or_default() += 1;
        started.push(task.id);
    }
    if !started.is_empty() {
        let message = words::started(&service.name, &started);
        services::note(service, message, now);
    }
    Ok((started.len(), no_room))
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
fn settle(
    draft: &mut Draft<'_>,
    config: &Config,
    service: &mut Service,
    decision: &Decision,
    now: Timestamp,
) {
    service.deployments.retain(|deployment| !decision.retired.contains(&deployment.id));
    service.task_sets.retain(|set| !decision.retired.contains(&set.deployment.id));
    service.desired_count = decision.desired_count.unwrap_or(service.desired_count);
    let resets = service.circuit_breaker.reset_on_healthy_task;
    for id in &decision.forgiven {
        if let Some(part) = services::part(service, id) {
            part.failed_tasks = 0;
            part.retry_at = None;
            part.failures = if resets { 0 } else { part.failures };
        }
    }
    for (id, stable) in &decision.stable {
        if let Some(set) = service.task_sets.iter_mut().find(|set| set.deployment.id == *id) {
            set.stable = (*stable, now);
            set.deployment.updated_at = now;
        }
    }
    if decision.broken {
        give_up(draft, config, service, now);
    } else if decision.completed {
        complete(draft, service, now);
    }
    for message in &decision.say {
        services::note(service, message.clone(), now);
    }
}

fn complete(draft: &mut Draft<'_>, service: &mut Service, now: Timestamp) {
    let Some(primary) = service.deployments.first_mut() else { return };
    primary.rollout = Rollout::Completed;
    primary.rollout_reason = None;
    primary.updated_at = now;
    let done = primary.clone();
    service.last_completed = Some(CompletedDeployment {
        id: done.id.clone(),
        definition: done.definition.clone(),
        network: done.network.clone(),
        terms: done.terms.clone(),
    });
    let message = words::completed(&service.name, &done.id);
    services::note(service, message, now);
    service_deployments::complete(draft, service, &done, now);
}

/// Gives the newest deployment up; deploys the last one that was done again, if that is asked for.
fn give_up(draft: &mut Draft<'_>, config: &Config, service: &mut Service, now: Timestamp) {
    let Some(primary) = service.deployments.first_mut() else { return };
    primary.rollout = Rollout::Failed;
    primary.rollout_reason = Some(words::BROKEN.to_owned());
    primary.updated_at = now;
    let failed = primary.clone();
    let message = words::failed(&service.name, &failed.id);
    services::note(service, message, now);
    // A return that fails itself is not returned from.
    let returned = service.last_completed.as_ref().is_some_and(|last| {
        match (&last.terms.revision, &failed.terms.revision) {
            (Some(last), Some(failed)) => last == failed,
            // Made before revisions were kept.
            (_, _) => last.definition == failed.definition && last.network == failed.network,
        }
    });
    let rollback = match service.circuit_breaker.rollback && !returned {
        true => service_deployments::roll_back(draft, service, &config.place, words::BROKEN, now),
        false => None,
    };
    service_deployments::break_off(draft, service, &failed, rollback, now);
}

fn cannot_start(service: &Service, why: &NotLaunched) -> String {
    match why {
        NotLaunched::NoRoom(why) => words::unplaced(&service.name, why),
        NotLaunched::Interface(error) => words::unstartable(&service.name, &error.to_string()),
    }
}

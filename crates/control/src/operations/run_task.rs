//! RunTask: tasks that no service keeps.

use super::{
    Described, Error, Failure,
    capacity_providers::{self, Capacity, Chosen},
    clusters, instances,
    launch::{self, Launch, NotLaunched},
    network_configuration, task_definitions,
    tasks::{self, TaskDetail},
};
use crate::Control;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use wharf_model::{
    ClusterName, Timestamp,
    cluster::Cluster,
    node::Node,
    placement::Placement,
    service::AwsvpcConfiguration,
    tag::Tag,
    task::{Task, TaskOverride},
    task_definition::{LaunchType, NetworkMode, TaskDefinition},
};
use wharf_plan::{
    capacity, fargate,
    placement::{self, Rule},
};
use wharf_store::{Draft, RequestToken, UpdateError};

/// How long a request waits for the first node of a Wharf that has just been started.
const FIRST_NODE: Duration = Duration::from_secs(5);

/// What tasks are started from.
#[derive(Debug, Clone)]
pub struct RunTask {
    /// The cluster.
    pub cluster: ClusterName,
    /// The definition, as given.
    pub definition: String,
    /// How many, 1 to 10.
    pub count: u32,
    /// What they are placed by.
    pub capacity: Capacity,
    /// Where they may go and should go.
    pub placement: Placement,
    /// Where their interfaces are made.
    pub network: Option<AwsvpcConfiguration>,
    /// What to change of the definition.
    pub overrides: TaskOverride,
    /// The group; `family:…` when absent.
    pub group: Option<String>,
    /// Who starts them, in the caller's words.
    pub started_by: Option<String>,
    /// Makes the request one that can be repeated.
    pub client_token: Option<String>,
    /// Their tags.
    pub tags: Vec<Tag>,
    /// Whether they also get the definition's tags.
    pub propagate_from_definition: bool,
    /// Whether they are tagged with their cluster.
    pub managed_tags: bool,
    /// Whether commands can be run in them.
    pub enable_execute_command: bool,
}

/// Why fewer tasks than asked for can be made: after how many, and the failure of the rest.
struct Short {
    made: u32,
    failure: Failure,
}

enum Refused {
    Short(Short),
    Error(Error),
}

/// Starts tasks. They are durable, and their node is told, when this returns.
pub async fn run_task(control: &Control, request: RunTask) -> Result<Described<TaskDetail>, Error> {
    if request.count == 0 || request.count > 10 {
        return Err(Error::invalid("Count must be between 1 and 10."));
    }
    read(&request.placement)?;
    check_group(request.group.as_deref())?;
    if control.store().view().list::<Node>("").is_empty() {
        wait_for_a_node(control).await;
    }
    let token = request.client_token.as_ref().map(|token| format!("RunTask {} {token}", request.cluster));
    let fingerprint = fingerprint(&request);
    let mut count = request.count;
    let mut short: Option<Failure> = None;
    loop {
        let now = control.now();
        let made = control
            .store()
            .update(|draft| {
                if let Some(token) = &token
                    && let Some(known) = draft.get::<RequestToken>(token)
                {
                    return repeated(draft, control, &request.cluster, &known, &fingerprint)
                        .map_err(Refused::Error);
                }
                let start = start(draft, control, &request).map_err(Refused::Error)?;
                let tasks = launch_all(draft, control, &request, &start, count, now)?;
                if let Some(token) = token.clone() {
                    draft.put(RequestToken {
                        name: token,
                        fingerprint: fingerprint.clone(),
                        tasks: tasks.iter().map(|task| task.id.clone()).collect(),
                        made: None,
                        created_at: now,
                    });
                }
                let found = tasks.into_iter().map(|task| tasks::detail(draft, Arc::new(task))).collect();
                Ok(Described { found, failures: Vec::new() })
            })
            .await;
        match made {
            Ok(mut described) => {
                let missing = usize::try_from(request.count - count).unwrap_or(0);
                described.failures.extend(short.into_iter().flat_map(|failure| vec![failure; missing]));
                return Ok(described);
            }
            Err(UpdateError::Refused(Refused::Short(Short { made: 0, failure }))) => {
                let failures = vec![failure; usize::try_from(request.count).unwrap_or(1)];
                return Ok(Described { found: Vec::new(), failures });
            }
            Err(UpdateError::Refused(Refused::Short(Short { made, failure }))) => {
                count = made;
                short = Some(failure);
            }
            Err(UpdateError::Refused(Refused::Error(error))) => return Err(error),
            Err(UpdateError::Store(error)) => return Err(error.into()),
        }
    }
}

/// What is looked up once for all tasks of a request.
pub(super) struct Start {
    pub(super) cluster: Arc<Cluster>,
    pub(super) definition: Arc<TaskDefinition>,
    pub(super) network: AwsvpcConfiguration,
    pub(super) chosen: Chosen,
    pub(super) rules: Vec<Rule>,
}

/// Refuses the groups that are ours to give.
pub(super) fn check_group(group: Option<&str>) -> Result<(), Error> {
    match group {
        Some(group) if group.starts_with("service:") || group.starts_with("family:") => {
            Err(Error::invalid("Invalid namespace for group."))
        }
        _ => Ok(()),
    }
}

/// Returns what a definition and a placement ask of nodes.
pub(crate) fn rules(definition: &TaskDefinition, placement: &Placement) -> Result<Vec<Rule>, Error> {
    let own = Placement { constraints: definition.placement_constraints.clone(), strategies: Vec::new() };
    let mut rules = read(&own)?;
    rules.extend(read(placement)?);
    Ok(rules)
}

/// Returns what a placement asks of nodes.
pub(crate) fn read(placement: &Placement) -> Result<Vec<Rule>, Error> {
    placement::read(placement).map_err(|error| Error::invalid(error.to_string()))
}

/// Refuses what makes no sense for tasks whose nodes nobody knows.
pub(crate) fn check_placement(
    launch_type: LaunchType,
    definition: &TaskDefinition,
    placement: &Placement,
) -> Result<(), Error> {
    let unconstrained = placement.constraints.is_empty() && definition.placement_constraints.is_empty();
    match launch_type {
        LaunchType::Fargate if !unconstrained => {
            Err(Error::invalid("Placement constraints are not supported with FARGATE launch type."))
        }
        LaunchType::Fargate if !placement.strategies.is_empty() => {
            Err(Error::invalid("Placement strategies are not supported with FARGATE launch type."))
        }
        LaunchType::Fargate | LaunchType::Ec2 => Ok(()),
    }
}

/// Looks up what a request's tasks are made from, and checks it.
pub(super) fn start(draft: &mut Draft<'_>, control: &Control, request: &RunTask) -> Result<Start, Error> {
    let definition = task_definitions::to_start(draft, control, &request.definition)?;
    let cluster = clusters::in_use(draft, &control.config().place, &request.cluster)?;
    let chosen = capacity_providers::choose(draft, &control.config().place, &cluster, &request.capacity)?;
    check_launch_type(chosen.launch_type, &definition, &request.overrides)?;
    check_placement(chosen.launch_type, &definition, &request.placement)?;
    check_overrides(&request.overrides, &definition)?;
    let network = network_configuration::of(draft, &definition, request.network.as_ref())?;
    if chosen.launch_type == LaunchType::Ec2 && instances::of_cluster(draft, &cluster.name).is_empty() {
        return Err(Error::invalid("No Container Instances were found in your cluster."));
    }
    let rules = rules(&definition, &request.placement)?;
    Ok(Start { cluster, definition, network, chosen, rules })
}

fn launch_all(
    draft: &mut Draft<'_>,
    control: &Control,
    request: &RunTask,
    Start { cluster, definition, network, chosen, rules }: &Start,
    count: u32,
    now: Timestamp,
) -> Result<Vec<Task>, Refused> {
    let tags = task_tags(request, cluster, definition);
    let mut rooms = launch::rooms(draft, &control.config().place, &cluster.name);
    let mut placed: BTreeMap<String, usize> = BTreeMap::new();
    let mut tasks = Vec::new();
    for made in 0..count {
        let provider = capacity::next(&chosen.strategy, &placed).map(str::to_owned);
        if let Some(provider) = &provider {
            *placed.entry(provider.clone()).or_default() += 1;
        }
        let new = Launch {
            cluster,
            definition,
            launch_type: chosen.launch_type,
            provider,
            only: None,
            zone: None,
            rules,
            strategies: &request.placement.strategies,
            network,
            overrides: request.overrides.clone(),
            group: request.group.clone().unwrap_or_else(|| format!("family:{}", definition.family)),
            started_by: request.started_by.clone(),
            service: None,
            enable_execute_command: request.enable_execute_command,
            client_token: request.client_token.clone(),
            tags: tags.clone(),
            now,
        };
        match launch::launch(draft, control.config(), &mut rooms, new) {
            Ok(task) => tasks.push(task),
            Err(error) => {
                let failure = failure(control, cluster, &error);
                return Err(Refused::Short(Short { made, failure }));
            }
        }
    }
    Ok(tasks)
}

/// Returns the tags of a request's tasks.
pub(super) fn task_tags(request: &RunTask, cluster: &Cluster, definition: &TaskDefinition) -> Vec<Tag> {
    let mut tags = request.tags.clone();
    if request.propagate_from_definition {
        add_missing(&mut tags, &definition.tags);
    }
    if request.managed_tags {
        let key = "aws:ecs:clusterName".to_owned();
        tags.push(Tag { key, value: cluster.name.to_string() });
    }
    tags
}

/// Adds the tags whose keys are not there yet.
pub(crate) fn add_missing(tags: &mut Vec<Tag>, more: &[Tag]) {
    for tag in more {
        if !tags.iter().any(|known| known.key == tag.key) {
            tags.push(tag.clone());
        }
    }
}

/// Checks that a definition can be started with a launch type.
pub(crate) fn check_launch_type(
    launch_type: LaunchType,
    definition: &TaskDefinition,
    overrides: &TaskOverride,
) -> Result<(), Error> {
    let size = (overrides.cpu.or(definition.cpu)).zip(overrides.memory.or(definition.memory));
    let fits = size.is_some_and(|(cpu, memory)| fargate::fits(cpu, memory));
    let required = &definition.requires_compatibilities;
    match launch_type {
        LaunchType::Fargate if definition.network_mode != NetworkMode::Awsvpc => {
            Err(Error::invalid("Fargate only supports network mode 'awsvpc'."))
        }
        LaunchType::Fargate
            if !task_definitions::compatibilities(definition).contains(&LaunchType::Fargate)
                && definition
                    .cpu
                    .zip(definition.memory)
                    .is_some_and(|(cpu, memory)| fargate::fits(cpu, memory)) =>
        {
            Err(Error::invalid("Task definition does not support launch_type FARGATE."))
        }
        LaunchType::Fargate if !fits || !(required.is_empty() || required.contains(&LaunchType::Fargate)) => {
            Err(Error::invalid("Task definition does not support launch_type FARGATE."))
        }
        LaunchType::Ec2 if !required.is_empty() && !required.contains(&LaunchType::Ec2) => {
            Err(Error::invalid("Task definition does not support launch_type EC2."))
        }
        LaunchType::Fargate | LaunchType::Ec2 => Ok(()),
    }
}

fn check_overrides(overrides: &TaskOverride, definition: &TaskDefinition) -> Result<(), Error> {
    task_definitions::disk(overrides.ephemeral_storage_gib)?;
    for given in &overrides.containers {
        let known = definition.containers.iter().find(|container| container.name == given.name);
        let known = known.ok_or_else(|| {
            Error::invalid(format!(
                "Override for container named {} is not a container in the TaskDefinition.",
                given.name
            ))
        })?;
        task_definitions::overridden(known, &given.environment)?;
        if let Some(files) = &given.environment_files {
            task_definitions::environment_files(files, &given.name)?;
        }
        let (hard, soft) = (given.memory, given.memory_reservation);
        if [hard, soft].into_iter().flatten().any(|memory| memory.0 < task_definitions::MEMORY_MIN) {
            return Err(Error::invalid(format!(
                "Invalid 'memory' setting in the override of container '{}'. The minimum is {} MiB.",
                given.name,
                task_definitions::MEMORY_MIN
            )));
        }
        let task = overrides.memory.or(definition.memory);
        if hard.zip(task).is_some_and(|(own, task)| own > task) {
            return Err(Error::invalid("The 'memory' setting for container is greater than for the task."));
        }
        let unusable = |(name, _): &&(String, String)| name.is_empty() || name.contains(['=', '\0']);
        if let Some((name, _)) = given.environment.iter().find(unusable) {
            return Err(Error::invalid(format!(
                "Invalid name {name:?} of an environment variable in the override of container '{}'.",
                given.name
            )));
        }
    }
    Ok(())
}

pub(super) fn failure(control: &Control, cluster: &Cluster, error: &NotLaunched) -> Failure {
    match error {
        NotLaunched::NoRoom(no_room) => {
            let place = &control.config().place;
            let arn = no_room.closest().map_or_else(
                || cluster.arn.clone(),
                |node| place.arn("ecs", format_args!("container-instance/{}/{node}", cluster.name)),
            );
            let detail = no_room.closest().is_none().then(|| "no node has joined this Wharf yet".to_owned());
            Failure { arn: arn.to_string(), reason: no_room.reason().to_owned(), detail }
        }
        NotLaunched::Interface(error) => Failure {
            arn: cluster.arn.to_string(),
            reason: "RESOURCE:ENI".to_owned(),
            detail: Some(error.to_string()),
        },
    }
}

fn repeated(
    draft: &Draft<'_>,
    control: &Control,
    cluster: &ClusterName,
    known: &RequestToken,
    fingerprint: &str,
) -> Result<Described<TaskDetail>, Error> {
    if known.fingerprint != fingerprint {
        let place = &control.config().place;
        let arn = |task| place.arn("ecs", format_args!("task/{cluster}/{task}"));
        let message = "The clientToken was used before with different parameters.".to_owned();
        return Err(Error::Conflict(message, known.tasks.iter().map(arn).collect()));
    }
    let tasks = known.tasks.iter().filter_map(|task| draft.get::<Task>(&format!("{cluster}/{task}")));
    Ok(Described { found: tasks.map(|task| tasks::detail(draft, task)).collect(), failures: Vec::new() })
}

fn fingerprint(request: &RunTask) -> String {
    hex::encode(Sha256::digest(format!("{request:?}")))
}

async fn wait_for_a_node(control: &Control) {
    let mut bell = control.store().watch();
    let there =
        async { while control.store().view().list::<Node>("").is_empty() && bell.changed().await.is_ok() {} };
    // Without one, the answer says so.
    let _ = tokio::time::timeout(FIRST_NODE, there).await;
}

//! What is known of one task, as its journal keeps it.
//!
//! The journal is one file, replaced whole at each step before the step's effects are performed. It survives the
//! death of this process; only what keeper is asked to forget, the exits, is forced to the disk first, because
//! everything else of a task is lost with the machine anyway.

use crate::{
    disk::{self, Durability},
    error::Error,
    fabric::{self, Bridge, Connection, Wanted},
    image::ImageNote,
};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fs, time::Duration};
use wharf_model::{
    Arn, TaskId, Timestamp,
    task::NetworkBinding,
    task_definition::{ContainerDefinition, DependencyCondition, NetworkMode},
};
use wharf_nodelink::agent::{Assignment, ContainerReport, TaskReport};
use wharf_plan::task::{Condition, Container, Dependency, Health, Life, RestartPolicy, Rules, Task};
use wharf_plan::{firelens, links};
use wharf_sandbox::network::SlotName;

pub(crate) const JOURNAL: &str = "journal.json";

/// What is said of a container whose processes the kernel does not end, mostly because they wait for a device.
const STUCK: &str = "CannotStopContainerError: the container's processes were killed and do not end";

/// A task with all that its node knows of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The boot during which its processes and network live.
    pub(crate) boot_id: String,
    /// What control said.
    pub(crate) assignment: Assignment,
    /// Where it stands.
    pub(crate) task: Task,
    /// What is known of each container, in the assignment's order.
    pub(crate) notes: Vec<ContainerNote>,
    /// Its network slot.
    pub(crate) slot: Option<SlotName>,
    /// What a bridged task has of the host.
    #[serde(default)]
    pub(crate) bridge: Option<Bridge>,
    /// Where a task in the host's own network finds its metadata: a port of the loopback.
    #[serde(default)]
    pub(crate) metadata_port: Option<u16>,
}

/// What is known of a container besides where it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ContainerNote {
    /// Its id at keeper, which is also what the API shows as the runtime's.
    pub(crate) id: String,
    /// Its image, once resolved.
    pub(crate) image: Option<ImageNote>,
    /// Whether keeper was ever asked to make it.
    pub(crate) attempted: bool,
    /// When it was started.
    pub(crate) started_at: Option<Timestamp>,
    /// When it ended.
    pub(crate) finished_at: Option<Timestamp>,
    /// Whether its processes did not go when they were killed.
    #[serde(default)]
    pub(crate) stuck: bool,
}

impl Record {
    /// Returns a task of which nothing was done.
    pub(crate) fn new(assignment: Assignment, boot_id: &str) -> Record {
        let containers = assignment.containers.iter();
        let lives = (0..containers.len()).map(|place| container(place, &assignment.containers));
        let notes = containers.map(|(_, arn)| ContainerNote {
            id: container_id(&assignment.task, arn),
            image: None,
            attempted: false,
            started_at: None,
            finished_at: None,
            stuck: false,
        });
        let (task, notes) = (Task::new(lives.collect()), notes.collect());
        Record {
            boot_id: boot_id.to_owned(),
            assignment,
            task,
            notes,
            slot: None,
            bridge: None,
            metadata_port: None,
        }
    }

    /// Returns a container's definition.
    pub(crate) fn definition(&self, container: usize) -> &ContainerDefinition {
        &self.assignment.containers[container].0
    }

    /// Returns how the task is to be connected.
    pub(crate) fn wanted(&self) -> Wanted {
        let containers = self.assignment.containers.iter().map(|(definition, _)| definition);
        match (self.assignment.network_mode, &self.assignment.interface) {
            (NetworkMode::Awsvpc, Some(interface)) => Wanted::Interface(Box::new(interface.clone())),
            (NetworkMode::Bridge, _) => Wanted::Bridge(fabric::wishes(NetworkMode::Bridge, containers)),
            (NetworkMode::Host, _) => Wanted::Host,
            (NetworkMode::None | NetworkMode::Awsvpc, _) => Wanted::Nothing,
        }
    }

    /// Returns how the task was connected, as far as that outlives an agent.
    pub(crate) fn connection(&self) -> Connection {
        match (&self.assignment.interface, &self.bridge) {
            (Some(interface), _) => Connection::Interface(Box::new(interface.clone())),
            (None, Some(bridge)) => Connection::Bridge(bridge.clone()),
            (None, None) => Connection::Nothing,
        }
    }

    /// Returns the ports of the host that lead to a container, once there are some.
    fn bindings(&self, container: &str) -> Vec<NetworkBinding> {
        let containers = self.assignment.containers.iter().map(|(definition, _)| definition);
        let ports = match (&self.bridge, self.metadata_port) {
            (Some(bridge), _) => bridge.ports.clone(),
            (None, Some(_)) => fabric::own_ports(containers),
            (None, None) => Vec::new(),
        };
        ports.into_iter().filter(|(name, _)| name == container).map(|(_, binding)| binding).collect()
    }

    /// Returns the containers' definitions.
    pub(crate) fn definitions(&self) -> Vec<&ContainerDefinition> {
        self.assignment.containers.iter().map(|(definition, _)| definition).collect()
    }

    /// Returns the place of the log router.
    pub(crate) fn router(&self) -> Option<usize> {
        firelens::router(&self.definitions())
    }

    /// Returns the name that ECS's agent gives a container.
    pub(crate) fn docker_name(&self, place: usize) -> String {
        let revision = &self.assignment.definition;
        let digits = self.notes[place].id.rsplit('-').next().unwrap_or_default();
        format!("ecs-{}-{}-{}-{digits}", revision.family, revision.revision, self.definition(place).name)
    }

    /// Returns the place of a container by its id.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.notes.iter().position(|note| note.id == id)
    }

    /// Returns what control is told.
    pub(crate) fn report(&self) -> TaskReport {
        let both = self.task.containers.iter().zip(&self.notes).zip(&self.assignment.containers);
        let containers = both.map(|((container, note), (definition, _))| {
            let ending = match &container.life {
                Life::Ended(ending) => ending.clone(),
                Life::Pulling
                | Life::Pulled
                | Life::Starting
                | Life::Running
                | Life::Resetting(_)
                | Life::Stopping { .. } => Default::default(),
            };
            ContainerReport {
                name: definition.name.clone(),
                last_status: container.status(),
                image_digest: note.image.as_ref().map(|image| image.digest.clone()),
                runtime_id: note.attempted.then(|| note.id.clone()),
                exit_code: ending.code,
                reason: ending.reason.or_else(|| note.stuck.then(|| STUCK.to_owned())),
                network_bindings: self.bindings(&definition.name),
                health: container.health.as_ref().map(|health| health.status).unwrap_or_default(),
            }
        });
        TaskReport {
            task: self.assignment.task.clone(),
            last_status: self.task.status(),
            times: self.task.times.clone(),
            containers: containers.collect(),
            stop: self.task.stop().map(|stop| (stop.code, stop.reason.clone())),
            health: self.task.health(),
        }
    }

    /// Replaces the journal in a task's directory, which is made when it is not there.
    pub(crate) fn store(&self, dir: &Utf8Path, durability: Durability) -> Result<(), Error> {
        match disk::store(&dir.join(JOURNAL), self, durability) {
            Err(Error::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                fs::create_dir_all(dir).map_err(Error::file("create", dir))?;
                disk::store(&dir.join(JOURNAL), self, durability)
            }
            result => result,
        }
    }

    /// Puts the journal in a task's directory on the disk.
    pub(crate) fn flush(dir: &Utf8Path) -> Result<(), Error> {
        disk::flush(&dir.join(JOURNAL))
    }

    /// Reads every journal; a directory without one that can be read is nobody's, and is returned second.
    pub(crate) fn load_all(tasks_dir: &Utf8Path) -> Result<(Vec<Record>, Vec<Utf8PathBuf>), Error> {
        fs::create_dir_all(tasks_dir).map_err(Error::file("create", tasks_dir))?;
        let entries = tasks_dir.read_dir_utf8().map_err(Error::file("list", tasks_dir))?;
        let (mut records, mut leftovers) = (Vec::new(), Vec::new());
        for entry in entries {
            let dir = entry.map_err(Error::file("list", tasks_dir))?.path().to_owned();
            match disk::load::<Record>(&dir.join(JOURNAL)) {
                Ok(Some(record)) => records.push(record),
                Ok(None) => leftovers.push(dir),
                Err(error @ Error::Content { .. }) => {
                    tracing::error!(error = crate::error::chain(&error), "journal not usable, task removed");
                    leftovers.push(dir);
                }
                Err(error) => return Err(error),
            }
        }
        Ok((records, leftovers))
    }
}

/// Returns a container of which nothing was done, with the places of those it depends on.
fn container(place: usize, all: &[(ContainerDefinition, Arn)]) -> Container {
    let (definition, _) = &all[place];
    let dependency = |given: &wharf_model::task_definition::Dependency| {
        let container = all.iter().position(|(other, _)| other.name == given.container)?;
        let condition = match given.condition {
            DependencyCondition::Start => Condition::Start,
            DependencyCondition::Complete => Condition::Complete,
            DependencyCondition::Success => Condition::Success,
            DependencyCondition::Healthy => Condition::Healthy,
        };
        Some(Dependency { container, condition })
    };
    let mut depends_on: Vec<Dependency> = definition.depends_on.iter().filter_map(dependency).collect();
    let definitions: Vec<&ContainerDefinition> = all.iter().map(|(definition, _)| definition).collect();
    if let Some(router) = firelens::routed(definition).and(firelens::router(&definitions))
        && depends_on.iter().all(|known| known.container != router)
    {
        // What it says has to go somewhere.
        depends_on.push(Dependency { container: router, condition: Condition::Start });
    }
    for linked in links::places(&definitions, place) {
        if depends_on.iter().all(|known| known.container != linked) {
            depends_on.push(Dependency { container: linked, condition: Condition::Start });
        }
    }
    let policy = definition.restart_policy.as_ref().filter(|policy| policy.enabled);
    let check = definition.health_check.as_ref();
    Container {
        name: definition.name.clone(),
        start_timeout: definition.start_timeout_secs.map(|seconds| Duration::from_secs(u64::from(seconds))),
        depends_on,
        restart: policy
            .map(|policy| RestartPolicy::new(policy.ignored_exit_codes.clone(), policy.attempt_period_secs)),
        health: check.map(|check| {
            let rules =
                Rules::new(check.interval_secs, check.timeout_secs, check.retries, check.start_period_secs);
            Health::unknown(rules)
        }),
        ..Container::new(definition.essential, definition.stop_timeout_secs)
    }
}

/// Returns a container's id: the task's, and ten digits as Fargate writes them, which follow from its ARN.
pub(crate) fn container_id(task: &TaskId, arn: &Arn) -> String {
    let hash = Sha256::digest(arn.to_string());
    let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    format!("{task}-{number:010}")
}

/// Returns the task of a container's id.
pub(crate) fn task_of(container: &str) -> Option<TaskId> {
    container.split_once('-').and_then(|(task, _)| task.parse().ok())
}

#[cfg(test)]
mod tests;

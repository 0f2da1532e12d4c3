//! The node: its tasks, and what they share.

use crate::{
    AgentConfig,
    disk::{self, Durability},
    error::{Error, chain},
    execution,
    fabric::Fabric,
    given::Given,
    identity::Identity,
    image::Images,
    keeper::{Keeper, News},
    outbox::Outbox,
    record::{self, Record},
    supervisor::{Link, Message, Supervisor},
    volumes::{self, Places},
};
use camino::Utf8PathBuf;
use std::{
    collections::{HashMap, HashSet},
    fs,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use tokio::sync::{mpsc, watch};
use wharf_model::{TaskId, task::StopCode};
use wharf_nodelink::agent::{Assignment, NodeSettings, ToAgent};
use wharf_plan::task::{Event, Stop};
use wharf_sandbox::{cgroup::Hierarchy, network::RESOLVER_ADDRESS};

/// A task that has a supervisor.
#[derive(Debug)]
struct Supervised {
    sender: mpsc::UnboundedSender<Message>,
    shown: watch::Receiver<Arc<Record>>,
}

impl Supervised {
    /// Tells the supervisor, unless it has ended meanwhile.
    fn tell(&self, message: Message) {
        let _retired = self.sender.send(message);
    }
}

/// The node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) config: AgentConfig,
    pub(crate) identity: Identity,
    pub(crate) hierarchy: Hierarchy,
    pub(crate) keeper: Keeper,
    pub(crate) images: Arc<Images>,
    pub(crate) given: Given,
    pub(crate) volumes: Places,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) nameservers: Vec<Ipv4Addr>,
    fabric: OnceLock<Arc<Fabric>>,
    tasks: Mutex<HashMap<TaskId, Supervised>>,
    /// Directories without a task, removed once keeper has no containers in them.
    leftovers: Mutex<Vec<Utf8PathBuf>>,
}

impl Node {
    /// Opens what does not depend on control's settings.
    pub(crate) fn open(config: AgentConfig) -> Result<Arc<Node>, Error> {
        for dir in [&config.state_dir, &config.run_dir] {
            fs::create_dir_all(dir).map_err(Error::file("create", dir))?;
        }
        Ok(Arc::new(Node {
            identity: Identity::establish(&config.state_dir)?,
            hierarchy: Hierarchy::detect()?,
            keeper: Keeper::new(config.keeper_socket.clone()),
            images: Arc::new(Images::new(&config)),
            given: Given::default(),
            volumes: Places::new(&config),
            outbox: Arc::new(Outbox::new()),
            nameservers: vec![*RESOLVER_ADDRESS.ip()],
            fabric: OnceLock::new(),
            tasks: Mutex::default(),
            leftovers: Mutex::default(),
            config,
        }))
    }

    /// Returns the network, once control's settings were there.
    pub(crate) fn fabric(&self) -> Option<Arc<Fabric>> {
        self.fabric.get().cloned()
    }

    /// Returns the file that keeps control's settings, so that tasks are adopted while control is away.
    pub(crate) fn settings_file(config: &AgentConfig) -> Utf8PathBuf {
        config.state_dir.join("node-settings.json")
    }

    /// Does what control says.
    pub(crate) async fn obey(self: &Arc<Node>, message: ToAgent) -> Result<(), Error> {
        match message {
            ToAgent::Settings(settings) => {
                disk::store(&Node::settings_file(&self.config), &settings, Durability::Process)?;
                self.settle(settings).await?;
            }
            ToAgent::Provide { task, provisions } => self.given.take(task, *provisions),
            ToAgent::Everything(assignments) => {
                let named: HashSet<TaskId> =
                    assignments.iter().map(|assignment| assignment.task.clone()).collect();
                for assignment in assignments {
                    self.assign(assignment);
                }
                let tasks = self.tasks();
                for (_, supervised) in tasks.iter().filter(|(task, _)| !named.contains(*task)) {
                    supervised.tell(Message::Unassigned);
                }
            }
            ToAgent::Assign(assignment) => self.assign(*assignment),
            ToAgent::Forget(task) => match self.tasks().get(&task) {
                Some(supervised) => supervised.tell(Message::Forget),
                None => self.outbox.forget(&task),
            },
            ToAgent::Exec(order) => drop(tokio::spawn(execution::serve(self.clone(), *order))),
            ToAgent::LogsStored { batch } => self.outbox.logs_stored(batch),
            ToAgent::PinnedImages(digests) => self.images.pin(&digests),
            ToAgent::Answer { number, answer } => self.outbox.answered(number, answer),
        }
        Ok(())
    }

    /// Takes control's settings; the first ones prepare the node and adopt what runs.
    pub(crate) async fn settle(self: &Arc<Node>, settings: NodeSettings) -> Result<(), Error> {
        self.images.use_registry(&settings)?;
        match self.fabric() {
            None => self.recover(settings).await,
            Some(fabric) if fabric.settings() == settings => Ok(()),
            Some(fabric) => fabric.change(&self.config, settings).await,
        }
    }

    /// Takes over what an agent before this one left, then listens to keeper.
    async fn recover(self: &Arc<Node>, settings: NodeSettings) -> Result<(), Error> {
        let (records, leftovers) = Record::load_all(&self.config.tasks_dir())?;
        *self.leftovers.lock().unwrap_or_else(PoisonError::into_inner) = leftovers;
        let fabric = Arc::new(Fabric::open(&self.config, settings).await?);
        let this_boot = records.iter().filter(|record| record.boot_id == self.identity.boot_id);
        let owners = this_boot.filter_map(|record| {
            Some((record.slot.clone()?, (record.assignment.task.clone(), record.connection())))
        });
        let mut links = fabric.adopt(&owners.collect()).await?;
        crate::sweep::cgroups(self, &records)?;
        volumes::sweep(&self.config, &records);
        if self.fabric.set(fabric.clone()).is_err() {
            return Ok(()); // Somebody else was quicker; there is one connection to control, so nobody is.
        }
        tracing::info!(tasks = records.len(), adopted_networks = links.len(), "node prepared");
        for record in records {
            let task = record.assignment.task.clone();
            let in_host = record.metadata_port.filter(|_| record.boot_id == self.identity.boot_id);
            let link = match in_host {
                // Another program may have the port by now: then its metadata is gone, and nothing else.
                Some(port) => crate::fabric::in_host_again(port).ok(),
                None => links.remove(&task),
            };
            self.supervise(&mut self.tasks(), record, link);
        }
        tokio::spawn(fabric.clone().keep_watch());
        tokio::spawn(fabric.clone().keep_flow_logs(self.outbox.clone()));
        tokio::spawn(fabric.keep_ready());
        tokio::spawn(crate::image::cleanup::run(self.images.clone()));
        tokio::spawn(self.clone().listen_to_keeper());
        Ok(())
    }

    /// Takes a task, or a change of one.
    fn assign(self: &Arc<Node>, assignment: Assignment) {
        let mut tasks = self.tasks();
        if let Some(supervised) = tasks.get(&assignment.task) {
            supervised.tell(Message::Assigned(Box::new(assignment)));
            return;
        }
        let record = Record::new(assignment, &self.identity.boot_id);
        let dir = self.config.tasks_dir().join(record.assignment.task.as_str());
        match record.store(&dir, Durability::Process) {
            Ok(()) => self.supervise(&mut tasks, record, None),
            Err(error) => self.refuse(record, &dir, &error),
        }
    }

    /// Reports a task as stopped of which nothing was done, because not even its journal could be written.
    fn refuse(&self, mut record: Record, dir: &camino::Utf8Path, error: &Error) {
        tracing::error!(task = %record.assignment.task, error = chain(error), "task not accepted");
        let reason = format!("ResourceInitializationError: {}", chain(error));
        let stop = Event::StopAsked(Stop { code: StopCode::TaskFailedToStart, reason });
        for event in [stop, Event::ContainersGone, Event::NetworkGone] {
            if let Err(refused) = record.task.step(event, crate::clock::now()) {
                tracing::error!(error = chain(&refused), "event not taken");
            }
        }
        if let Err(error) = disk::remove_dir(dir) {
            tracing::error!(error = chain(&error), "directory of a refused task remains");
        }
        self.outbox.report(record.report());
    }

    fn supervise(
        self: &Arc<Node>,
        tasks: &mut HashMap<TaskId, Supervised>,
        record: Record,
        link: Option<Link>,
    ) {
        let (sender, inbox) = mpsc::unbounded_channel();
        let task = record.assignment.task.clone();
        let supervisor = Supervisor::new(self.clone(), record, link, sender.clone());
        tasks.insert(task, Supervised { sender, shown: supervisor.shown() });
        tokio::spawn(supervisor.live(inbox));
    }

    /// Returns the id of a container of one of this node's tasks.
    pub(crate) fn container_of(&self, task: &TaskId, name: &str) -> Option<String> {
        let shown = self.tasks().get(task)?.shown.clone();
        let record = shown.borrow();
        let place =
            record.assignment.containers.iter().position(|(definition, _)| definition.name == name)?;
        Some(record.notes[place].id.clone())
    }

    /// Takes a task off the list, whose stop control has recorded.
    pub(crate) fn retire(&self, task: &TaskId) {
        self.tasks().remove(task);
        self.given.forget(task);
        self.outbox.forget(task);
    }

    async fn listen_to_keeper(self: Arc<Node>) {
        let mut news = self.keeper.watch();
        while let Some(news) = news.recv().await {
            match news {
                News::Exited(exit) => {
                    let task = record::task_of(&exit.id);
                    let tasks = self.tasks();
                    match task.and_then(|task| tasks.get(&task)) {
                        Some(supervised) => supervised.tell(Message::Exited(exit)),
                        // Removed by the sweep below.
                        None => tracing::debug!(container = exit.id, "container of no task ended"),
                    }
                }
                News::Here(containers) => {
                    let containers = Arc::new(containers);
                    for supervised in self.tasks().values() {
                        supervised.tell(Message::KeeperHere(containers.clone()));
                    }
                    self.sweep_containers(&containers).await;
                }
            }
        }
    }

    /// Removes the containers of no task, and then directories of no task.
    async fn sweep_containers(&self, containers: &[wharf_keeper::protocol::Container]) {
        for container in containers {
            let owned = record::task_of(&container.id).is_some_and(|task| self.tasks().contains_key(&task));
            if owned {
                continue;
            }
            tracing::info!(container = container.id, "container of no task removed");
            if let Err(error) = self.keeper.delete_and_forget(&container.id).await {
                tracing::error!(
                    container = container.id,
                    error = chain(&error),
                    "container of no task remains"
                );
                return;
            }
        }
        let leftovers = std::mem::take(&mut *self.leftovers.lock().unwrap_or_else(PoisonError::into_inner));
        for dir in leftovers {
            if let Err(error) = disk::remove_dir(&dir) {
                tracing::error!(error = chain(&error), "directory of no task remains");
            }
        }
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<TaskId, Supervised>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

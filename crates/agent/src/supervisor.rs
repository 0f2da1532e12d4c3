//! One task: does what its life (`wharf_plan::task`) decides and tells it what came of it.
//!
//! Each message is one step: the life takes the event, the journal is replaced, and only then the effects are
//! begun, each on its own, to come back as another message. So after `kill -9` the journal names everything that may
//! have been begun, and [`wharf_plan::task::Task::resume`] begins it again; what is already there is found and kept.

use crate::{
    clock,
    disk::{self, Durability},
    error::chain,
    fabric::Held,
    image::ImageNote,
    logs::{self, Following, Phase},
    node::Node,
    record::Record,
};
use camino::Utf8PathBuf;
use std::{
    os::fd::OwnedFd,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinHandle},
};
use wharf_image::Image;
use wharf_keeper::protocol::{Container, Created, Exit};
use wharf_model::{
    Timestamp,
    task::{DesiredStatus, StopCode, TaskStatus},
};
use wharf_nodelink::agent::Assignment;
use wharf_plan::task::{Effect, Event, Life, Probe, Stage, Stop};
use wharf_sandbox::cgroup::Cgroup;

mod checks;
mod effects;

use checks::Checking;
pub(crate) use effects::Link;

/// What a supervisor is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// Control said this of the task.
    Assigned(Box<Assignment>),
    /// Control no longer knows the task.
    Unassigned,
    /// Control has recorded its stop.
    Forget,
    /// A pull ended.
    Pulled { place: usize, result: Result<Box<Image>, String>, took: Duration },
    /// Taking the network and making the cgroup ended.
    Connected { link: Result<Box<Link>, String>, cgroup: Result<(), String>, took: Duration },
    /// Creating and starting a container ended.
    Ran { place: usize, result: Result<Created, String>, took: Duration },
    /// Keeper saw a container end.
    Exited(Exit),
    /// Keeper is there again, with these containers.
    KeeperHere(Arc<Vec<Container>>),
    /// A container that keeper does not know.
    Vanished { place: usize },
    /// A container did not become in time what others wait for.
    StartOverdue { place: usize },
    /// A health check of a container's run with this number ended.
    Probed { place: usize, run: u32, probe: Probe },
    /// What a container's last run left is gone.
    Reset { place: usize },
    /// A container's time to end is over.
    KillDue { place: usize },
    /// A container's processes do not go although they were killed.
    Stuck { place: usize },
    /// Everything of the containers was removed.
    ContainersGone,
    /// The network and the cgroup were given back.
    NetworkGone,
    /// A container's output was delivered.
    OutputDone,
}

/// What a task has of the network.
#[derive(Debug)]
enum Network {
    None,
    Taking,
    Held(Box<Attached>),
}

#[derive(Debug)]
struct Attached {
    held: Held,
    namespace: Arc<OwnedFd>,
    metadata: AbortHandle,
    resolver: Option<AbortHandle>,
}

/// The supervisor of one task.
#[derive(Debug)]
pub(crate) struct Supervisor {
    node: Arc<Node>,
    record: Record,
    dir: Utf8PathBuf,
    cgroup: Cgroup,
    shown: watch::Sender<Arc<Record>>,
    sender: mpsc::UnboundedSender<Message>,
    images: Vec<Option<Box<Image>>>,
    network: Network,
    /// The network is to be given back as soon as it is there.
    release_asked: bool,
    /// Containers to run as soon as the network is there, after a restart.
    waiting: Vec<usize>,
    /// Starts under way. They end before anything is removed, or they would make it again.
    starts: Vec<JoinHandle<()>>,
    outputs: Vec<Option<Following>>,
    checks: Vec<Option<Checking>>,
    forgotten: bool,
    marks: Marks,
}

/// When what was done, for the log.
#[derive(Debug)]
struct Marks {
    accepted: Instant,
    pull: Duration,
    network: Duration,
    run: Duration,
}

impl Supervisor {
    /// Returns the supervisor of a task that is new, or was adopted together with its network.
    pub(crate) fn new(
        node: Arc<Node>,
        record: Record,
        link: Option<Link>,
        sender: mpsc::UnboundedSender<Message>,
    ) -> Supervisor {
        let containers = record.notes.len();
        let task = record.assignment.task.as_str();
        let cgroup = Cgroup::new(&node.hierarchy, &format!("{}/{task}", node.config.cgroup_root));
        let mut supervisor = Supervisor {
            dir: node.config.tasks_dir().join(task),
            cgroup,
            shown: watch::Sender::new(Arc::new(record.clone())),
            sender,
            images: (0..containers).map(|_| None).collect(),
            network: Network::None,
            release_asked: false,
            waiting: Vec::new(),
            starts: Vec::new(),
            outputs: (0..containers).map(|_| None).collect(),
            checks: (0..containers).map(|_| None).collect(),
            forgotten: false,
            marks: Marks {
                accepted: Instant::now(),
                pull: Duration::ZERO,
                network: Duration::ZERO,
                run: Duration::ZERO,
            },
            node,
            record,
        };
        if let Some(link) = link
            && let Err(reason) = supervisor.attach(link)
        {
            tracing::error!(reason, "adopted task has no metadata endpoint");
        }
        supervisor
    }

    /// Returns the task as it stands, now and later.
    pub(crate) fn shown(&self) -> watch::Receiver<Arc<Record>> {
        self.shown.subscribe()
    }

    /// Does the task's life, from where its record stands to its end.
    #[tracing::instrument(name = "task", skip_all, fields(task = %self.record.assignment.task))]
    pub(crate) async fn live(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        self.resume();
        while !self.retired() {
            let Some(message) = inbox.recv().await else { return };
            self.handle(message);
        }
        self.node.retire(&self.record.assignment.task);
        self.retire();
    }

    fn resume(&mut self) {
        for place in 0..self.record.notes.len() {
            if self.record.notes[place].attempted {
                self.follow(place);
            }
        }
        if self.record.task.stage == Stage::Pending {
            self.step(Event::Begin, clock::now());
        } else {
            self.node.outbox.report(self.record.report());
            if self.record.boot_id != self.node.identity.boot_id {
                self.lost_by_reboot();
            }
            for effect in self.record.task.resume() {
                self.perform(effect);
            }
            self.tend_checks();
        }
        if self.record.assignment.desired_status == DesiredStatus::Stopped {
            self.stop_as_asked();
        }
    }

    /// The machine was started anew: what ran does not any more, and nobody saw how it ended.
    fn lost_by_reboot(&mut self) {
        self.record.boot_id.clone_from(&self.node.identity.boot_id);
        self.record.slot = None;
        let now = clock::now();
        let reason = format!("Host (node {}) was restarted.", self.node.identity.node);
        self.step(Event::StopAsked(Stop { code: StopCode::TerminationNotice, reason }), now);
        for place in 0..self.record.notes.len() {
            if self.record.notes[place].attempted {
                self.exited(place, None, false, now);
            }
        }
    }

    fn handle(&mut self, message: Message) {
        let now = clock::now();
        match message {
            Message::Assigned(assignment) => {
                if assignment.generation >= self.record.assignment.generation {
                    self.record.assignment = *assignment;
                    self.store();
                    self.follow_late();
                    if self.record.assignment.desired_status == DesiredStatus::Stopped {
                        self.stop_as_asked();
                    }
                }
            }
            Message::Unassigned => {
                self.forgotten = true;
                let reason = "The control plane does not know the task any more.".to_owned();
                self.step(Event::StopAsked(Stop { code: StopCode::TerminationNotice, reason }), now);
            }
            Message::Forget => self.forgotten = true,
            Message::Pulled { place, result, took } => {
                self.marks.pull = self.marks.pull.max(took);
                let event = match result {
                    Ok(image) => {
                        self.record.notes[place].image = Some(ImageNote::of(&image));
                        self.images[place] = Some(image);
                        Event::ImagePulled { container: place }
                    }
                    Err(reason) => Event::PullFailed { container: place, reason },
                };
                self.step(event, now);
            }
            Message::Connected { link, cgroup, took } => self.connected(link, cgroup, took, now),
            Message::Ran { place, result, took } => {
                self.marks.run = self.marks.run.max(took);
                match result {
                    Ok(created) => self.ran(place, &created),
                    Err(reason) => self.step(Event::ContainerFailed { container: place, reason }, now),
                }
            }
            Message::Exited(exit) => {
                if let Some(place) = self.record.place(&exit.id) {
                    self.exited(place, exit.code, exit.out_of_memory, clock::from_nanos(exit.at_nanos));
                }
            }
            Message::KeeperHere(containers) => self.look_for(&containers),
            Message::Vanished { place } => self.exited(place, None, false, now),
            Message::StartOverdue { place } => self.step(Event::StartOverdue { container: place }, now),
            Message::Probed { place, run, probe } => {
                // A check may outlive the run that it was of.
                if self.record.task.containers[place].restarts == run {
                    self.step(Event::Probed { container: place, probe }, now);
                    self.shown.send_replace(Arc::new(self.record.clone()));
                }
            }
            Message::Reset { place } => {
                self.record.notes[place].started_at = None;
                self.step(Event::ContainerReset { container: place }, now);
            }
            Message::KillDue { place } => self.step(Event::KillDue { container: place }, now),
            Message::Stuck { place } => {
                self.record.notes[place].stuck = true;
                self.store();
                self.node.outbox.report(self.record.report());
            }
            Message::ContainersGone => self.step(Event::ContainersGone, now),
            Message::NetworkGone => {
                self.record.slot = None;
                self.record.metadata_port = None;
                self.step(Event::NetworkGone, now);
            }
            Message::OutputDone => {}
        }
    }

    fn connected(
        &mut self,
        link: Result<Box<Link>, String>,
        cgroup: Result<(), String>,
        took: Duration,
        now: Timestamp,
    ) {
        self.marks.network = took;
        self.network = Network::None;
        let attached = link.and_then(|link| self.attach(*link));
        let event = match attached.and(cgroup) {
            Ok(()) => Event::NetworkReady,
            Err(reason) => Event::NetworkFailed { reason },
        };
        let ready = event == Event::NetworkReady;
        self.step(event, now);
        if std::mem::take(&mut self.release_asked) {
            self.perform(Effect::ReleaseNetwork);
        } else if ready {
            for container in std::mem::take(&mut self.waiting) {
                self.perform(Effect::Run { container });
            }
        }
    }

    /// Takes a network as the task's and serves its metadata.
    fn attach(&mut self, link: Link) -> Result<(), String> {
        let source = crate::metadata::Source {
            record: self.shown.subscribe(),
            cgroup: self.cgroup.clone(),
            meter: crate::metadata::Meter::default(),
            storage: self.node.volumes.storage_of(&self.record.assignment),
            uplink: crate::metadata::Uplink::of(&self.node),
        };
        self.record.slot = link.held.name().cloned();
        self.record.bridge.clone_from(&link.bridge);
        if self.record.slot.is_none() {
            self.record.metadata_port = link.listener.local_addr().ok().map(|address| address.port());
        }
        let served = crate::metadata::serve(link.listener, source);
        let metadata = match &served {
            Ok(handle) => handle.clone(),
            Err(_) => tokio::spawn(std::future::ready(())).abort_handle(),
        };
        let vpc = self.record.assignment.interface.as_ref().map(|interface| interface.vpc_id.clone());
        let answered =
            link.resolver.zip(self.node.fabric()).map(|(sockets, fabric)| fabric.answer_names(sockets, vpc));
        let resolver = answered.and_then(|answered| match answered {
            Ok(handle) => Some(handle),
            Err(error) => {
                tracing::error!(%error, "task has no resolver");
                None
            }
        });
        self.network = Network::Held(Box::new(Attached {
            held: link.held,
            namespace: link.namespace,
            metadata,
            resolver,
        }));
        let reason = |error| format!("ResourceInitializationError: serve task metadata: {error}");
        served.map(|_| ()).map_err(reason)
    }

    fn ran(&mut self, place: usize, created: &Created) {
        for note in &created.notes {
            tracing::info!(
                container = self.record.definition(place).name,
                note,
                "container adapted to the machine"
            );
        }
        let at = clock::from_nanos(created.at_nanos);
        self.record.notes[place].started_at.get_or_insert(at);
        if let Some(output) = &self.outputs[place]
            && self.record.task.containers[place].life == Life::Starting
        {
            output.resume();
        }
        self.follow(place);
        let before = self.record.task.status();
        self.step(Event::ContainerStarted { container: place }, at);
        if before < TaskStatus::Running && self.record.task.status() == TaskStatus::Running {
            let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
            tracing::info!(
                pull_us = micros(self.marks.pull),
                network_us = micros(self.marks.network),
                run_us = micros(self.marks.run),
                total_us = micros(self.marks.accepted.elapsed()),
                "task started"
            );
        }
    }

    fn exited(&mut self, place: usize, code: Option<i32>, out_of_memory: bool, at: Timestamp) {
        if matches!(self.record.task.containers[place].life, Life::Ended(_) | Life::Resetting(_)) {
            return;
        }
        let note = &mut self.record.notes[place];
        if note.finished_at.is_some_and(|finished_at| at <= finished_at) {
            return; // The end of a run before this one, told twice.
        }
        note.started_at.get_or_insert(at);
        note.finished_at = Some(at);
        self.follow(place);
        if let Some(output) = &self.outputs[place] {
            output.advance(Phase::Exited);
        }
        self.step(Event::ContainerExited { container: place, code, out_of_memory }, at);
    }

    /// Follows the outputs whose options control had not said yet.
    fn follow_late(&mut self) {
        for place in 0..self.record.notes.len() {
            if self.record.notes[place].attempted {
                self.follow(place);
            }
        }
    }

    fn follow(&mut self, place: usize) {
        if self.outputs[place].is_some() {
            return;
        }
        let note = &self.record.notes[place];
        let task = &self.record.assignment.task;
        let Some(options) = logs::options(&self.node.given, task, place, self.record.definition(place))
        else {
            return; // They come with control's next word.
        };
        let target = logs::target(&self.record, place, &options, &self.dir);
        let dir = self.dir.join(&note.id);
        if !dir.join(wharf_keeper::output::INDEX_FILE).exists() {
            return; // Keeper never came to it.
        }
        let sender = self.sender.clone();
        let done = move || drop(sender.send(Message::OutputDone));
        let following = logs::follow(dir, target, self.node.outbox.clone(), done);
        // After a restart nobody says it again.
        if matches!(self.record.task.containers[place].life, Life::Ended(_)) {
            following.advance(Phase::Exited);
        }
        if self.record.task.status() >= TaskStatus::Deprovisioning {
            following.advance(Phase::Gone);
        }
        self.outputs[place] = Some(following);
    }

    fn stop_as_asked(&mut self) {
        let asked = self.record.assignment.stop.clone();
        let (code, reason) =
            asked.unwrap_or_else(|| (StopCode::UserInitiated, "Task stopped by user".to_owned()));
        self.step(Event::StopAsked(Stop { code, reason }), clock::now());
    }

    fn step(&mut self, event: Event, at: Timestamp) {
        let before = self.record.task.status();
        let effects = match self.record.task.step(event, at) {
            Ok(effects) => effects,
            Err(refused) => {
                tracing::warn!(error = chain(&refused), "event not taken");
                return;
            }
        };
        for effect in &effects {
            if let Effect::Run { container } = effect {
                self.record.notes[*container].attempted = true;
            }
        }
        if !effects.is_empty() || before != self.record.task.status() {
            self.store();
        }
        for effect in effects {
            self.perform(effect);
        }
        self.tend_checks();
    }

    /// Replaces the journal. Where that fails the task goes on: what it has is then found by its names.
    fn store(&self) {
        self.node.config.steps.mark("journal");
        if let Err(error) = self.record.store(&self.dir, Durability::Process) {
            tracing::error!(error = chain(&error), "step not journaled");
        }
        self.node.config.steps.mark("journaled");
        self.shown.send_replace(Arc::new(self.record.clone()));
    }

    fn retired(&self) -> bool {
        let delivered = self.outputs.iter().flatten().all(Following::is_finished);
        self.forgotten && delivered && self.record.task.status() == TaskStatus::Stopped
    }

    fn retire(&self) {
        self.node.config.steps.mark("retire");
        if let Err(error) = disk::remove_dir(&self.dir) {
            tracing::error!(error = chain(&error), "files of a stopped task remain");
        }
        self.node.config.steps.mark("retired");
    }
}

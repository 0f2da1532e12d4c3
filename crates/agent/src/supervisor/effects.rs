//! How a task's effects are performed: each begins at once, beside the others, and comes back as a message.

use super::{Message, Network, Supervisor};
use crate::{
    clock,
    error::chain,
    fabric::Connected,
    firelens,
    logs::{Following, Phase},
    record::Record,
    spec, stop_signal,
};
use camino::Utf8Path;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use wharf_keeper::{
    ClientError,
    protocol::{Container, Created, Refusal},
};
use wharf_model::{Mebibytes, Timestamp};
use wharf_plan::task::{Effect, Life};
use wharf_sandbox::cgroup::{CgroupError, TaskLimits};

mod given;

/// What a task is given by the fabric.
pub(crate) type Link = Connected;

/// Processes and threads that a task may have: enough for what people run, too few to exhaust a machine.
const PIDS_MAX: u64 = 4096;
/// How long the stop of a task waits for its last lines to be durable before the stop is told.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(2);
/// Between attempts at what must succeed in the end.
const RETRY: Duration = Duration::from_millis(200);
const SIGKILL: i32 = 9;
/// How long killed processes may take to go before that is told.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

impl Supervisor {
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::TakeNetwork => self.take_network(),
            Effect::Pull { container } => self.pull(container),
            Effect::Run { container } => self.run(container),
            Effect::AwaitStart { container, at } => self.await_start(container, at),
            Effect::Reset { container } => self.reset(container),
            Effect::Terminate { container, kill_at } => self.terminate(container, kill_at),
            Effect::Kill { container } => self.kill(container),
            Effect::CleanUp => self.clean_up(),
            Effect::ReleaseNetwork => self.release_network(),
            Effect::Report => self.node.outbox.report(self.record.report()),
        }
    }

    fn take_network(&mut self) {
        match self.network {
            Network::None => {}
            Network::Taking => return,
            // Adopted after a restart: the journal named it only when all of it was there.
            Network::Held(_) => {
                self.step(wharf_plan::task::Event::NetworkReady, clock::now());
                return;
            }
        }
        self.network = Network::Taking;
        let (node, sender, cgroup) = (self.node.clone(), self.sender.clone(), self.cgroup.clone());
        let (task, wanted) = (self.record.assignment.task.clone(), self.record.wanted());
        let limits = self.limits();
        let holder = spec::holder(&self.record, &self.dir, self.cgroup.path());
        let record = Arc::new(self.record.clone());
        tokio::spawn(async move {
            let begun = Instant::now();
            node.config.steps.mark("take network");
            let made = tokio::task::spawn_blocking(move || cgroup.create(&limits));
            let prepared = tokio::spawn(given::prepare(node.clone(), record));
            let link = match node.fabric() {
                Some(fabric) => fabric.connect(&task, &wanted).await.map_err(|error| chain(&error)),
                None => Err("the node's network is not prepared yet".to_owned()),
            };
            node.config.steps.mark("network taken");
            let mut made = joined(made.await).map_err(|error: CgroupError| chain(&error));
            node.config.steps.mark("cgroup made");
            if let (Ok(()), Ok(link)) = (&made, &link) {
                made = match holder {
                    Ok(Some(spec)) => {
                        let ran =
                            node.keeper.run(&spec::holder_id(&task), spec, link.namespace.clone()).await;
                        ran.map(|_| ()).map_err(|error| cannot_run(&error))
                    }
                    Ok(None) => Ok(()),
                    Err(error) => Err(chain(&error)),
                };
            }
            let reason = |error: String| format!("ResourceInitializationError: {error}");
            let message = Message::Connected {
                link: link.map(Box::new).map_err(reason),
                cgroup: made.map_err(reason).and(joined(prepared.await)),
                took: begun.elapsed(),
            };
            // A supervisor only ends when nothing is under way.
            let _ended = sender.send(message);
        });
    }

    fn limits(&self) -> TaskLimits {
        let assignment = &self.record.assignment;
        let linux = assignment.containers.iter().filter_map(|(found, _)| found.linux_parameters.as_ref());
        TaskLimits {
            cpu_units: assignment.cpu_limit.map(|cpu| cpu.0),
            // Without a limit a task weighs as much as its containers ask for together.
            cpu_shares: assignment.cpu_limit.is_none().then_some(assignment.cpu.0),
            memory_bytes: assignment.memory_limit.map(Mebibytes::bytes),
            swap_bytes: linux.filter_map(|linux| linux.max_swap).map(Mebibytes::bytes).sum(),
            pids: PIDS_MAX,
        }
    }

    fn pull(&self, place: usize) {
        let (node, sender) = (self.node.clone(), self.sender.clone());
        let record = Arc::new(self.record.clone());
        tokio::spawn(async move {
            let begun = Instant::now();
            let pulled = async {
                let login = given::login(&node, &record, place).await?;
                let definition = record.definition(place);
                let pinned = record.assignment.pinned_images.get(&definition.name);
                node.images.pull_pinned(&definition.image, pinned, login).await
            };
            let result = pulled.await.map(Box::new);
            node.config.steps.mark("pulled");
            let _ended = sender.send(Message::Pulled { place, result, took: begun.elapsed() });
        });
    }

    fn run(&mut self, place: usize) {
        let Network::Held(attached) = &self.network else {
            self.waiting.push(place);
            return;
        };
        let namespace = attached.namespace.clone();
        let (node, sender, image) = (self.node.clone(), self.sender.clone(), self.images[place].clone());
        let (record, dir) = (Arc::new(self.record.clone()), self.dir.clone());
        let cgroup = self.cgroup.path().to_owned();
        self.starts.push(tokio::spawn(async move {
            let begun = Instant::now();
            let result: Result<Created, String> = async {
                let image = match image {
                    Some(image) => image,
                    // The agent was restarted in between; the digest is that of before.
                    None => {
                        let (name, before) = (&record.definition(place).image, &record.notes[place].image);
                        let login = given::login(&node, &record, place).await?;
                        Box::new(node.images.pull_again(name, login, before.as_ref()).await?)
                    }
                };
                let spec = spec::container(&record, place, &image, &dir, cgroup, &node.nameservers)
                    .map_err(|error| format!("CannotCreateContainerError: {error}"))?;
                let spec = given::add(&node, &record, place, spec).await?;
                let spec = firelens::add(&node.given, &record, place, &dir, spec).await?;
                node.config.steps.mark("run");
                let ran = node.keeper.run(&record.notes[place].id, spec, namespace).await;
                node.config.steps.mark("ran");
                ran.map_err(|error| cannot_run(&error))
            }
            .await;
            let _ended = sender.send(Message::Ran { place, result, took: begun.elapsed() });
        }));
    }

    fn await_start(&self, place: usize, at: Timestamp) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            tokio::time::sleep(at.since(clock::now())).await;
            let _ended = sender.send(Message::StartOverdue { place });
        });
    }

    /// Removes what a container's last run left, but for its files.
    fn reset(&mut self, place: usize) {
        let (node, sender) = (self.node.clone(), self.sender.clone());
        let id = self.record.notes[place].id.clone();
        let dir = self.dir.clone();
        self.starts.retain(|start| !start.is_finished());
        self.starts.push(tokio::spawn(async move {
            flush(&dir).await;
            while let Err(error) = node.keeper.reset(&id).await {
                tracing::warn!(id, error = chain(&error), "container not made ready to run again yet");
                tokio::time::sleep(RETRY).await;
            }
            let _ended = sender.send(Message::Reset { place });
        }));
    }

    fn terminate(&self, place: usize, kill_at: Timestamp) {
        let (node, sender) = (self.node.clone(), self.sender.clone());
        let note = &self.record.notes[place];
        let id = note.id.clone();
        let signal = stop_signal::number(note.image.as_ref().and_then(|image| image.stop_signal.as_deref()));
        let is_router = self.record.router() == Some(place);
        let others = self.outputs.iter().enumerate().filter(|(other, _)| is_router && *other != place);
        let others: Vec<Following> = others.filter_map(|(_, output)| output.clone()).collect();
        tokio::spawn(async move {
            let patience = kill_at.since(clock::now());
            // Those that it serves have ended; what they said last is on its way to it.
            let _late = tokio::time::timeout(DELIVERY_PATIENCE.min(patience), drained(others)).await;
            node.config.steps.mark("terminate");
            let sent = tokio::time::timeout(patience, async {
                while let Err(error) = node.keeper.kill(&id, signal).await {
                    tracing::warn!(id, error = chain(&error), "stop signal not sent");
                    tokio::time::sleep(RETRY).await;
                }
            });
            let sent = sent.await.is_ok();
            node.config.steps.mark("terminated");
            if sent {
                tokio::time::sleep(kill_at.since(clock::now())).await;
            }
            let _ended = sender.send(Message::KillDue { place });
        });
    }

    /// Kills every process in the container's cgroup; its first one's end then comes from keeper.
    fn kill(&self, place: usize) {
        let (node, sender, id) =
            (self.node.clone(), self.sender.clone(), self.record.notes[place].id.clone());
        let cgroup = self.cgroup.child(&id);
        tokio::spawn(async move {
            node.config.steps.mark("kill");
            let killed = tokio::task::spawn_blocking(move || cgroup.kill_all(KILL_PATIENCE));
            if let Err(error) = joined(killed.await) {
                tracing::error!(id, error = chain(&error), "container's processes remain");
                let _ended = sender.send(Message::Stuck { place });
            }
            if let Err(error) = node.keeper.kill(&id, SIGKILL).await {
                tracing::warn!(id, error = chain(&error), "kill not sent");
            }
        });
    }

    fn clean_up(&mut self) {
        let (node, sender) = (self.node.clone(), self.sender.clone());
        let attempted = self.record.notes.iter().filter(|note| note.attempted);
        let ids: Vec<String> = attempted.map(|note| note.id.clone()).collect();
        let dir = self.dir.clone();
        let outputs: Vec<Following> = self.outputs.iter().flatten().cloned().collect();
        let connected = self.node.outbox.is_connected();
        let starts = std::mem::take(&mut self.starts);
        tokio::spawn(async move {
            for start in starts {
                // Its exit was seen before the answer to its start.
                let _failed = start.await;
            }
            if !ids.is_empty() {
                flush(&dir).await;
            }
            for id in &ids {
                node.config.steps.mark("delete");
                while let Err(error) = node.keeper.delete(id).await {
                    tracing::warn!(id, error = chain(&error), "container not removed yet");
                    tokio::time::sleep(RETRY).await;
                }
                node.config.steps.mark("deleted");
                while let Err(error) = node.keeper.forget(id).await {
                    tracing::warn!(id, error = chain(&error), "container not forgotten yet");
                    tokio::time::sleep(RETRY).await;
                }
                node.config.steps.mark("forgotten");
            }
            for output in &outputs {
                output.advance(Phase::Gone);
            }
            if connected {
                let delivered = async {
                    for output in outputs {
                        output.finished().await;
                    }
                };
                // What is late is delivered all the same, only after the stop was told.
                let _late = tokio::time::timeout(DELIVERY_PATIENCE, delivered).await;
            }
            let _ended = sender.send(Message::ContainersGone);
        });
    }

    fn release_network(&mut self) {
        let held = match std::mem::replace(&mut self.network, Network::None) {
            Network::Taking => {
                self.network = Network::Taking;
                self.release_asked = true;
                return;
            }
            Network::None => None,
            Network::Held(attached) => {
                attached.metadata.abort();
                if let Some(resolver) = &attached.resolver {
                    resolver.abort();
                }
                Some(attached.held)
            }
        };
        let (node, sender, cgroup) = (self.node.clone(), self.sender.clone(), self.cgroup.clone());
        let task = self.record.assignment.task.clone();
        let public_ip = self.record.assignment.interface.as_ref().and_then(|interface| interface.public_ip);
        let holder = spec::shares(&self.record.assignment).then(|| spec::holder_id(&task));
        let record = Arc::new(self.record.clone());
        tokio::spawn(async move {
            node.config.steps.mark("release");
            if let Some(id) = holder {
                while let Err(error) = node.keeper.delete_and_forget(&id).await {
                    tracing::warn!(id, error = chain(&error), "holder of namespaces not removed yet");
                    tokio::time::sleep(RETRY).await;
                }
            }
            let removed = tokio::task::spawn_blocking(move || {
                cgroup.kill_all(KILL_PATIENCE).and_then(|()| cgroup.remove())
            });
            if let Err(error) = joined(removed.await) {
                tracing::error!(%task, error = chain(&error), "task's cgroup remains until the next start");
            }
            node.config.steps.mark("cgroup removed");
            given::release(&node, &record).await;
            if let Some(fabric) = node.fabric()
                && let Err(error) = fabric.disconnect(&task, held, public_ip).await
            {
                tracing::error!(%task, error = chain(&error), "task's network remains until the next start");
            }
            node.config.steps.mark("network given back");
            let _ended = sender.send(Message::NetworkGone);
        });
    }

    /// Looks for containers that keeper should know and does not name: its journal was lost.
    pub(super) fn look_for(&self, containers: &[Container]) {
        let lives = self.record.task.containers.iter().zip(&self.record.notes).enumerate();
        for (place, (container, note)) in lives {
            let runs = matches!(container.life, Life::Running | Life::Stopping { .. });
            if !runs || containers.iter().any(|known| known.id == note.id) {
                continue;
            }
            let (node, sender, id) = (self.node.clone(), self.sender.clone(), note.id.clone());
            tokio::spawn(async move {
                // It may have been started after the list was made.
                let now = node.keeper.list().await;
                if now.is_ok_and(|known| known.iter().all(|known| known.id != id)) {
                    let _ended = sender.send(Message::Vanished { place });
                }
            });
        }
    }
}

/// Waits until the log router has what its neighbours said.
async fn drained(outputs: Vec<Following>) {
    for output in outputs {
        output.drained().await;
    }
}

/// Returns the reason that the API shows of a container that could not be run.
fn cannot_run(error: &ClientError) -> String {
    let text = chain(error);
    match error {
        ClientError::Refused(Refusal::CannotCreate { reason, .. }) if reason.starts_with("Cannot") => {
            reason.clone()
        }
        ClientError::Refused(_) => format!("CannotCreateContainerError: {text}"),
        ClientError::Connect { .. }
        | ClientError::Talk(_)
        | ClientError::Understand(_)
        | ClientError::Unexpected(_) => format!("CannotStartContainerError: {text}"),
    }
}

/// Puts a task's journal on the disk: keeper is about to forget the exits that it tells of. Many tasks that stop at once
/// share the disk's work.
async fn flush(dir: &Utf8Path) {
    let dir = dir.to_owned();
    if let Err(error) = joined(tokio::task::spawn_blocking(move || Record::flush(&dir)).await) {
        tracing::error!(error = chain(&error), "journal not flushed");
    }
}

fn joined<T>(result: Result<T, tokio::task::JoinError>) -> T {
    result.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // Blocking work is only cancelled with the whole runtime.
        Err(error) => panic!("blocking work was cancelled: {error}"),
    })
}

//! A container's output on its way to its log group.
//!
//! Keeper writes what a container says to files at once. One follower per container reads them, makes lines, and sends
//! a batch at a time to control; when control has it durably, the position is stored and the disk space given back.
//! So lines arrive at least once: a second time only when the agent or control dies between the two. The container
//! never waits for any of it, which is why the options `mode` and `max-buffer-size` have nothing left to decide.
//!
//! Output that goes nowhere else (`json-file`, or no driver) stays in its files, of which the newest part is kept.

use crate::{
    clock,
    disk::{self, Durability},
    error::chain,
    given::Given,
    outbox::{LogTarget, Outbox},
};
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::watch;
use wharf_keeper::output::{Follower, Line, Lines, OutputError};
use wharf_model::{
    TaskId,
    logs::LogEvent,
    task_definition::{ContainerDefinition, LogDriver},
};

/// The longest line; CloudWatch's limit of an event is 256 KiB with 26 bytes for itself.
const LINE_BYTES_MAX: usize = (256 << 10) - 26;
/// The size of a batch from which on it is sent.
const BATCH_BYTES: usize = 512 << 10;
const BATCH_LINES: usize = 5_000;
/// Delivered bytes from which on disk space is given back, which costs a forced write.
const RECLAIM_CHUNKS: u64 = 256;
/// How many chunks of output that goes nowhere are kept.
const KEPT_CHUNKS: u64 = 4_096;
const POLL_MIN: Duration = Duration::from_millis(20);
const POLL_MAX: Duration = Duration::from_millis(320);

/// Where a container is, as far as its output is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It may say more.
    Running,
    /// Its first process ended: a line without an end is one now.
    Exited,
    /// It was removed: nothing comes any more.
    Gone,
}

/// A follower at work.
#[derive(Debug, Clone)]
pub(crate) struct Following {
    phase: watch::Sender<Phase>,
    done: watch::Receiver<bool>,
}

impl Following {
    /// Tells the follower where its container is.
    pub(crate) fn advance(&self, phase: Phase) {
        self.phase.send_if_modified(|known| {
            let forward = *known < phase;
            *known = phase.max(*known);
            forward
        });
    }

    /// Says whether everything was delivered.
    pub(crate) fn is_finished(&self) -> bool {
        *self.done.borrow()
    }

    /// Waits until everything was delivered.
    pub(crate) async fn finished(mut self) {
        // The sender is only dropped with the whole agent.
        let _ended = self.done.wait_for(|done| *done).await;
    }
}

/// How far a container's output was delivered.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Delivered {
    position: u64,
}

/// The options of a log driver.
pub(crate) type Options = BTreeMap<String, String>;

/// Returns a container's log options, those that are secrets too; nothing while these are not known.
pub(crate) fn options(
    given: &Given,
    task: &TaskId,
    place: usize,
    definition: &ContainerDefinition,
) -> Option<Options> {
    let Some(log) = &definition.log_configuration else { return Some(Options::new()) };
    let mut options = log.options.clone();
    if !log.secret_options.is_empty() {
        let gift = given.peek(task)?;
        let secret = gift.as_ref().as_ref().ok()?.containers.get(place)?;
        let known = secret.log_options.iter();
        options.extend(known.map(|(name, value)| (name.clone(), value.reveal().to_owned())));
    }
    Some(options)
}

/// Returns where a container's lines go: nothing when they stay on the node.
pub(crate) fn target(
    definition: &ContainerDefinition,
    options: &Options,
    id: &str,
    task: &TaskId,
) -> Option<LogTarget> {
    let log = definition.log_configuration.as_ref()?;
    let option = |name: &str| options.get(name);
    match log.driver {
        LogDriver::JsonFile => None,
        LogDriver::Awslogs => Some(LogTarget {
            group: option("awslogs-group")?.clone(),
            stream: match option("awslogs-stream-prefix") {
                Some(prefix) => format!("{prefix}/{}/{task}", definition.name),
                None => id.to_owned(),
            },
            create_group: option("awslogs-create-group").is_some_and(|value| value == "true"),
        }),
    }
}

/// Follows the output in a container's directory until the container is gone and everything was delivered; then, or
/// when nothing can be read, says `finished`.
pub(crate) fn follow(
    dir: Utf8PathBuf,
    target: Option<LogTarget>,
    outbox: Arc<Outbox>,
    finished: impl FnOnce() + Send + 'static,
) -> Following {
    let (phase, seen) = watch::channel(Phase::Running);
    let (ended, done) = watch::channel(false);
    tokio::spawn(async move {
        let path = dir.join("delivered.json");
        let result = match target {
            Some(target) => deliver(&dir, &path, &target, &outbox, seen).await,
            None => trim(&dir, seen).await,
        };
        if let Err(error) = result {
            tracing::error!(%dir, error = chain(&error), "output lost");
        }
        ended.send_replace(true);
        finished();
    });
    Following { phase, done }
}

async fn deliver(
    dir: &Utf8PathBuf,
    path: &Utf8PathBuf,
    target: &LogTarget,
    outbox: &Outbox,
    mut phase: watch::Receiver<Phase>,
) -> Result<(), OutputError> {
    let mut position = stored_position(path);
    let mut reclaimed = position;
    let mut follower = Follower::open(dir, position)?;
    let mut lines = Lines::new(LINE_BYTES_MAX);
    let mut poll = POLL_MIN;
    loop {
        // Looked at before reading, so that nothing written before the end is missed.
        let now = *phase.borrow_and_update();
        let mut next = None;
        let (mut events, mut bytes, mut drained) = (Vec::new(), 0, false);
        while bytes < BATCH_BYTES && events.len() < BATCH_LINES {
            let Some(chunk) = follower.read()? else {
                drained = true;
                break;
            };
            lines.push(&chunk);
            next = Some(chunk.next);
            for line in lines.by_ref() {
                bytes += line.bytes.len();
                events.push(event(line));
            }
        }
        if drained && now > Phase::Running {
            lines.flush();
            events.extend(lines.by_ref().map(event));
        }
        let quiet = next.is_none() && events.is_empty();
        if !events.is_empty() {
            // Control answers, now or after a reconnect; the sender is only dropped with the whole agent.
            if outbox.send_logs(target, events).await.is_err() {
                return Ok(());
            }
        }
        if let Some(next) = next {
            position = lines.settled(next);
            let far = position.saturating_sub(reclaimed) >= RECLAIM_CHUNKS;
            store_position(path, position, if far { Durability::Disk } else { Durability::Process });
            if far {
                follower.reclaim(position)?;
                reclaimed = position;
            }
        }
        if drained && now == Phase::Gone {
            return Ok(());
        }
        poll = if quiet { (poll * 2).min(POLL_MAX) } else { POLL_MIN };
        if drained {
            wait(&mut phase, poll).await;
        }
    }
}

/// Keeps the newest part of output that goes nowhere.
async fn trim(dir: &Utf8PathBuf, mut phase: watch::Receiver<Phase>) -> Result<(), OutputError> {
    let mut follower = Follower::open(dir, 0)?;
    let mut reclaimed = 0;
    while *phase.borrow_and_update() != Phase::Gone {
        while let Some(chunk) = follower.read()? {
            let old = chunk.next.saturating_sub(KEPT_CHUNKS);
            if old >= reclaimed + RECLAIM_CHUNKS {
                follower.reclaim(old)?;
                reclaimed = old;
                tokio::task::yield_now().await;
            }
        }
        wait(&mut phase, Duration::from_secs(2)).await;
    }
    Ok(())
}

/// Waits until the container's phase changes, or for a while.
async fn wait(phase: &mut watch::Receiver<Phase>, poll: Duration) {
    // The sender is dropped with its supervisor, when nobody needs the output any more.
    let changed = tokio::time::timeout(poll, phase.changed()).await;
    if let Ok(Err(_)) = changed {
        tokio::time::sleep(poll).await;
    }
}

fn event(line: Line) -> LogEvent {
    let message = String::from_utf8(line.bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    LogEvent { timestamp: clock::from_nanos(line.at_nanos), message }
}

fn stored_position(path: &Utf8PathBuf) -> u64 {
    disk::load::<Delivered>(path).ok().flatten().unwrap_or_default().position
}

fn store_position(path: &Utf8PathBuf, position: u64, durability: Durability) {
    if let Err(error) = disk::store(path, &Delivered { position }, durability) {
        tracing::warn!(error = chain(&error), "position in output not stored, lines may come twice");
    }
}

#[cfg(test)]
mod tests;

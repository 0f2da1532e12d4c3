//! A container's output on its way to where its log driver says.
//!
//! Keeper writes what a container says to files at once. One follower per container reads them, makes lines, and
//! delivers them a batch at a time; when a batch is durable where it goes, the position is stored and the disk space
//! given back. So lines arrive at least once: a second time only when the agent or control dies between the two. The
//! container never waits for any of it, and nothing is lost while whoever receives is away: it waits on the disk. Only
//! mode `non-blocking` bounds what may wait (`max-buffer-size`), and then drops the oldest.
//!
//! Output that goes nowhere else (`json-file`, or no driver) stays in its files, of which the newest part is kept.

mod deliver;
mod events;
mod router;
mod syslog;

use crate::{
    error::chain,
    given::Given,
    outbox::{LogTarget, Outbox},
    record::Record,
};
use camino::{Utf8Path, Utf8PathBuf};
use deliver::Destination;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::watch;
use wharf_keeper::output::{Follower, OutputError};
use wharf_model::{
    TaskId,
    task_definition::{ContainerDefinition, LogConfiguration},
};
use wharf_plan::logging::{self, Logging};

/// Chunks from which on disk space is given back.
const RECLAIM_CHUNKS: u64 = 256;

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
    drained: watch::Receiver<bool>,
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

    /// Tells the follower that its container runs again.
    pub(crate) fn resume(&self) {
        self.phase.send_if_modified(|known| {
            let again = *known == Phase::Exited;
            if again {
                *known = Phase::Running;
            }
            again
        });
    }

    /// Says whether everything was delivered.
    pub(crate) fn is_finished(&self) -> bool {
        *self.done.borrow()
    }

    /// Waits until everything was delivered that the container said before it ended.
    pub(crate) async fn drained(mut self) {
        let _ended = self.drained.wait_for(|drained| *drained).await;
    }

    /// Waits until everything was delivered.
    pub(crate) async fn finished(mut self) {
        // The sender is only dropped with the whole agent.
        let _ended = self.done.wait_for(|done| *done).await;
    }
}

/// What becomes of a container's output.
#[derive(Debug)]
pub(crate) enum Target {
    /// Its lines are delivered.
    Delivered(Box<Destination>),
    /// It stays in its files, of which so many bytes are kept.
    Kept { bytes_max: u64 },
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

/// Returns what becomes of a container's output. A log router's socket is below its task's directory.
pub(crate) fn target(record: &Record, place: usize, options: &Options, task_dir: &Utf8Path) -> Target {
    let (definition, id) = (record.definition(place), record.notes[place].id.as_str());
    let task = &record.assignment.task;
    // With those options that are secrets.
    let whole = definition.log_configuration.clone();
    let whole = whole.map(|log| LogConfiguration { options: options.clone(), ..log });
    let read = whole.as_ref().map(logging::read);
    let logging = match read {
        None => logging::unconfigured(),
        Some(Ok(logging)) => logging,
        Some(Err(why)) => {
            // Control has checked it, so only an older one can have let it through.
            tracing::error!(
                container = definition.name,
                why,
                "log configuration not understood, output is kept"
            );
            logging::unconfigured()
        }
    };
    match logging {
        Logging::Files { bytes_max } => Target::Kept { bytes_max },
        Logging::Group(group) => {
            let target = LogTarget {
                stream: match &group.stream_prefix {
                    Some(prefix) => format!("{prefix}/{}/{task}", definition.name),
                    None => id.to_owned(),
                },
                create_group: group.create,
                group: group.name,
            };
            Target::Delivered(Box::new(Destination::group(target, group.event_start, group.buffer_max)))
        }
        Logging::Router { buffer_max } => {
            let sender = router::Sender::new(crate::firelens::socket_dir(task_dir), record, place);
            Target::Delivered(Box::new(Destination::router(sender, buffer_max)))
        }
        Logging::Syslog(syslog) => {
            let sender = syslog::Sender::new(syslog, definition, id);
            Target::Delivered(Box::new(Destination::syslog(sender)))
        }
    }
}

/// Follows the output in a container's directory until the container is gone and everything was delivered; then, or
/// when nothing can be read, says `finished`.
pub(crate) fn follow(
    dir: Utf8PathBuf,
    target: Target,
    outbox: Arc<Outbox>,
    finished: impl FnOnce() + Send + 'static,
) -> Following {
    let (phase, seen) = watch::channel(Phase::Running);
    let (ended, done) = watch::channel(false);
    let (drained_to, drained) = watch::channel(matches!(target, Target::Kept { .. }));
    tokio::spawn(async move {
        let result = match target {
            Target::Delivered(destination) => {
                deliver::deliver(&dir, *destination, &outbox, seen, &drained_to).await
            }
            Target::Kept { bytes_max } => trim(&dir, bytes_max, seen).await,
        };
        if let Err(error) = result {
            tracing::error!(%dir, error = chain(&error), "output lost");
        }
        ended.send_replace(true);
        finished();
    });
    Following { phase, drained, done }
}

/// Keeps the newest part of output that goes nowhere.
async fn trim(
    dir: &Utf8PathBuf,
    bytes_max: u64,
    mut phase: watch::Receiver<Phase>,
) -> Result<(), OutputError> {
    let mut follower = Follower::open(dir, 0)?;
    let mut reclaimed = 0;
    while *phase.borrow_and_update() != Phase::Gone {
        follower.skip_to_last(bytes_max)?;
        if follower.position() >= reclaimed + RECLAIM_CHUNKS {
            reclaimed = follower.position();
            follower.reclaim(reclaimed)?;
        }
        wait(&mut phase, Duration::from_secs(1)).await;
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

#[cfg(test)]
mod tests;

//! Delivering lines, a batch at a time, from a position that is kept.

use super::{Phase, RECLAIM_CHUNKS, events::Events, router, syslog, wait};
use crate::{
    disk::{self, Durability},
    error::chain,
    outbox::{LogTarget, Outbox},
};
use camino::{Utf8Path, Utf8PathBuf};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use wharf_keeper::output::{Follower, Line, Lines, OutputError};

/// The longest line; CloudWatch's limit of an event is 256 KiB with 26 bytes for itself.
pub(super) const LINE_BYTES_MAX: usize = (256 << 10) - 26;
/// The size of a batch from which on it is sent.
const BATCH_BYTES: usize = 512 << 10;
const BATCH_LINES: usize = 5_000;
const POLL_MIN: Duration = Duration::from_millis(20);
const POLL_MAX: Duration = Duration::from_millis(320);

/// Where lines go, and how.
#[derive(Debug)]
pub(crate) struct Destination {
    kind: Kind,
    buffer_max: Option<u64>,
}

#[derive(Debug)]
enum Kind {
    Group { target: LogTarget, events: Events },
    Syslog(syslog::Sender),
    Router(router::Sender),
}

impl Destination {
    pub(super) fn group(
        target: LogTarget,
        event_start: Option<Regex>,
        buffer_max: Option<u64>,
    ) -> Destination {
        Destination { kind: Kind::Group { target, events: Events::new(event_start) }, buffer_max }
    }

    pub(super) fn router(sender: router::Sender, buffer_max: Option<u64>) -> Destination {
        Destination { kind: Kind::Router(sender), buffer_max }
    }

    pub(super) fn syslog(sender: syslog::Sender) -> Destination {
        let buffer_max = sender.buffer_max();
        Destination { kind: Kind::Syslog(sender), buffer_max }
    }

    #[cfg(test)]
    pub(super) fn log_target(&self) -> Option<&LogTarget> {
        match &self.kind {
            Kind::Group { target, .. } => Some(target),
            Kind::Syslog(_) | Kind::Router(_) => None,
        }
    }

    /// Says whether lines wait here for those that belong to them.
    fn is_holding(&self) -> bool {
        match &self.kind {
            Kind::Group { events, .. } => events.is_holding(),
            Kind::Syslog(_) | Kind::Router(_) => false,
        }
    }

    /// Delivers lines, and whatever waited long enough; with `last`, everything. Returns false when there is nobody to
    /// deliver to any more.
    async fn deliver(
        &mut self,
        lines: Vec<Line>,
        last: bool,
        outbox: &Outbox,
        phase: &watch::Receiver<Phase>,
    ) -> bool {
        match &mut self.kind {
            Kind::Group { target, events } => {
                events.push(lines, Instant::now());
                let batch = events.take(last, Instant::now());
                // Control answers, now or after a reconnect; the sender is only dropped with the whole agent.
                batch.is_empty() || outbox.send_logs(target, batch).await.is_ok()
            }
            Kind::Syslog(sender) => {
                sender.send(&lines).await;
                true
            }
            Kind::Router(sender) => sender.send(&lines, phase).await,
        }
    }
}

/// How far a container's output was delivered.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Delivered {
    position: u64,
}

/// Delivers until the container is gone and nothing is left.
pub(super) async fn deliver(
    dir: &Utf8Path,
    mut destination: Destination,
    outbox: &Outbox,
    mut phase: watch::Receiver<Phase>,
    drained_to: &watch::Sender<bool>,
) -> Result<(), OutputError> {
    let path = dir.join("delivered.json");
    let mut position = stored_position(&path);
    let (mut reclaimed, mut seen) = (position, position);
    let mut follower = Follower::open(dir, position)?;
    let mut lines = Lines::new(LINE_BYTES_MAX);
    let mut poll = POLL_MIN;
    loop {
        // Looked at before reading, so that nothing written before the end is missed.
        let now = *phase.borrow_and_update();
        if let Some(most) = destination.buffer_max {
            let dropped = follower.skip_to_last(most)?;
            if dropped > 0 {
                tracing::warn!(%dir, bytes = dropped, "output dropped: more waited than max-buffer-size");
                lines = Lines::new(LINE_BYTES_MAX);
                seen = follower.position();
            }
        }
        let mut next = None;
        let (mut batch, mut bytes, mut drained) = (Vec::new(), 0, false);
        while bytes < BATCH_BYTES && batch.len() < BATCH_LINES {
            let Some(chunk) = follower.read()? else {
                drained = true;
                break;
            };
            lines.push(&chunk);
            next = Some(chunk.next);
            for line in lines.by_ref() {
                bytes += line.bytes.len();
                batch.push(line);
            }
        }
        let ended = drained && now > Phase::Running;
        if ended {
            lines.flush();
            batch.extend(lines.by_ref());
        }
        let quiet = next.is_none() && batch.is_empty();
        if !destination.deliver(batch, ended, outbox, &phase).await {
            return Ok(());
        }
        drained_to.send_replace(ended);
        seen = next.unwrap_or(seen);
        let settled = lines.settled(seen);
        // What waits for more must be read again after a restart, so the position stays before it.
        if settled > position && !destination.is_holding() {
            position = settled;
            let far = position.saturating_sub(reclaimed) >= RECLAIM_CHUNKS;
            store_position(&path, position, if far { Durability::Disk } else { Durability::Process });
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

fn stored_position(path: &Utf8PathBuf) -> u64 {
    disk::load::<Delivered>(path).ok().flatten().unwrap_or_default().position
}

fn store_position(path: &Utf8PathBuf, position: u64, durability: Durability) {
    if let Err(error) = disk::store(path, &Delivered { position }, durability) {
        tracing::warn!(error = chain(&error), "position in output not stored, lines may come twice");
    }
}

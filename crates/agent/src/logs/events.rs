//! Lines into events: one each, or several where a pattern says what an event begins with.

use super::deliver::LINE_BYTES_MAX;
use crate::clock;
use regex::Regex;
use std::time::{Duration, Instant};
use wharf_keeper::output::Line;
use wharf_model::logs::LogEvent;

/// How long an event waits for lines that belong to it, as in Docker's driver.
const HELD_MAX: Duration = Duration::from_secs(5);

/// Events under construction.
#[derive(Debug)]
pub(super) struct Events {
    start: Option<Regex>,
    ready: Vec<LogEvent>,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    event: LogEvent,
    since: Instant,
}

impl Events {
    pub(super) fn new(start: Option<Regex>) -> Events {
        Events { start, ready: Vec::new(), held: None }
    }

    pub(super) fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// Takes lines in, oldest first.
    pub(super) fn push(&mut self, lines: Vec<Line>, now: Instant) {
        self.ready.reserve(lines.len());
        for line in lines {
            let event = event(line);
            let Some(start) = &self.start else {
                self.ready.push(event);
                continue;
            };
            let begins = start.is_match(&event.message);
            match &mut self.held {
                Some(held) if !begins && held.event.message.len() + event.message.len() < LINE_BYTES_MAX => {
                    held.event.message.push('\n');
                    held.event.message.push_str(&event.message);
                }
                _ => {
                    self.ready.extend(self.held.take().map(|held| held.event));
                    self.held = Some(Held { event, since: now });
                }
            }
        }
    }

    /// Returns the events that are complete; with `last`, the one that waits too.
    pub(super) fn take(&mut self, last: bool, now: Instant) -> Vec<LogEvent> {
        if self.held.as_ref().is_some_and(|held| last || now.duration_since(held.since) >= HELD_MAX) {
            self.ready.extend(self.held.take().map(|held| held.event));
        }
        std::mem::take(&mut self.ready)
    }
}

fn event(line: Line) -> LogEvent {
    let message = String::from_utf8(line.bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    LogEvent { timestamp: clock::from_nanos(line.at_nanos), message }
}

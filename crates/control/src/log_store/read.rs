//! Reading: one stream in the order it was stored, or several merged by time.

use super::{
    Error, Pattern,
    index::{BatchRef, Group, Stream},
    segment,
};
use camino::Utf8PathBuf;
use std::{cmp::Reverse, collections::BinaryHeap};
use wharf_model::Timestamp;

/// An answer holds about this much text, as on AWS.
const PAGE_BYTES: usize = 1 << 20;
/// How much text is looked through for one answer; the caller goes on from there.
const SEARCH_BYTES: usize = 64 << 20;

/// Which times are wanted: `from` included, `to` not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// The earliest time.
    pub from: Option<Timestamp>,
    /// The first time that is too late.
    pub to: Option<Timestamp>,
}

impl Range {
    fn holds(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
    }

    fn touches(&self, batch: &BatchRef) -> bool {
        self.from.is_none_or(|from| batch.latest >= from) && self.to.is_none_or(|to| batch.earliest < to)
    }
}

/// Where reading a stream starts, and which way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Forwards from the event with this index; 0 for the first.
    Forward(u64),
    /// The last events before this index, oldest first; `u64::MAX` for the newest.
    Backward(u64),
}

/// An event as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number in the group.
    pub number: u64,
    /// The stream.
    pub stream: String,
    /// When it was written.
    pub timestamp: Timestamp,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// The text.
    pub message: String,
}

/// Events of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// The index before which reading backwards goes on.
    pub start: u64,
    /// The index from which reading forwards goes on.
    pub end: u64,
}

/// Which events of a group are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The streams; all when empty.
    pub streams: Vec<String>,
    /// What the stream's name must start with.
    pub prefix: String,
    /// The times.
    pub range: Range,
    /// The words.
    pub pattern: Pattern,
    /// The last event of the page before: its time and number.
    pub after: Option<(Timestamp, u64)>,
    /// How many events at most.
    pub limit: usize,
}

/// Events of several streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterPage {
    /// The events, by time and then in the order they were stored.
    pub events: Vec<Event>,
    /// Where the next page starts, when there may be more.
    pub next: Option<(Timestamp, u64)>,
}

/// A stream's batches, taken out of the index so that files are read without holding it.
pub(crate) struct StreamPlan {
    dir: Utf8PathBuf,
    batches: Vec<BatchRef>,
    /// The number of the event to come.
    total: u64,
}

impl StreamPlan {
    pub(crate) fn new(group: &Group, stream: &Stream) -> StreamPlan {
        StreamPlan { dir: group.dir.clone(), batches: stream.batches.clone(), total: stream.next_index() }
    }

    pub(crate) fn page(&self, range: Range, from: Direction, limit: usize) -> Result<Page, Error> {
        let total = self.total;
        let mut found: Vec<(u64, Event)> = Vec::new();
        let (mut bytes, limit) = (0, limit.max(1));
        let (start, end) = match from {
            Direction::Forward(first) => {
                let mut end = first.min(total);
                let skipped =
                    self.batches.partition_point(|batch| batch.first_index + u64::from(batch.count) <= first);
                'batches: for batch in &self.batches[skipped..] {
                    for (index, event) in self.read(batch, &range)? {
                        if index < first || !range.holds(event.timestamp) {
                            continue;
                        }
                        if found.len() == limit || (bytes > 0 && bytes + event.message.len() > PAGE_BYTES) {
                            break 'batches;
                        }
                        bytes += event.message.len();
                        end = index + 1;
                        found.push((index, event));
                    }
                    if found.is_empty() {
                        end = end.max(batch.first_index + u64::from(batch.count));
                    }
                }
                (found.first().map_or(end, |(index, _)| *index), end)
            }
            Direction::Backward(before) => {
                let before = before.min(total);
                let kept = self.batches.partition_point(|batch| batch.first_index < before);
                'batches: for batch in self.batches[..kept].iter().rev() {
                    for (index, event) in self.read(batch, &range)?.into_iter().rev() {
                        if index >= before || !range.holds(event.timestamp) {
                            continue;
                        }
                        if found.len() == limit || (bytes > 0 && bytes + event.message.len() > PAGE_BYTES) {
                            break 'batches;
                        }
                        bytes += event.message.len();
                        found.push((index, event));
                    }
                }
                found.reverse();
                let start = found.first().map_or(0, |(index, _)| *index);
                (start, found.last().map_or(before, |(index, _)| index + 1))
            }
        };
        Ok(Page { events: found.into_iter().map(|(_, event)| event).collect(), start, end })
    }

    /// Returns a batch's events with their indexes; none when no time can be in range.
    fn read(&self, batch: &BatchRef, range: &Range) -> Result<Vec<(u64, Event)>, Error> {
        if !range.touches(batch) {
            return Ok(Vec::new());
        }
        Ok((batch.first_index..).zip(events(&self.dir, batch)?).collect())
    }
}

/// The batches of a filter, by their earliest event.
pub(crate) struct FilterPlan {
    dir: Utf8PathBuf,
    batches: Vec<BatchRef>,
}

impl FilterPlan {
    pub(crate) fn new(group: &Group, filter: &Filter) -> Result<FilterPlan, Error> {
        if let Some(missing) = filter.streams.iter().find(|name| !group.streams.contains_key(*name)) {
            return Err(Error::StreamNotFound(missing.clone()));
        }
        let wanted = |name: &String| {
            name.starts_with(&filter.prefix) && (filter.streams.is_empty() || filter.streams.contains(name))
        };
        let after = filter.after.map(|(time, _)| time);
        let mut batches: Vec<BatchRef> = group
            .streams
            .iter()
            .filter(|(name, _)| wanted(name))
            .flat_map(|(_, stream)| &stream.batches)
            .filter(|batch| filter.range.touches(batch) && after.is_none_or(|after| batch.latest >= after))
            .copied()
            .collect();
        batches.sort_by_key(|batch| (batch.earliest, batch.first_number));
        Ok(FilterPlan { dir: group.dir.clone(), batches })
    }

    pub(crate) fn page(&self, filter: &Filter) -> Result<FilterPage, Error> {
        let mut page = FilterPage { events: Vec::new(), next: None };
        let mut waiting: BinaryHeap<Reverse<Waiting>> = BinaryHeap::new();
        let mut batches = self.batches.iter().peekable();
        let (mut bytes, mut searched) = (0, 0);
        loop {
            // A batch is opened when nothing that is waiting can come before its first event.
            while let Some(batch) = batches.next_if(|batch| {
                waiting.peek().is_none_or(|Reverse(first)| batch.earliest <= first.0.timestamp)
            }) {
                waiting.extend(events(&self.dir, batch)?.into_iter().map(|event| Reverse(Waiting(event))));
            }
            let Some(Reverse(Waiting(event))) = waiting.pop() else { return Ok(page) };
            let place = (event.timestamp, event.number);
            searched += event.message.len() + 1;
            if searched > SEARCH_BYTES {
                page.next = Some(place);
                if filter.after.is_none_or(|after| place > after)
                    && filter.range.holds(event.timestamp)
                    && filter.pattern.matches(&event.message)
                {
                    page.events.push(event);
                }
                return Ok(page);
            }
            if filter.after.is_some_and(|after| place <= after)
                || !filter.range.holds(event.timestamp)
                || !filter.pattern.matches(&event.message)
            {
                continue;
            }
            let full = page.events.len() == filter.limit.max(1);
            if full || (bytes > 0 && bytes + event.message.len() > PAGE_BYTES) {
                page.next = page.events.last().map(|last| (last.timestamp, last.number));
                return Ok(page);
            }
            bytes += event.message.len();
            page.events.push(event);
        }
    }
}

/// An event that waits for its turn: by time, then in the order stored.
#[derive(PartialEq, Eq)]
struct Waiting(Event);

impl Ord for Waiting {
    fn cmp(&self, other: &Waiting) -> std::cmp::Ordering {
        (self.0.timestamp, self.0.number).cmp(&(other.0.timestamp, other.0.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Waiting) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn events(dir: &camino::Utf8Path, batch: &BatchRef) -> Result<Vec<Event>, Error> {
    let line = segment::read(dir, batch.segment, batch.offset, batch.length)?;
    let (stream, stored_at) = (line.stream, line.stored_at);
    Ok((batch.first_number..)
        .zip(line.events)
        .map(|(number, (timestamp, message))| Event {
            number,
            stream: stream.clone(),
            timestamp,
            stored_at,
            message,
        })
        .collect())
}

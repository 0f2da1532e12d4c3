//! What is where: streams and their batches, in memory.

use super::segment::Line;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use wharf_model::{Timestamp, logs::LogEvent};

/// How many batches of a stream are remembered to notice one that is sent again.
const REMEMBERED: usize = 32;

/// What AWS adds to each event's size.
const EVENT_OVERHEAD_BYTES: u64 = 26;

/// A group's files and streams.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) dir: Utf8PathBuf,
    pub(crate) streams: BTreeMap<String, Stream>,
    /// The segment being written, and its length up to the last whole line.
    pub(crate) segment: u32,
    pub(crate) length: u64,
    /// How many events the group has had: numbers them.
    pub(crate) events: u64,
    /// The first segment that is still there.
    pub(crate) first_segment: u32,
}

/// What stays of a group's events that were removed: where the counting goes on, and which streams there were.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Base {
    pub(crate) first_segment: u32,
    pub(crate) events: u64,
    pub(crate) streams: BTreeMap<String, StreamBase>,
}

/// What stays of a stream whose oldest events were removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StreamBase {
    created_at: Timestamp,
    next_index: u64,
    last_ingestion: Option<Timestamp>,
}

/// A stream's batches.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    created_at: Timestamp,
    pub(crate) batches: Vec<BatchRef>,
    first_event: Option<Timestamp>,
    last_event: Option<Timestamp>,
    last_ingestion: Option<Timestamp>,
    pub(crate) stored_bytes: u64,
    /// The number of its first event that is still there.
    base: u64,
    recent: VecDeque<[u8; 8]>,
}

/// Where a batch is, and what it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchRef {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) length: u32,
    /// The number of its first event in the stream, and in the group.
    pub(crate) first_index: u64,
    pub(crate) first_number: u64,
    pub(crate) count: u32,
    /// What its events count, as AWS counts.
    pub(crate) bytes: u64,
    /// The times of its events.
    pub(crate) earliest: Timestamp,
    pub(crate) latest: Timestamp,
}

/// What is known of a stream without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its earliest event's time.
    pub first_event: Option<Timestamp>,
    /// Its latest event's time.
    pub last_event: Option<Timestamp>,
    /// When events were stored last.
    pub last_ingestion: Option<Timestamp>,
    /// How many bytes its events have.
    pub stored_bytes: u64,
}

impl Group {
    pub(crate) fn empty(dir: Utf8PathBuf) -> Group {
        Group { dir, streams: BTreeMap::new(), segment: 0, length: 0, events: 0, first_segment: 0 }
    }

    /// Returns a group whose first segments were removed, before those that are there are read.
    pub(crate) fn over(dir: Utf8PathBuf, base: Base) -> Group {
        let Base { first_segment, events, streams } = base;
        let streams = streams.into_iter().map(|(name, base)| (name, Stream::over(&base))).collect();
        Group { dir, streams, segment: first_segment, length: 0, events, first_segment }
    }

    /// Returns the first segment that would stay, if those were removed whose events are all older than `before`.
    pub(crate) fn first_kept(&self, before: Timestamp) -> u32 {
        let batches = self.streams.values().flat_map(|stream| &stream.batches);
        let young = batches.filter(|batch| batch.latest >= before).map(|batch| batch.segment).min();
        // The one being written stays, unless all of it is old: then another one is begun.
        let end = if self.length > 0 { self.segment + 1 } else { self.segment };
        young.unwrap_or(end).max(self.first_segment)
    }

    /// Returns what stays of the group once all segments before `first` are removed.
    pub(crate) fn base(&self, first: u32) -> Base {
        let gone = self.streams.values().flat_map(|stream| &stream.batches);
        let numbers = gone.filter(|batch| batch.segment < first);
        let events = numbers.map(|batch| batch.first_number + u64::from(batch.count)).max();
        let streams = self.streams.iter().map(|(name, stream)| (name.clone(), stream.base_at(first)));
        Base { first_segment: first, events: events.unwrap_or(0), streams: streams.collect() }
    }

    /// Forgets what was in the segments before `first`.
    pub(crate) fn forget_before(&mut self, first: u32) {
        self.first_segment = first;
        if self.segment < first {
            (self.segment, self.length) = (first, 0);
        }
        for stream in self.streams.values_mut() {
            stream.forget_before(first);
        }
    }

    /// Takes up a line that is at `offset` of `segment`.
    pub(crate) fn add(&mut self, line: &Line, segment: u32, offset: u64, length: u32) {
        if line.deleted {
            self.streams.remove(&line.stream);
            return;
        }
        let stream = self.streams.entry(line.stream.clone()).or_insert_with(|| Stream {
            created_at: line.stored_at,
            batches: Vec::new(),
            first_event: None,
            last_event: None,
            last_ingestion: None,
            stored_bytes: 0,
            base: 0,
            recent: VecDeque::new(),
        });
        let times = || line.events.iter().map(|(time, _)| *time);
        let (Some(earliest), Some(latest)) = (times().min(), times().max()) else { return };
        let count = u32::try_from(line.events.len()).unwrap_or(u32::MAX);
        let first_index = stream.next_index();
        let bytes = line.events.iter().map(|(_, text)| text.len() as u64 + EVENT_OVERHEAD_BYTES).sum::<u64>();
        stream.batches.push(BatchRef {
            segment,
            offset,
            length,
            first_index,
            first_number: self.events,
            count,
            bytes,
            earliest,
            latest,
        });
        self.events += u64::from(count);
        stream.first_event = Some(stream.first_event.map_or(earliest, |first| first.min(earliest)));
        stream.last_event = Some(stream.last_event.map_or(latest, |last| last.max(latest)));
        stream.last_ingestion = Some(line.stored_at);
        stream.stored_bytes += bytes;
        if let Some(number) = line.number {
            if stream.recent.len() == REMEMBERED {
                stream.recent.pop_front();
            }
            stream.recent.push_back(digest(number, line.events.iter().map(|(time, text)| (*time, &**text))));
        }
    }

    /// Returns whether a stream has this batch already.
    pub(crate) fn has(&self, stream: &str, number: u64, events: &[LogEvent]) -> bool {
        let Some(stream) = self.streams.get(stream) else { return false };
        let digest = digest(number, events.iter().map(|event| (event.timestamp, &*event.message)));
        stream.recent.contains(&digest)
    }
}

impl Stream {
    fn over(base: &StreamBase) -> Stream {
        Stream {
            created_at: base.created_at,
            batches: Vec::new(),
            first_event: None,
            last_event: None,
            last_ingestion: base.last_ingestion,
            stored_bytes: 0,
            base: base.next_index,
            recent: VecDeque::new(),
        }
    }

    /// Returns the number that the next event gets.
    pub(crate) fn next_index(&self) -> u64 {
        self.batches.last().map_or(self.base, |last| last.first_index + u64::from(last.count))
    }

    fn base_at(&self, first: u32) -> StreamBase {
        let kept = self.batches.iter().find(|batch| batch.segment >= first);
        StreamBase {
            created_at: self.created_at,
            next_index: kept.map_or(self.next_index(), |batch| batch.first_index),
            last_ingestion: self.last_ingestion,
        }
    }

    fn forget_before(&mut self, first: u32) {
        let base = self.base_at(first).next_index;
        let gone = self.batches.partition_point(|batch| batch.segment < first);
        self.stored_bytes -= self.batches.drain(..gone).map(|batch| batch.bytes).sum::<u64>();
        self.base = base;
        self.first_event = self.batches.iter().map(|batch| batch.earliest).min();
        if self.batches.is_empty() {
            self.last_event = None;
        }
    }

    pub(crate) fn info(&self, name: &str) -> StreamInfo {
        StreamInfo {
            name: name.to_owned(),
            created_at: self.created_at,
            first_event: self.first_event,
            last_event: self.last_event,
            last_ingestion: self.last_ingestion,
            stored_bytes: self.stored_bytes,
        }
    }
}

fn digest<'a>(number: u64, events: impl Iterator<Item = (Timestamp, &'a str)>) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(number.to_be_bytes());
    for (time, text) in events {
        hash.update(time.0.to_be_bytes());
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hash.finalize().into();
    [a, b, c, d, e, f, g, h]
}

//! What is where: streams and their batches, in memory.

use super::segment::Line;
use camino::Utf8PathBuf;
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
        Group { dir, streams: BTreeMap::new(), segment: 0, length: 0, events: 0 }
    }

    /// Takes up a line that is at `offset` of `segment`.
    pub(crate) fn add(&mut self, line: &Line, segment: u32, offset: u64, length: u32) {
        let stream = self.streams.entry(line.stream.clone()).or_insert_with(|| Stream {
            created_at: line.stored_at,
            batches: Vec::new(),
            first_event: None,
            last_event: None,
            last_ingestion: None,
            stored_bytes: 0,
            recent: VecDeque::new(),
        });
        let times = || line.events.iter().map(|(time, _)| *time);
        let (Some(earliest), Some(latest)) = (times().min(), times().max()) else { return };
        let count = u32::try_from(line.events.len()).unwrap_or(u32::MAX);
        let first_index = stream.batches.last().map_or(0, |last| last.first_index + u64::from(last.count));
        stream.batches.push(BatchRef {
            segment,
            offset,
            length,
            first_index,
            first_number: self.events,
            count,
            earliest,
            latest,
        });
        self.events += u64::from(count);
        stream.first_event = Some(stream.first_event.map_or(earliest, |first| first.min(earliest)));
        stream.last_event = Some(stream.last_event.map_or(latest, |last| last.max(latest)));
        stream.last_ingestion = Some(line.stored_at);
        stream.stored_bytes +=
            line.events.iter().map(|(_, text)| text.len() as u64 + EVENT_OVERHEAD_BYTES).sum::<u64>();
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

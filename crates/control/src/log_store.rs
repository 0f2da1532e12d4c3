//! Log events: durable before they are acknowledged, found again by stream, time and words.
//!
//! Each group has a directory with segments, files of lines: a checksum and one batch of events as JSON, readable
//! with any pager. One thread writes; batches that arrive together share a flush. What is where is kept in memory
//! and rebuilt from the segments at start; a torn last line, from a crash in the middle of a write, is cut off.

mod index;
mod pattern;
mod read;
mod segment;
mod writer;

pub use index::StreamInfo;
pub use pattern::{InvalidPattern, Pattern};
pub use read::{Direction, Event, Filter, FilterPage, Page, Range};

use camino::{Utf8Path, Utf8PathBuf};
use index::Group;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock},
};
use thiserror::Error;
use wharf_model::{Timestamp, logs::LogEvent};

/// What went wrong with stored logs.
#[derive(Debug, Clone, Error)]
pub enum Error {
    /// The group does not exist.
    #[error("log group '{0}' does not exist")]
    GroupNotFound(String),
    /// The stream does not exist.
    #[error("log stream '{0}' does not exist")]
    StreamNotFound(String),
    /// A file could not be used.
    #[error("use log file {path}")]
    File {
        /// Which one.
        path: Utf8PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// The store is being closed.
    #[error("the log store is closed")]
    Closed,
}

/// A batch of events for a stream.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The group.
    pub group: String,
    /// The stream, made when it is not there.
    pub stream: String,
    /// The sender's number of the batch: one that was stored already, with the same events, is not stored twice.
    pub number: Option<u64>,
    /// The events, oldest first; none to only make the stream.
    pub events: Vec<LogEvent>,
    /// The time.
    pub now: Timestamp,
}

/// A handle to the stored logs; clones share it.
#[derive(Clone)]
pub struct LogStore {
    shared: Arc<Shared>,
    writer: writer::Writer,
}

pub(crate) struct Shared {
    dir: Utf8PathBuf,
    groups: RwLock<BTreeMap<String, Group>>,
}

impl LogStore {
    /// Opens the logs below `dir`. Groups that are not among `names` are removed, those without files are made: the
    /// names are what the state file knows, and it is right.
    pub fn open(dir: &Utf8Path, names: &BTreeSet<String>) -> Result<LogStore, Error> {
        std::fs::create_dir_all(dir).map_err(|source| file_error(dir, source))?;
        let mut groups = segment::load_all(dir)?;
        let gone: Vec<String> = groups.keys().filter(|name| !names.contains(*name)).cloned().collect();
        for name in gone {
            if let Some(group) = groups.remove(&name) {
                segment::remove(dir, &group.dir)?;
            }
        }
        for name in names {
            if !groups.contains_key(name) {
                groups.insert(name.clone(), segment::create(dir, name)?);
            }
        }
        let shared = Arc::new(Shared { dir: dir.to_owned(), groups: RwLock::new(groups) });
        let writer = writer::Writer::start(Arc::clone(&shared));
        Ok(LogStore { shared, writer })
    }

    /// Makes a group, if it is not there.
    pub async fn create_group(&self, name: &str) -> Result<(), Error> {
        self.writer.create(name).await
    }

    /// Says whether a group's files are there.
    pub fn has_group(&self, name: &str) -> bool {
        self.shared.with_group(name, |_| Ok(())).is_ok()
    }

    /// Deletes a group with all its events, if it is there.
    pub async fn delete_group(&self, name: &str) -> Result<(), Error> {
        self.writer.delete(name).await
    }

    /// Deletes a stream with all its events.
    pub async fn delete_stream(&self, group: &str, stream: &str, now: Timestamp) -> Result<(), Error> {
        self.writer.delete_stream(group, stream, now).await
    }

    /// Gives the space of events back that are older than `before`, as far as no younger one is in the same file.
    pub async fn trim(&self, group: &str, before: Timestamp) -> Result<(), Error> {
        self.writer.trim(group, before).await
    }

    /// Stores a batch; it is durable when this returns.
    pub async fn append(&self, batch: Batch) -> Result<(), Error> {
        self.writer.append(batch).await
    }

    /// Returns the streams of a group whose names start with `prefix`, by name.
    pub fn streams(&self, group: &str, prefix: &str) -> Result<Vec<StreamInfo>, Error> {
        self.shared.with_group(group, |group| {
            Ok(group
                .streams
                .range(prefix.to_owned()..)
                .take_while(|(name, _)| name.starts_with(prefix))
                .map(|(name, stream)| stream.info(name))
                .collect())
        })
    }

    /// Returns how many bytes a group's events have.
    pub fn stored_bytes(&self, group: &str) -> u64 {
        let sum = |group: &Group| Ok(group.streams.values().map(|stream| stream.stored_bytes).sum());
        self.shared.with_group(group, sum).unwrap_or(0)
    }

    /// Returns events of one stream, in the order they were stored.
    pub async fn events(
        &self,
        group: &str,
        stream: &str,
        range: Range,
        from: Direction,
        limit: usize,
    ) -> Result<Page, Error> {
        let plan = self.shared.with_group(group, |group| {
            let found = group.streams.get(stream);
            let found = found.ok_or_else(|| Error::StreamNotFound(stream.to_owned()))?;
            Ok(read::StreamPlan::new(group, found))
        })?;
        blocking(move || plan.page(range, from, limit)).await
    }

    /// Returns events of several streams, by time.
    pub async fn filter(&self, group: &str, filter: Filter) -> Result<FilterPage, Error> {
        let plan = self.shared.with_group(group, |group| read::FilterPlan::new(group, &filter))?;
        blocking(move || plan.page(&filter)).await
    }
}

impl Shared {
    fn with_group<T>(&self, name: &str, read: impl FnOnce(&Group) -> Result<T, Error>) -> Result<T, Error> {
        let groups = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        read(groups.get(name).ok_or_else(|| Error::GroupNotFound(name.to_owned()))?)
    }
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(read).await.map_err(|_| Error::Closed)?
}

pub(crate) fn file_error(path: &Utf8Path, source: std::io::Error) -> Error {
    Error::File { path: path.to_owned(), source: Arc::new(source) }
}

#[cfg(test)]
mod tests;

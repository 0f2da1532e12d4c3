//! The store: accepts updates one after the other, writes them in batches, shows them once they are durable.

use crate::{
    disk::{Damaged, Disk, is_full},
    draft::{Draft, Overlay, Write},
    record::{Record, Tables, Value, View},
};
use std::{
    collections::HashMap,
    convert::Infallible,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};
use thiserror::Error;
use tokio::sync::{oneshot, watch};

/// The store cannot take writes any more.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// A write to the state file failed; from then on nothing is accepted, because what the disk holds is unknown.
    /// A restart reads what is there.
    #[error("write to the state file failed ({0}); the store is read-only until wharf is restarted")]
    ReadOnly(String),
    /// The disk is full. Nothing is accepted until there is room again, which is looked for all the time.
    #[error("no space left on the disk of state file {0}; free some, and wharf goes on by itself")]
    Full(String),
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

/// An update that was not made.
#[derive(Debug, Error)]
pub enum UpdateError<E> {
    /// The update itself refused; nothing was written.
    #[error(transparent)]
    Refused(E),
    /// The store could not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How often a store whose disk is full looks for room.
const LOOK_FOR_ROOM: Duration = Duration::from_secs(1);

struct Ticket(oneshot::Sender<Result<u64, StoreError>>);

#[derive(Default)]
struct Pending {
    writes: Vec<Write>,
    tickets: Vec<Ticket>,
    /// Accepted and not yet visible: the batch being collected and the one being written.
    overlay: Overlay,
    failed: Option<StoreError>,
    closed: bool,
}

struct Shared {
    tables: RwLock<Tables>,
    pending: Mutex<Pending>,
    work: Condvar,
    bell: watch::Sender<u64>,
}

/// Rows read from disk and not yet claimed by a record type.
type Rows = HashMap<String, Vec<(String, Vec<u8>)>>;

/// A handle to the store; clones share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    _closer: Arc<Closer>,
}

struct Closer(Arc<Shared>, Mutex<Option<std::thread::JoinHandle<()>>>);

impl Drop for Closer {
    fn drop(&mut self) {
        lock(&self.0.pending).closed = true;
        self.0.work.notify_all();
        if let Some(writer) = lock(&self.1).take() {
            let _ = writer.join();
        }
    }
}

/// Reads a record of one type.
type Reader = fn(&[u8]) -> Result<Value, serde_json::Error>;

/// Gathers the record types before a store opens, so that each row finds its type.
#[derive(Default)]
pub struct Schema {
    readers: HashMap<&'static str, Reader>,
}

impl Schema {
    /// Adds a record type.
    pub fn with<R: Record>(mut self) -> Schema {
        self.readers.insert(R::TABLE, |bytes| Ok(Arc::new(serde_json::from_slice::<R>(bytes)?)));
        self
    }
}

/// A state file that cannot be served.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file is not usable.
    #[error(transparent)]
    File(#[from] Damaged),
    /// A row has no record type, or does not fit it.
    #[error("read record '{key}' of table '{table}'")]
    Row {
        /// The table.
        table: String,
        /// The record's key.
        key: String,
        /// Why, when the row does not fit its type.
        source: Option<serde_json::Error>,
    },
}

impl Store {
    /// Opens or creates the state file at `path`.
    pub fn open(path: &Path, schema: Schema) -> Result<Store, OpenError> {
        let (disk, rows, revision) = Disk::open(path)?;
        let tables = load(rows, &schema, revision)?;
        Ok(Store::start(tables, Some(disk)))
    }

    /// Returns an empty store that keeps nothing.
    pub fn in_memory() -> Store {
        Store::start(Tables::default(), None)
    }

    fn start(tables: Tables, disk: Option<Disk>) -> Store {
        let bell = watch::Sender::new(tables.revision);
        let shared = Arc::new(Shared {
            tables: RwLock::new(tables),
            pending: Mutex::new(Pending::default()),
            work: Condvar::new(),
            bell,
        });
        let writer = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || write_batches(&shared, disk)
            })
            .expect("a thread can be started when the process has just begun");
        let closer = Arc::new(Closer(Arc::clone(&shared), Mutex::new(Some(writer))));
        Store { shared, _closer: closer }
    }

    /// Returns what is there now.
    pub fn view(&self) -> View<'_> {
        View(self.shared.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns a doorbell that rings with every new revision.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.bell.subscribe()
    }

    /// Runs an update against everything accepted so far, and returns its result once its writes are durable.
    ///
    /// An update that refuses, and one that writes nothing, leave no trace and wait for nothing.
    pub async fn update<T, E>(
        &self,
        update: impl FnOnce(&mut Draft<'_>) -> Result<T, E>,
    ) -> Result<T, UpdateError<E>> {
        let (result, done) = {
            let mut pending = lock(&self.shared.pending);
            if let Some(error) = &pending.failed {
                return Err(error.clone().into());
            }
            let (result, own, writes) = {
                let tables = self.shared.tables.read().unwrap_or_else(PoisonError::into_inner);
                let mut draft =
                    Draft { tables, accepted: &pending.overlay, own: Overlay::new(), writes: Vec::new() };
                let result = update(&mut draft).map_err(UpdateError::Refused)?;
                (result, draft.own, draft.writes)
            };
            if writes.is_empty() {
                return Ok(result);
            }
            let (ticket, done) = oneshot::channel();
            pending.overlay.extend(own);
            pending.writes.extend(writes);
            pending.tickets.push(Ticket(ticket));
            self.shared.work.notify_one();
            (result, done)
        };
        match done.await {
            Ok(Ok(_)) => Ok(result),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(StoreError::Closed.into()),
        }
    }

    /// Like [`Store::update`], for an update that never refuses.
    pub async fn change<T>(&self, update: impl FnOnce(&mut Draft<'_>) -> T) -> Result<T, StoreError> {
        match self.update(|draft| Ok::<T, Infallible>(update(draft))).await {
            Ok(result) => Ok(result),
            Err(UpdateError::Store(error)) => Err(error),
            Err(UpdateError::Refused(never)) => match never {},
        }
    }
}

fn load(rows: Rows, schema: &Schema, revision: u64) -> Result<Tables, OpenError> {
    let mut tables = Tables::default();
    tables.revision = revision;
    for (table, rows) in rows {
        let known = schema.readers.get_key_value(table.as_str());
        for (key, bytes) in rows {
            let row = |source| OpenError::Row { table: table.clone(), key: key.clone(), source };
            let (name, read) = known.ok_or_else(|| row(None))?;
            let value = read(&bytes).map_err(|error| row(Some(error)))?;
            tables.apply(name, key, Some(value));
        }
    }
    Ok(tables)
}

/// The writer's thread: takes what has gathered, makes it durable, shows it, answers.
fn write_batches(shared: &Shared, mut disk: Option<Disk>) {
    loop {
        let (writes, tickets) = {
            let mut pending = lock(&shared.pending);
            while pending.writes.is_empty() && !pending.closed {
                pending = shared.work.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            if pending.writes.is_empty() {
                return;
            }
            (std::mem::take(&mut pending.writes), std::mem::take(&mut pending.tickets))
        };
        let revision = shared.tables.read().unwrap_or_else(PoisonError::into_inner).revision + 1;
        let durable: Vec<&Write> = writes.iter().filter(|write| write.durable.is_some()).collect();
        let failed = match &disk {
            Some(disk) if !durable.is_empty() => {
                let stored = disk.commit(revision, &durable);
                stored.err().map(|error| {
                    if is_full(&error) {
                        StoreError::Full(disk.path().display().to_string())
                    } else {
                        StoreError::ReadOnly(error.to_string())
                    }
                })
            }
            _ => None,
        };
        let Some(error) = failed else {
            show(shared, revision, writes);
            for Ticket(ticket) in tickets {
                let _ = ticket.send(Ok(revision));
            }
            shared.bell.send_replace(revision);
            continue;
        };
        tracing::error!(%error, "state file cannot be written");
        refuse(shared, &error, tickets);
        if matches!(error, StoreError::Full(_)) {
            let Some((again, stored)) = wait_for_room(shared, disk.take()) else { return };
            disk = Some(again);
            // The batch may have reached the disk before its failure was reported: then it counts.
            if stored == revision {
                show(shared, revision, writes);
                shared.bell.send_replace(revision);
            }
            tracing::info!(stored, "state file can be written again");
            lock(&shared.pending).failed = None;
        }
    }
}

/// Accepts nothing from here on, and says so to those who wait.
fn refuse(shared: &Shared, error: &StoreError, tickets: Vec<Ticket>) {
    let mut pending = lock(&shared.pending);
    pending.failed = Some(error.clone());
    pending.overlay.clear();
    pending.writes.clear();
    for Ticket(ticket) in tickets.into_iter().chain(std::mem::take(&mut pending.tickets)) {
        let _ = ticket.send(Err(error.clone()));
    }
}

/// Opens the file again and again until it can be written; returns it with the revision that it holds, or nothing
/// once the store is closed. The failed handle is of no more use: what it wrote last is unknown to it.
fn wait_for_room(shared: &Shared, failed: Option<Disk>) -> Option<(Disk, u64)> {
    let path = failed?.path().to_owned();
    loop {
        {
            let pending = lock(&shared.pending);
            let (pending, _) =
                shared.work.wait_timeout(pending, LOOK_FOR_ROOM).unwrap_or_else(PoisonError::into_inner);
            if pending.closed {
                return None;
            }
        }
        match Disk::open(&path) {
            Ok((disk, _, revision)) => return Some((disk, revision)),
            Err(error) => tracing::debug!(%error, "state file still cannot be written"),
        }
    }
}

fn show(shared: &Shared, revision: u64, writes: Vec<Write>) {
    // Both locks, in the order that updates take them: an update must find a write either in the overlay or in
    // the tables.
    let mut pending = lock(&shared.pending);
    let mut tables = shared.tables.write().unwrap_or_else(PoisonError::into_inner);
    tables.revision = revision;
    for Write { table, key, value, .. } in writes {
        tables.apply(table, key, value);
    }
    // What was accepted meanwhile is still to be written.
    pending.overlay =
        pending.writes.iter().map(|write| ((write.table, write.key.clone()), write.value.clone())).collect();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

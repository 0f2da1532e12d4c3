//! The store: accepts updates one after the other, writes them in batches, shows them once they are durable.

use crate::{
    damaged::Damaged,
    disk::{Disk, is_full},
    draft::{Draft, Write},
    load::load,
    make::make_file,
    medium::{Medium, StateFile},
    overlay::Overlay,
    record::{Record, Tables, Value, View},
    snapshot::{Snapshot, SnapshotError},
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
    journal: Mutex<Journal>,
}

/// Where what is accepted is kept.
enum Journal {
    /// Nowhere.
    None,
    /// In this file.
    Open(Arc<Disk>),
    /// In a file that cannot be used now.
    Failing,
}

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
pub(crate) type Reader = fn(&[u8]) -> Result<Value, serde_json::Error>;

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

    pub(crate) fn reader(&self, table: &str) -> Option<(&'static str, Reader)> {
        self.readers.get_key_value(table).map(|(name, read)| (*name, *read))
    }
}

impl Store {
    /// Opens the state file at `path`; makes one where there is none. A file that cannot be served is left as it is.
    pub fn open(path: &Path, schema: Schema) -> Result<Store, Damaged> {
        let file = StateFile::new(path);
        let there = file.length().map_err(|source| Damaged::Open { path: file.name(), source })?;
        if there.is_none() {
            if file.note().is_some() {
                tracing::warn!(file = file.name(), "state file is gone; another one begins with nothing");
            }
            make_file(path, 0, std::iter::empty())?;
        }
        Store::open_on(Arc::new(file), &schema)
    }

    /// Opens the state file of a medium, which is there.
    pub(crate) fn open_on(medium: Arc<dyn Medium>, schema: &Schema) -> Result<Store, Damaged> {
        let (disk, tables) = load(medium, schema)?;
        Ok(Store::start(tables, Some(disk)))
    }

    /// Returns an empty store that keeps nothing.
    pub fn in_memory() -> Store {
        Store::start(Tables::default(), None)
    }

    fn start(tables: Tables, disk: Option<Disk>) -> Store {
        let disk = disk.map(Arc::new);
        let bell = watch::Sender::new(tables.revision);
        let shared = Arc::new(Shared {
            tables: RwLock::new(tables),
            pending: Mutex::new(Pending::default()),
            work: Condvar::new(),
            bell,
            journal: Mutex::new(journal(disk.as_ref())),
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
        View::new(&self.shared.tables)
    }

    /// Returns a doorbell that rings with every new revision.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.bell.subscribe()
    }

    /// Returns why nothing is accepted now, if that is so. What is there can be read all the same.
    pub fn trouble(&self) -> Option<StoreError> {
        lock(&self.shared.pending).failed.clone()
    }

    /// Returns what is on disk at this moment, as one revision. Writes go on meanwhile.
    pub fn snapshot(&self) -> Result<Snapshot, SnapshotError> {
        let disk = match &*lock(&self.shared.journal) {
            Journal::Open(disk) => Arc::clone(disk),
            Journal::None => return Err(SnapshotError::InMemory),
            Journal::Failing => return Err(SnapshotError::Failing),
        };
        let (transaction, about) = disk.begin_read()?;
        Ok(Snapshot { path: disk.medium().name(), transaction, revision: about.revision })
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
                    Draft { tables, accepted: &pending.overlay, own: Overlay::default(), writes: Vec::new() };
                let result = update(&mut draft).map_err(UpdateError::Refused)?;
                (result, draft.own, draft.writes)
            };
            if writes.is_empty() {
                return Ok(result);
            }
            let (ticket, done) = oneshot::channel();
            pending.overlay.add(own);
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

fn journal(disk: Option<&Arc<Disk>>) -> Journal {
    disk.map_or(Journal::None, |disk| Journal::Open(Arc::clone(disk)))
}

/// The writer's thread: takes what has gathered, makes it durable, shows it, answers.
fn write_batches(shared: &Shared, mut disk: Option<Arc<Disk>>) {
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
                        StoreError::Full(disk.medium().name())
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
        let full = matches!(error, StoreError::Full(_));
        // The failed handle is of no more use: what it wrote last is unknown to it.
        let Some(medium) = disk.take().map(|disk| Arc::clone(disk.medium())) else { return };
        *lock(&shared.journal) = Journal::Failing;
        if !full {
            // Whoever waits is answered, and nobody is accepted any more: there is nothing left to do.
            return;
        }
        let Some((again, stored)) = wait_for_room(shared, &medium) else { return };
        *lock(&shared.journal) = Journal::Open(Arc::clone(&again));
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
/// once the store is closed.
fn wait_for_room(shared: &Shared, medium: &Arc<dyn Medium>) -> Option<(Arc<Disk>, u64)> {
    loop {
        {
            let pending = lock(&shared.pending);
            let (pending, _) =
                shared.work.wait_timeout(pending, LOOK_FOR_ROOM).unwrap_or_else(PoisonError::into_inner);
            if pending.closed {
                return None;
            }
        }
        match Disk::open(Arc::clone(medium), &mut |_, _, _, _| Ok(())) {
            Ok((disk, revision)) => return Some((Arc::new(disk), revision)),
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
    let mut overlay = Overlay::default();
    for Write { table, key, value, .. } in &pending.writes {
        overlay.put(table, Arc::clone(key), value.clone());
    }
    pending.overlay = overlay;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Reading a state file into memory: one thread takes the rows from the file, as many as there are processors read
//! the records in them.

use crate::{
    Schema,
    damaged::Damaged,
    disk::Disk,
    medium::Medium,
    record::{Tables, Value},
    store::Reader,
};
use std::{
    num::NonZero,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::ScopedJoinHandle,
};

/// How many rows a thread takes at once.
const BATCH: usize = 256;
/// How many batches wait for a thread.
const WAITING: usize = 4;
/// The most threads that read records.
const THREADS_MAX: usize = 8;

/// A row whose record is not read yet.
struct Raw {
    table: &'static str,
    read: Reader,
    key: Arc<str>,
    bytes: Vec<u8>,
}

/// Rows, with their place among the others.
type Batch<T> = (usize, Vec<T>);
type Loaded = (&'static str, Arc<str>, Value);

/// Opens a file and reads every record of it.
pub(crate) fn load(medium: Arc<dyn Medium>, schema: &Schema) -> Result<(Disk, Tables), Damaged> {
    let path = medium.name();
    let (give, take) = sync_channel::<Batch<Raw>>(WAITING);
    let (take, failing) = (Mutex::new(take), AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(|| read_batches(&take, &failing))).collect();
        let mut giving = Giving { give, next: (0, Vec::with_capacity(BATCH)) };
        let mut author = String::new();
        let examined = Disk::examine(&medium, &mut |written_by, table, key, bytes| {
            if author != written_by {
                written_by.clone_into(&mut author);
            }
            let Some((name, read)) = schema.reader(table) else {
                let (path, table) = (path.clone(), table.to_owned());
                return Err(Damaged::UnknownTable { path, table, written_by: written_by.to_owned() });
            };
            giving.push(Raw { table: name, read, key: key.into(), bytes: bytes.to_vec() });
            // What is wrong is said by the thread that found it; this only ends the reading.
            match failing.load(Ordering::Relaxed) {
                true => Err(Damaged::Empty { path: path.clone() }),
                false => Ok(()),
            }
        });
        giving.finish();
        let batches = gather(readers).map_err(|(table, key, source)| {
            let (table, key) = (table.to_owned(), key.to_string());
            Damaged::Record { path, table, key, written_by: author, source }
        })?;
        let (database, about, release) = examined?;
        let (disk, revision) = Disk::go_on(database, medium, &about, release)?;
        Ok((disk, Tables::of(revision, batches.into_iter().flat_map(|(_, rows)| rows))))
    })
}

/// Hands out rows in batches.
struct Giving {
    give: SyncSender<Batch<Raw>>,
    next: Batch<Raw>,
}

impl Giving {
    fn push(&mut self, row: Raw) {
        self.next.1.push(row);
        if self.next.1.len() == BATCH {
            let number = self.next.0 + 1;
            let full = std::mem::replace(&mut self.next, (number, Vec::with_capacity(BATCH)));
            // The readers are gone only when they have panicked, which their joining says.
            let _ = self.give.send(full);
        }
    }

    fn finish(self) {
        let _ = self.give.send(self.next);
    }
}

/// A record that cannot be read: its table, its key and why.
type Unread = (&'static str, Arc<str>, serde_json::Error);

/// The batches that a thread has read, and the first row that it could not.
type Share = (Vec<Batch<Loaded>>, Option<(usize, Unread)>);

fn read_batches(take: &Mutex<Receiver<Batch<Raw>>>, failing: &AtomicBool) -> Share {
    let (mut done, mut unread) = (Vec::new(), None);
    loop {
        let taken = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, rows)) = taken else { return (done, unread) };
        if unread.is_some() {
            continue;
        }
        let mut loaded = Vec::with_capacity(rows.len());
        for Raw { table, read, key, bytes } in rows {
            match read(&bytes) {
                Ok(value) => loaded.push((table, key, value)),
                Err(source) => {
                    failing.store(true, Ordering::Relaxed);
                    unread = Some((number, (table, key, source)));
                    break;
                }
            }
        }
        done.push((number, loaded));
    }
}

/// Returns all batches in their order, or the first record that could not be read.
fn gather(readers: Vec<ScopedJoinHandle<'_, Share>>) -> Result<Vec<Batch<Loaded>>, Unread> {
    let mut batches = Vec::new();
    let mut failed: Vec<(usize, Unread)> = Vec::new();
    for reader in readers {
        let (done, unread) = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        batches.extend(done);
        failed.extend(unread);
    }
    if let Some((_, unread)) = failed.into_iter().min_by_key(|(number, _)| *number) {
        return Err(unread);
    }
    batches.sort_unstable_by_key(|(number, _)| *number);
    Ok(batches)
}

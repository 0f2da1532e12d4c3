//! The thread that writes: takes what has gathered, one flush for each group, then answers.

use super::{Batch, Error, Shared, file_error, index::Group, segment, segment::Line};
use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::fs::FileExt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;
use wharf_model::Timestamp;

type Reply = oneshot::Sender<Result<(), Error>>;

enum Request {
    Create(String, Reply),
    Delete(String, Reply),
    Append(Batch, Reply),
    DeleteStream { group: String, stream: String, now: Timestamp, reply: Reply },
    Trim { group: String, before: Timestamp, reply: Reply },
}

#[derive(Default)]
struct Inbox {
    requests: Vec<Request>,
    closed: bool,
}

struct Channel {
    inbox: Mutex<Inbox>,
    bell: Condvar,
}

/// A handle to the writing thread, which ends with its last handle.
#[derive(Clone)]
pub(crate) struct Writer {
    channel: Arc<Channel>,
    _closer: Arc<Closer>,
}

struct Closer(Arc<Channel>, Mutex<Option<std::thread::JoinHandle<()>>>);

impl Drop for Closer {
    fn drop(&mut self) {
        lock(&self.0.inbox).closed = true;
        self.0.bell.notify_all();
        if let Some(thread) = lock(&self.1).take() {
            let _ = thread.join();
        }
    }
}

impl Writer {
    pub(crate) fn start(shared: Arc<Shared>) -> Writer {
        let channel = Arc::new(Channel { inbox: Mutex::default(), bell: Condvar::new() });
        let thread = std::thread::Builder::new()
            .name("log store".to_owned())
            .spawn({
                let channel = Arc::clone(&channel);
                move || serve(&channel, &shared)
            })
            .expect("a thread can be started when the process has just begun");
        let closer = Arc::new(Closer(Arc::clone(&channel), Mutex::new(Some(thread))));
        Writer { channel, _closer: closer }
    }

    pub(crate) async fn create(&self, name: &str) -> Result<(), Error> {
        self.ask(|reply| Request::Create(name.to_owned(), reply)).await
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<(), Error> {
        self.ask(|reply| Request::Delete(name.to_owned(), reply)).await
    }

    pub(crate) async fn append(&self, batch: Batch) -> Result<(), Error> {
        self.ask(|reply| Request::Append(batch, reply)).await
    }

    pub(crate) async fn delete_stream(&self, group: &str, stream: &str, now: Timestamp) -> Result<(), Error> {
        let (group, stream) = (group.to_owned(), stream.to_owned());
        self.ask(|reply| Request::DeleteStream { group, stream, now, reply }).await
    }

    pub(crate) async fn trim(&self, group: &str, before: Timestamp) -> Result<(), Error> {
        let group = group.to_owned();
        self.ask(|reply| Request::Trim { group, before, reply }).await
    }

    async fn ask(&self, request: impl FnOnce(Reply) -> Request) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        lock(&self.channel.inbox).requests.push(request(reply));
        self.channel.bell.notify_one();
        answer.await.map_err(|_| Error::Closed)?
    }
}

fn serve(channel: &Channel, shared: &Shared) {
    loop {
        let requests = {
            let mut inbox = lock(&channel.inbox);
            while inbox.requests.is_empty() && !inbox.closed {
                inbox = channel.bell.wait(inbox).unwrap_or_else(PoisonError::into_inner);
            }
            if inbox.requests.is_empty() {
                return;
            }
            std::mem::take(&mut inbox.requests)
        };
        let mut appends: BTreeMap<String, Vec<(Batch, Reply)>> = BTreeMap::new();
        for request in requests {
            match request {
                Request::Append(batch, reply) => {
                    appends.entry(batch.group.clone()).or_default().push((batch, reply));
                }
                Request::Create(name, reply) => {
                    let _ = reply.send(create(shared, &name));
                }
                Request::Delete(name, reply) => {
                    let _ = reply.send(delete(shared, &name));
                }
                Request::DeleteStream { group, stream, now, reply } => {
                    // What was sent before it is stored before it.
                    if let Some(batches) = appends.remove(&group) {
                        append(shared, &group, batches);
                    }
                    let _ = reply.send(delete_stream(shared, &group, &stream, now));
                }
                Request::Trim { group, before, reply } => {
                    let _ = reply.send(trim(shared, &group, before));
                }
            }
        }
        for (group, batches) in appends {
            append(shared, &group, batches);
        }
    }
}

fn create(shared: &Shared, name: &str) -> Result<(), Error> {
    if shared.with_group(name, |_| Ok(())).is_ok() {
        return Ok(());
    }
    let group = segment::create(&shared.dir, name)?;
    shared.groups.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), group);
    Ok(())
}

fn delete(shared: &Shared, name: &str) -> Result<(), Error> {
    let removed = shared.groups.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    match removed {
        Some(group) => segment::remove(&shared.dir, &group.dir),
        None => Ok(()),
    }
}

fn delete_stream(shared: &Shared, name: &str, stream: &str, now: Timestamp) -> Result<(), Error> {
    let (batches, (dir, number, offset)) = shared.with_group(name, |group| {
        let found = group.streams.get(stream);
        let found = found.ok_or_else(|| Error::StreamNotFound(stream.to_owned()))?;
        Ok((found.batches.clone(), place(group)))
    })?;
    let line =
        Line { stream: stream.to_owned(), number: None, stored_at: now, deleted: true, events: Vec::new() };
    let bytes = line.encode();
    write(&dir, number, offset, &bytes)?;
    {
        let mut groups = shared.groups.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = groups.get_mut(name) {
            group.add(&line, number, offset, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            (group.segment, group.length) = (number, offset + bytes.len() as u64);
        }
    }
    segment::punch(&dir, &batches);
    Ok(())
}

/// Removes the segments of a group whose events are all older than `before`.
fn trim(shared: &Shared, name: &str, before: Timestamp) -> Result<(), Error> {
    let found = shared.with_group(name, |group| {
        let first = group.first_kept(before);
        let due = first > group.first_segment;
        Ok(due.then(|| (group.dir.clone(), first, group.base(first))))
    })?;
    let Some((dir, first, base)) = found else { return Ok(()) };
    {
        // Out of the index first, so that nobody begins to read what is about to go.
        let mut groups = shared.groups.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = groups.get_mut(name) {
            group.forget_before(first);
        }
    }
    segment::remove_older(&dir, &base)
}

/// Stores the batches of one group with one flush.
fn append(shared: &Shared, name: &str, batches: Vec<(Batch, Reply)>) {
    let mut lines: Vec<(Line, Vec<u8>)> = Vec::new();
    let placed = shared.with_group(name, |group| {
        for (batch, _) in &batches {
            let again = |number| {
                group.has(&batch.stream, number, &batch.events)
                    || lines.iter().any(|(line, _)| line.number == Some(number) && same(line, batch))
            };
            let made = group.streams.contains_key(&batch.stream);
            if batch.number.is_some_and(again) || (made && batch.events.is_empty()) {
                continue;
            }
            let events = batch.events.iter().map(|event| (event.timestamp, event.message.clone())).collect();
            let line = Line {
                stream: batch.stream.clone(),
                number: batch.number,
                stored_at: batch.now,
                deleted: false,
                events,
            };
            let bytes = line.encode();
            lines.push((line, bytes));
        }
        Ok(place(group))
    });
    let outcome = placed.and_then(|(dir, number, offset)| {
        if lines.is_empty() {
            return Ok(());
        }
        let bytes: Vec<u8> = lines.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
        write(&dir, number, offset, &bytes)?;
        let mut groups = shared.groups.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = groups.get_mut(name) {
            let mut offset = offset;
            for (line, bytes) in &lines {
                group.add(line, number, offset, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
                offset += bytes.len() as u64;
            }
            group.segment = number;
            group.length = offset;
        }
        Ok(())
    });
    for (_, reply) in batches {
        let _ = reply.send(outcome.clone());
    }
}

fn same(line: &Line, batch: &Batch) -> bool {
    line.stream == batch.stream
        && line.events.len() == batch.events.len()
        && line
            .events
            .iter()
            .zip(&batch.events)
            .all(|((time, text), event)| *time == event.timestamp && *text == event.message)
}

/// Returns where the next line of a group goes.
fn place(group: &Group) -> (camino::Utf8PathBuf, u32, u64) {
    if group.length >= segment::SEGMENT_BYTES {
        (group.dir.clone(), group.segment + 1, 0)
    } else {
        (group.dir.clone(), group.segment, group.length)
    }
}

/// Writes at the end that is known to be sound: what a failed write left behind it is written over.
fn write(dir: &camino::Utf8Path, number: u32, offset: u64, bytes: &[u8]) -> Result<(), Error> {
    let path = segment::path(dir, number);
    let write = || {
        let file = File::options().create(true).truncate(false).write(true).open(&path)?;
        file.write_all_at(bytes, offset)?;
        file.set_len(offset + bytes.len() as u64)?;
        file.sync_data()?;
        if offset == 0 { File::open(dir)?.sync_all() } else { Ok(()) }
    };
    write().map_err(|source| file_error(&path, source))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

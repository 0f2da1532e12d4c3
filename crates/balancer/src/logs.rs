//! The logs that load balancers' attributes ask for: gathered line by line, put into their buckets every few minutes.
//!
//! Requests hand their lines to one thread over a bounded queue; what does not fit is dropped and counted. Lines go to
//! a file of the interval within a moment, so that a killed balancer loses none that were written; the next one
//! delivers it.
//! A bucket is a directory of its name below the state directory, its files are named as in S3.

use crate::{
    client::Secured,
    entry::{Entry, connection_line, load_balancer},
    forwarded::random,
    table::Listener,
};
use camino::{Utf8Path, Utf8PathBuf};
use flate2::{Compression, write::GzEncoder};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{self, RecvTimeoutError, SyncSender, TryRecvError, TrySendError},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use time::{OffsetDateTime, macros::format_description};
use tokio::sync::oneshot;
use wharf_model::attributes::LogDelivery;

/// How long lines are gathered before they are written at once.
const GATHER: Duration = Duration::from_millis(50);
/// How long to wait for a line at a time while no log is written.
const IDLE: Duration = Duration::from_millis(500);
/// As much as is written at once.
const BUFFER: usize = 64 << 10;
/// How many lines may wait to be written.
const WAITING_MAX: usize = 16 << 10;

/// What is handed to the thread.
enum Job {
    Request(Box<Entry>),
    Connection {
        listener: Arc<Listener>,
        line: String,
        at: SystemTime,
    },
    /// Delivers everything.
    Finish(oneshot::Sender<()>),
}

/// The logs; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Logs {
    jobs: SyncSender<Job>,
    dropped: Arc<AtomicU64>,
}

/// A kind of log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Access,
    Connection,
}

impl Logs {
    /// Starts the thread. Files of intervals that are not over lie in `gathering`, buckets in `buckets`.
    pub(crate) fn start(gathering: Utf8PathBuf, buckets: Utf8PathBuf, every: Duration) -> Logs {
        let (jobs, waiting) = mpsc::sync_channel(WAITING_MAX);
        let dropped = Arc::<AtomicU64>::default();
        let mut writer = Writer { gathering, buckets, every, open: HashMap::new(), dropped: dropped.clone() };
        let run = move || {
            writer.deliver_what_was_left();
            loop {
                if writer.open.is_empty() {
                    match waiting.recv_timeout(IDLE) {
                        Ok(job) => writer.take(job),
                        Err(RecvTimeoutError::Timeout) => continue,
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
                // Slept away, and not in wait for a line: no request has to wake this thread up.
                std::thread::sleep(GATHER);
                for _ in 0..WAITING_MAX {
                    match waiting.try_recv() {
                        Ok(job) => writer.take(job),
                        Err(TryRecvError::Empty) => break,
                        // The balancer did not end in peace; its successor delivers.
                        Err(TryRecvError::Disconnected) => return writer.write(),
                    }
                }
                writer.write();
                writer.deliver(Some(SystemTime::now()));
            }
        };
        let started = std::thread::Builder::new().name("logs".to_owned()).spawn(run);
        if let Err(error) = started {
            tracing::error!(%error, "logs are not written");
        }
        Logs { jobs, dropped }
    }

    /// Writes of a request, if its load balancer wants it.
    pub(crate) fn request(&self, entry: Entry) {
        self.hand_over(Job::Request(Box::new(entry)));
    }

    /// Writes of a connection, if its load balancer wants it.
    pub(crate) fn connection(
        &self,
        listener: &Arc<Listener>,
        client: SocketAddr,
        id: u64,
        tls: Option<&Secured>,
    ) {
        if listener.settings.connection_logs.enabled {
            let at = SystemTime::now();
            let line = connection_line(at, client, listener.port, tls, &format!("TID_{id:032x}"));
            self.hand_over(Job::Connection { listener: listener.clone(), line, at });
        }
    }

    /// Waits until everything is in its bucket.
    pub(crate) async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        self.hand_over(Job::Finish(done));
        // A thread that is gone has nothing left to deliver.
        let _ = finished.await;
    }

    fn hand_over(&self, job: Job) {
        if let Err(TrySendError::Full(_)) = self.jobs.try_send(job) {
            self.dropped.fetch_add(1, Relaxed);
        }
    }
}

/// The thread's side.
struct Writer {
    gathering: Utf8PathBuf,
    buckets: Utf8PathBuf,
    every: Duration,
    open: HashMap<(Kind, String), Gathered>,
    dropped: Arc<AtomicU64>,
}

/// The file of an interval.
struct Gathered {
    file: BufWriter<File>,
    path: Utf8PathBuf,
    /// When the interval ends, in seconds.
    end: u64,
}

impl Writer {
    fn take(&mut self, job: Job) {
        let (kind, listener, at, line) = match job {
            Job::Request(entry) => (Kind::Access, entry.listener.clone(), entry.done, entry.line()),
            Job::Connection { listener, line, at } => (Kind::Connection, listener, at, line),
            Job::Finish(done) => {
                self.write();
                self.deliver(None);
                // Who waited may be gone.
                let _ = done.send(());
                return;
            }
        };
        let delivery = match kind {
            Kind::Access => &listener.settings.access_logs,
            Kind::Connection => &listener.settings.connection_logs,
        };
        if let Err(error) = self.gather(kind, &listener, delivery, at, &line) {
            tracing::warn!(%error, "a line of a log is lost");
        }
    }

    fn gather(
        &mut self,
        kind: Kind,
        listener: &Listener,
        delivery: &LogDelivery,
        at: SystemTime,
        line: &str,
    ) -> io::Result<()> {
        let key = (kind, listener.arn.to_string());
        let gathered = match self.open.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => {
                let every = self.every.as_secs().max(1);
                let secs = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                let end = (secs / every + 1) * every;
                let path = self.gathering.join(name(kind, listener, delivery, end));
                fs::create_dir_all(path.parent().unwrap_or(&self.gathering))?;
                let file = OpenOptions::new().create(true).append(true).open(&path)?;
                free.insert(Gathered { file: BufWriter::with_capacity(BUFFER, file), path, end })
            }
        };
        gathered.file.write_all(line.as_bytes())
    }

    /// Writes what is gathered.
    fn write(&mut self) {
        for open in self.open.values_mut() {
            if let Err(error) = open.file.flush() {
                tracing::warn!(path = %open.path, %error, "lines of a log are late");
            }
        }
    }

    /// Delivers the intervals that are over; all without a time.
    fn deliver(&mut self, now: Option<SystemTime>) {
        let now = now.map(|now| now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
        let over: Vec<_> = self
            .open
            .iter()
            .filter(|(_, open)| now.is_none_or(|now| open.end <= now))
            .map(|(key, _)| key.clone())
            .collect();
        for key in over {
            if let Some(Gathered { path, .. }) = self.open.remove(&key) {
                self.put(&path);
            }
        }
        match self.dropped.swap(0, Relaxed) {
            0 => {}
            lines => tracing::warn!(lines, "lines of logs were dropped"),
        }
    }

    /// Delivers what an earlier process gathered.
    fn deliver_what_was_left(&self) {
        let mut dirs = vec![self.gathering.clone()];
        while let Some(dir) = dirs.pop() {
            for entry in dir.read_dir_utf8().into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => dirs.push(entry.path().to_owned()),
                    Ok(_) => self.put(entry.path()),
                    Err(_) => {}
                }
            }
        }
    }

    fn put(&self, gathered: &Utf8Path) {
        let place = gathered.strip_prefix(&self.gathering).unwrap_or(gathered);
        let to = self.buckets.join(format!("{place}.gz"));
        let put = || {
            fs::create_dir_all(to.parent().unwrap_or(&self.buckets))?;
            // Whoever lists the bucket sees whole files only.
            let partial = to.with_extension("partial");
            let mut packed = GzEncoder::new(File::create(&partial)?, Compression::default());
            io::copy(&mut File::open(gathered)?, &mut packed)?;
            packed.finish()?.sync_all()?;
            fs::rename(&partial, &to)?;
            fs::remove_file(gathered)
        };
        if let Err(error) = put() {
            tracing::warn!(%to, %error, "a log is not delivered");
        }
    }
}

/// Returns where a log lies: its bucket, and the name that S3 would know it by, without `.gz`.
fn name(kind: Kind, listener: &Listener, delivery: &LogDelivery, end: u64) -> Utf8PathBuf {
    let arn = &listener.arn;
    let time = i64::try_from(end).ok().and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok());
    let time = time.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let day = time.format(&format_description!("[year]/[month]/[day]")).unwrap_or_default();
    let minute = time.format(&format_description!("[year][month][day]T[hour][minute]Z")).unwrap_or_default();
    let mut path = Utf8PathBuf::from(&delivery.bucket);
    path.push(&delivery.prefix);
    path.push(format!("AWSLogs/{}/elasticloadbalancing/{}/{day}", arn.account, arn.region));
    let first = match kind {
        Kind::Access => "",
        Kind::Connection => "conn_log.",
    };
    let balancer = load_balancer(&arn.resource).replace('/', ".");
    let address = listener.address;
    path.push(format!(
        "{first}{}_elasticloadbalancing_{}_{balancer}_{minute}_{address}_{:08x}.log",
        arn.account,
        arn.region,
        random() & 0xffff_ffff
    ));
    path
}

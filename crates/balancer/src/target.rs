//! A target, from its registration until its last request has ended; it outlives the tables that name it.
//!
//! A target that is registered again after it drained is another `Target`. Requests enter it and are counted; once
//! it is leaving none enters. Both sides write first and look then, in one order for all threads (`SeqCst`), so a
//! request either sees that the target is leaving or is seen by whoever waits for the last one.

use crate::{choose::Candidate, health::Health, pool::Pool, sticky::Mark};
use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, Shutdown},
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{
            AtomicBool, AtomicU64, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, sync::Notify, time::sleep};
use wharf_model::{Arn, target_group::TargetAddress};

/// How long a target that refused a connection waits until the others were tried.
const SUSPECT_MS: u64 = 1000;
/// How many answers of a target are remembered.
const RECENT_MAX: u64 = 256;
/// How often kept connections are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A registered target.
#[derive(Debug)]
pub(crate) struct Target {
    /// Unlike that of every other target of this process.
    pub(crate) id: u64,
    /// Its group.
    pub(crate) group: Arn,
    /// Where it is.
    pub(crate) address: TargetAddress,
    /// What stands for it in cookies.
    pub(crate) mark: Mark,
    in_flight: AtomicUsize,
    leaving: AtomicBool,
    drained: AtomicBool,
    serves: AtomicBool,
    suspect_until_ms: AtomicU64,
    /// Since when its checks pass; 0 when they do not.
    serves_since_ms: AtomicU64,
    recent: Recent,
    quiet: Notify,
    health: Mutex<Health>,
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    cut: bool,
    next: u64,
    open: HashMap<u64, OwnedFd>,
    kept: Pool,
}

/// What a target answered lately: older answers count less and less.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    answers: AtomicU64,
    failures: AtomicU64,
}

impl Recent {
    /// Counts an answer; a failure is a 5xx, or none at all.
    pub(crate) fn note(&self, failed: bool) {
        if self.answers.fetch_add(1, Relaxed) >= RECENT_MAX {
            self.answers.store(RECENT_MAX / 2, Relaxed);
            self.failures.store(self.failures.load(Relaxed) / 2, Relaxed);
        }
        if failed {
            self.failures.fetch_add(1, Relaxed);
        }
    }

    /// Returns how many of how many answers were failures.
    pub(crate) fn failures(&self) -> (u64, u64) {
        (self.failures.load(Relaxed), self.answers.load(Relaxed))
    }
}

/// A connection to a target; forgotten by it when dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    target: Arc<Target>,
    number: u64,
    /// Present until it is kept.
    tcp: Option<TcpStream>,
}

impl Target {
    /// Makes a target with what is known of its health.
    pub(crate) fn new(group: Arn, address: TargetAddress, mark: Mark, health: Health) -> Target {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Target {
            id: NEXT.fetch_add(1, SeqCst),
            group,
            address,
            mark,
            in_flight: AtomicUsize::new(0),
            leaving: AtomicBool::new(false),
            drained: AtomicBool::new(false),
            serves: AtomicBool::new(health.serves()),
            suspect_until_ms: AtomicU64::new(0),
            // One that is known to be healthy, after a restart, is not new.
            serves_since_ms: AtomicU64::new(u64::from(health.serves())),
            recent: Recent::default(),
            quiet: Notify::new(),
            health: Mutex::new(health),
            connections: Mutex::default(),
        }
    }

    /// Counts a request in; nothing when the target is leaving.
    pub(crate) fn enter(self: &Arc<Target>) -> Option<InFlight> {
        self.in_flight.fetch_add(1, SeqCst);
        let entered = InFlight(self.clone());
        (!self.leaving.load(SeqCst)).then_some(entered)
    }

    /// Lets no further request in.
    pub(crate) fn leave(&self) {
        self.leaving.store(true, SeqCst);
    }

    /// Returns whether no further request is let in.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(SeqCst)
    }

    /// Waits until no request is in flight; `leave` comes first.
    pub(crate) async fn quiet(&self) {
        while self.in_flight.load(SeqCst) != 0 {
            self.quiet.notified().await;
        }
    }

    /// Returns whether it left and its last request ended.
    pub(crate) fn is_drained(&self) -> bool {
        self.drained.load(SeqCst)
    }

    /// Ends its connections, idle or not, and lets no further one be made.
    pub(crate) fn cut(&self) {
        let mut connections = self.connections();
        connections.cut = true;
        connections.kept = Pool::default();
        for connection in connections.open.values() {
            // One that the target has closed meanwhile is what is wanted, too.
            let _ = socket2::SockRef::from(connection).shutdown(Shutdown::Both);
        }
        drop(connections);
        self.drained.store(true, SeqCst);
    }

    /// Keeps a handle of a new connection to it, and returns its number; nothing when it was cut.
    pub(crate) fn connected(&self, connection: OwnedFd) -> Option<u64> {
        let mut connections = self.connections();
        if connections.cut {
            return None;
        }
        connections.next += 1;
        let number = connections.next;
        connections.open.insert(number, connection);
        Some(number)
    }

    /// Forgets a connection that is being closed.
    pub(crate) fn disconnected(&self, number: u64) {
        self.connections().open.remove(&number);
    }

    /// Returns a connection that was kept and is still there.
    pub(crate) fn reuse(self: &Arc<Target>, source: Option<Ipv4Addr>) -> Option<Connection> {
        loop {
            let (number, tcp) = self.connections().kept.take(source)?;
            let connection = Connection { target: self.clone(), number, tcp: Some(tcp) };
            if connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    /// Closes kept connections that were not used for long; returns whether some are left.
    fn tidy(&self) -> bool {
        let old = self.connections().kept.old();
        for (number, _) in &old {
            self.disconnected(*number);
        }
        self.connections().kept.is_looked_after()
    }

    /// Returns how many requests are in flight.
    pub(crate) fn outstanding(&self) -> usize {
        self.in_flight.load(SeqCst)
    }

    /// Returns whether its checks pass, or it has none.
    pub(crate) fn serves(&self) -> bool {
        self.serves.load(SeqCst)
    }

    /// Returns how much of its share it gets that comes to all of it in so many seconds.
    pub(crate) fn share(&self, slow_start_secs: u32) -> f64 {
        if slow_start_secs == 0 {
            return 1.0;
        }
        let since = self.serves_since_ms.load(SeqCst);
        let age = Duration::from_millis(now_ms().saturating_sub(since)).as_secs_f64();
        // Never nothing: a target that gets no request cannot warm up.
        if since == 0 { 1.0 } else { (age / f64::from(slow_start_secs)).clamp(0.02, 1.0) }
    }

    /// Returns what it answered lately.
    pub(crate) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Remembers that it refused a connection, for the next choices only.
    pub(crate) fn suspect(&self) {
        self.suspect_until_ms.store(now_ms() + SUSPECT_MS, SeqCst);
    }

    /// Returns what the choice looks at.
    pub(crate) fn candidate(&self, tried: bool) -> Candidate {
        let until = self.suspect_until_ms.load(SeqCst);
        Candidate {
            healthy: self.serves.load(SeqCst),
            leaving: self.is_leaving(),
            tried,
            suspect: until != 0 && now_ms() < until,
        }
    }

    /// Returns its health.
    pub(crate) fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts its health; returns whether what the API says of it has changed.
    pub(crate) fn set_health(&self, health: Health) -> bool {
        let mut held = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let served = self.serves.swap(health.serves(), SeqCst);
        if served != health.serves() {
            self.serves_since_ms.store(if served { 0 } else { now_ms() }, SeqCst);
        }
        if matches!(health, Health::Healthy { failed: 0 }) {
            self.suspect_until_ms.store(0, SeqCst);
        }
        let changed = held.report() != health.report();
        *held = health;
        changed
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Takes a new connection; nothing when the target was cut.
    pub(crate) fn new(target: &Arc<Target>, tcp: TcpStream) -> io::Result<Option<Connection>> {
        let handle = tcp.as_fd().try_clone_to_owned()?;
        let number = target.connected(handle);
        Ok(number.map(|number| Connection { target: target.clone(), number, tcp: Some(tcp) }))
    }

    /// Returns the connection itself.
    pub(crate) fn tcp(&mut self) -> io::Result<&mut TcpStream> {
        self.tcp.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Keeps it for other requests from the same address.
    pub(crate) fn keep(mut self, source: Option<Ipv4Addr>) {
        let target = self.target.clone();
        let mut connections = target.connections();
        if connections.cut {
            // Dropping it takes the lock.
            drop(connections);
            return;
        }
        let Some(tcp) = self.tcp.take() else { return };
        if connections.kept.put(source, self.number, tcp) {
            tokio::spawn(look_after(Arc::downgrade(&self.target)));
        }
    }

    /// Returns whether it is open and nothing was said unasked. Costs no system call while it is so.
    fn is_quiet(&self) -> bool {
        let read = self.tcp.as_ref().map(|tcp| tcp.try_read(&mut [0; 1]));
        matches!(read, Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.tcp.is_some() {
            self.target.disconnected(self.number);
        }
    }
}

/// Closes what is kept too long, as long as anything is kept.
async fn look_after(target: Weak<Target>) {
    loop {
        sleep(LOOK).await;
        if !target.upgrade().is_some_and(|target| target.tidy()) {
            return;
        }
    }
}

/// A request on its way to a target; dropped when it has ended.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Target>);

impl InFlight {
    /// Returns the target.
    pub(crate) fn target(&self) -> &Arc<Target> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, SeqCst) == 1 && self.0.is_leaving() {
            self.0.quiet.notify_one();
        }
    }
}

fn now_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    // Never 0, which stands for "not suspect".
    (START.elapsed() + Duration::from_millis(1)).as_millis().try_into().unwrap_or(u64::MAX / 2)
}

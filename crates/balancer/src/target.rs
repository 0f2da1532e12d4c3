//! A target, from its registration until its last request has ended; it outlives the tables that name it.
//!
//! A target that is registered again after it drained is another `Target`. Requests enter it and are counted; once
//! it is leaving none enters. Both sides write first and look then, in one order for all threads (`SeqCst`), so a
//! request either sees that the target is leaving or is seen by whoever waits for the last one.

use crate::{choose::Candidate, health::Health};
use std::{
    collections::HashMap,
    net::Shutdown,
    os::fd::OwnedFd,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use wharf_model::{Arn, target_group::TargetAddress};

/// How long a target that refused a connection waits until the others were tried.
const SUSPECT_MS: u64 = 1000;

/// A registered target.
#[derive(Debug)]
pub(crate) struct Target {
    /// Unlike that of every other target of this process.
    pub(crate) id: u64,
    /// Its group.
    pub(crate) group: Arn,
    /// Where it is.
    pub(crate) address: TargetAddress,
    in_flight: AtomicUsize,
    leaving: AtomicBool,
    drained: AtomicBool,
    serves: AtomicBool,
    suspect_until_ms: AtomicU64,
    quiet: Notify,
    health: Mutex<Health>,
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    cut: bool,
    next: u64,
    open: HashMap<u64, OwnedFd>,
}

impl Target {
    /// Makes a target with what is known of its health.
    pub(crate) fn new(group: Arn, address: TargetAddress, health: Health) -> Target {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Target {
            id: NEXT.fetch_add(1, SeqCst),
            group,
            address,
            in_flight: AtomicUsize::new(0),
            leaving: AtomicBool::new(false),
            drained: AtomicBool::new(false),
            serves: AtomicBool::new(health.serves()),
            suspect_until_ms: AtomicU64::new(0),
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
        self.serves.store(health.serves(), SeqCst);
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

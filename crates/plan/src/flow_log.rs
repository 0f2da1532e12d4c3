//! Flow logs: from what the kernel counts to the lines of a log.
//!
//! The kernel's counters are read every few seconds and only grow; what they grew by since the reading before is summed
//! up for each interface and log until the log's interval is over. Then each flow is a line. What was tried and has not
//! passed was refused.
//!
//! An interface that has had no traffic yet has no lines; later, an interval without traffic has one that says so, and
//! so has one of which something is not known.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};
use wharf_model::{
    EniId, FlowLogId, Timestamp,
    logs::LogEvent,
    network::{FlowLog, TrafficType},
};

mod growth;
mod line;
#[cfg(test)]
mod tests;

use growth::{Growth, Part};
pub use line::{Action, Record, Status, line};

/// Packets that have these in common, in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Who sends.
    pub from: Ipv4Addr,
    /// Who is sent to.
    pub to: Ipv4Addr,
    /// The protocol's number.
    pub protocol: u8,
    /// The sender's port; zero where the protocol has none.
    pub from_port: u16,
    /// The receiver's port.
    pub to_port: u16,
}

/// Whose rules decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The sender's.
    Sender,
    /// The receiver's.
    Receiver,
}

/// Where packets are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// Where a packet is there, let through: all that is received, and what is sent of known connections.
    Kept,
    /// Before the rules judge a packet of no known connection.
    Tried,
    /// After they let it through.
    Passed,
}

/// What a counter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// Whose it is.
    pub side: Side,
    /// Where it counts.
    pub point: Point,
    /// What it counts.
    pub flow: Flow,
    /// Packets so far.
    pub packets: u64,
    /// Bytes so far.
    pub bytes: u64,
    /// When the last of them came.
    pub last: Timestamp,
}

/// All counters, read at one time; those of what was tried before those of what has passed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// The flows'.
    pub counters: Vec<Counter>,
    /// By address, packets so far of flows that found no counter.
    pub lost: Vec<(Ipv4Addr, u64)>,
}

/// An interface and a log that is about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The log.
    pub log: FlowLog,
    /// The interface.
    pub interface: EniId,
    /// Its address.
    pub ip: Ipv4Addr,
}

/// Lines for a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The log.
    pub log: FlowLogId,
    /// The interface.
    pub interface: EniId,
    /// The log group.
    pub group: String,
    /// The stream.
    pub stream: String,
    /// The lines, oldest first.
    pub events: Vec<LogEvent>,
}

/// What is summed up so far.
#[derive(Debug)]
pub struct Ledger {
    account: String,
    growth: Growth,
    windows: BTreeMap<(FlowLogId, EniId), Window>,
    sampled_at: Timestamp,
    /// Whether what comes first is incomplete.
    skipped: bool,
}

/// The interval of a log and an interface that is under way.
#[derive(Debug)]
struct Window {
    watched: Watched,
    started: Timestamp,
    ends: Timestamp,
    flows: BTreeMap<(Flow, Action), Sums>,
    /// Whether there ever was traffic.
    heard: bool,
    lost: bool,
}

/// What a record sums up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sums {
    packets: u64,
    bytes: u64,
    first: Timestamp,
    last: Timestamp,
}

impl Ledger {
    /// Returns a ledger for counters that begin at zero at a time and go `life` after their last packet. With `skipped`,
    /// somebody counted before and what that was is lost.
    pub fn new(account: &str, life: Duration, since: Timestamp, skipped: bool) -> Ledger {
        Ledger {
            account: account.to_owned(),
            growth: Growth::new(life),
            windows: BTreeMap::new(),
            sampled_at: since,
            skipped,
        }
    }

    /// Takes a reading, and returns the lines of the intervals that are over. `watched` is all that is to be logged from
    /// now on; what is not any more has its last lines.
    pub fn take(&mut self, watched: Vec<Watched>, sample: &Sample, now: Timestamp) -> Vec<Batch> {
        let before = std::mem::replace(&mut self.sampled_at, now);
        let mut watched: BTreeMap<_, _> =
            watched.into_iter().map(|one| ((one.log.id.clone(), one.interface.clone()), one)).collect();
        for (key, one) in &watched {
            if !self.windows.contains_key(key) {
                let window = Window { lost: self.skipped, ..Window::begin(one.clone(), before) };
                self.windows.insert(key.clone(), window);
            }
        }
        self.skipped = false;
        // Counters may have gone that were never read.
        let late = now.since(before) > self.growth.life();
        let grown = self.growth.take(sample, before, now);
        for part in &grown.parts {
            self.windows.values_mut().for_each(|window| window.add(part));
        }
        for window in self.windows.values_mut() {
            window.lost |= late || grown.lost.contains(&window.watched.ip);
        }
        let mut batches = Vec::new();
        let over: Vec<_> = self
            .windows
            .iter()
            .filter(|(key, window)| window.ends <= now || !watched.contains_key(*key))
            .map(|(key, _)| key.clone())
            .collect();
        for key in over {
            let Some(window) = self.windows.remove(&key) else { continue };
            let next = watched.remove(&key);
            batches.extend(window.lines(&self.account, now, next.is_some()));
            if let Some(next) = next {
                let heard = window.heard || !window.flows.is_empty();
                self.windows.insert(key, Window { heard, ..Window::begin(next, now) });
            }
        }
        batches
    }

    /// Notes that lines of an interface are lost.
    pub fn skip(&mut self, log: &FlowLogId, interface: &EniId) {
        if let Some(window) = self.windows.get_mut(&(log.clone(), interface.clone())) {
            window.lost = true;
        }
    }
}

impl Window {
    /// Intervals end at multiples of themselves, so those of all interfaces end together.
    fn begin(watched: Watched, started: Timestamp) -> Window {
        let interval = i64::from(watched.log.interval_secs.max(1)) * 1000;
        let ends = Timestamp((started.0.div_euclid(interval) + 1) * interval);
        Window { watched, started, ends, flows: BTreeMap::new(), heard: false, lost: false }
    }

    fn add(&mut self, part: &Part) {
        if part.local() != self.watched.ip {
            return;
        }
        self.heard = true;
        let wanted = match self.watched.log.traffic {
            TrafficType::All => true,
            TrafficType::Accept => part.action == Action::Accept,
            TrafficType::Reject => part.action == Action::Reject,
        };
        if !wanted {
            return;
        }
        let Sums { packets, bytes, first, last } = part.sums;
        let sums = self.flows.entry((part.flow, part.action)).or_insert(Sums {
            packets: 0,
            bytes: 0,
            first: first.max(self.started),
            last,
        });
        sums.packets += packets;
        sums.bytes += bytes;
        sums.last = sums.last.max(last);
    }

    fn lines(&self, account: &str, now: Timestamp, goes_on: bool) -> Option<Batch> {
        let Watched { log, interface, .. } = &self.watched;
        let status = |status| Record { status, start: self.started, end: now };
        let mut records: Vec<Record> = self
            .flows
            .iter()
            .map(|((flow, action), sums)| Record {
                status: Status::Ok { flow: *flow, action: *action, packets: sums.packets, bytes: sums.bytes },
                start: sums.first,
                end: sums.last.max(sums.first),
            })
            .collect();
        if self.lost {
            records.push(status(Status::SkipData));
        } else if records.is_empty() && self.heard && goes_on {
            records.push(status(Status::NoData));
        }
        records.sort_by_key(|record| record.start);
        let event = |record: &Record| LogEvent {
            timestamp: record.start,
            message: line(&log.format, account, interface, record),
        };
        (!records.is_empty()).then(|| Batch {
            log: log.id.clone(),
            interface: interface.clone(),
            group: log.group.clone(),
            stream: log.stream(interface),
            events: records.iter().map(event).collect(),
        })
    }
}

/// Returns the pairs of a log and an interface of a subnet and VPC that the log is about.
pub fn watched<'a>(
    logs: &'a [FlowLog],
    interfaces: impl Iterator<Item = Interface> + 'a,
) -> impl Iterator<Item = Watched> + 'a {
    interfaces.flat_map(move |Interface { id, subnet, vpc, ip }| {
        let about = logs.iter().filter(|log| log.covers(&id, &subnet, &vpc));
        about.map(|log| Watched { log: log.clone(), interface: id.clone(), ip }).collect::<Vec<_>>()
    })
}

/// An interface of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its id.
    pub id: EniId,
    /// Its subnet.
    pub subnet: wharf_model::SubnetId,
    /// Its VPC.
    pub vpc: wharf_model::VpcId,
    /// Its address.
    pub ip: Ipv4Addr,
}

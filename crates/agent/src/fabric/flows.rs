//! Flow logs: which addresses are counted, and the lines on their way to the log groups.
//!
//! Nothing is counted while there is no flow log. Lines wait in memory; those that an agent's end takes with it, and
//! those that are too many, are told of in the log (`SKIPDATA`).

use super::{Fabric, State};
use crate::{
    clock,
    error::chain,
    outbox::{LogTarget, Outbox},
};
use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;
use wharf_model::Timestamp;
use wharf_nodelink::agent::{InterfaceAssignment, NodeSettings};
use wharf_plan::flow_log::{
    self, Batch, Counter, Flow, Interface, Ledger, Point, Sample, Side, Watched, watched,
};
use wharf_sandbox::firewall::{
    FirewallError,
    meter::{self, Counted, Reading},
};

/// How often the counters are read: often enough that none has gone unread.
const PERIOD: Duration = Duration::from_secs(10);
/// How many lines may wait for control.
const WAITING_MAX: usize = 200_000;
/// How many lines are sent at once.
const BATCH_LINES: usize = 4_000;

/// Whether addresses are counted.
#[derive(Debug)]
pub(super) enum Counting {
    /// An agent before this one may have counted.
    Unknown,
    No,
    Yes(Run),
}

/// A time without interruption in which addresses are counted.
#[derive(Debug, Clone)]
pub(super) struct Run {
    addresses: BTreeSet<Ipv4Addr>,
    since: Timestamp,
    /// Whether somebody counted before, and what that was is lost.
    skipped: bool,
}

impl State {
    /// Counts the addresses that flow logs are about, and no other. What goes wrong costs records, and nothing else.
    pub(super) fn count_flows(&mut self) {
        if matches!(self.counting, Counting::No) && self.settings.flow_logs.is_empty() {
            return;
        }
        if let Err(error) = self.try_count_flows() {
            tracing::error!(error = chain(&error), "flows not counted");
        }
    }

    fn try_count_flows(&mut self) -> Result<(), FirewallError> {
        if self.settings.flow_logs.is_empty() {
            if self.meter.is_there()? {
                self.meter.tear_down()?;
            }
            self.counting = Counting::No;
            return Ok(());
        }
        let wanted: BTreeSet<Ipv4Addr> = self.watched().iter().map(|watched| watched.ip).collect();
        match &mut self.counting {
            Counting::Yes(run) => {
                for ip in wanted.difference(&run.addresses) {
                    self.meter.add(*ip)?;
                }
                for ip in run.addresses.difference(&wanted) {
                    self.meter.remove(*ip)?;
                }
                run.addresses = wanted;
                Ok(())
            }
            Counting::Unknown | Counting::No => {
                let skipped = self.meter.is_there()?;
                self.begin_counting(wanted, skipped)
            }
        }
    }

    fn begin_counting(&mut self, addresses: BTreeSet<Ipv4Addr>, skipped: bool) -> Result<(), FirewallError> {
        self.meter.start(&addresses.iter().copied().collect::<Vec<_>>())?;
        self.counting = Counting::Yes(Run { addresses, since: clock::now(), skipped });
        Ok(())
    }

    /// Counts again from zero when somebody flushed the counters.
    pub(super) fn keep_counting(&mut self) -> Result<(), FirewallError> {
        match &self.counting {
            Counting::Yes(run) if !self.meter.is_there()? => {
                tracing::warn!("somebody flushed the flow table, it is made anew");
                let addresses = run.addresses.clone();
                self.begin_counting(addresses, true)
            }
            Counting::Unknown | Counting::No | Counting::Yes(_) => Ok(()),
        }
    }

    /// Returns every pair of a flow log and an interface of this node.
    fn watched(&self) -> Vec<Watched> {
        let balancers = self.settings.balancers.iter().filter_map(|balancer| {
            let (id, subnet) = balancer.interface.clone()?;
            Some(Interface { id, subnet, vpc: balancer.vpc.clone(), ip: balancer.ip })
        });
        let interfaces = self.interfaces.values().cloned().chain(balancers);
        watched(&self.settings.flow_logs, interfaces).collect()
    }
}

/// Returns a task's interface; nothing when its subnet is not known any more.
pub(super) fn interface(assigned: &InterfaceAssignment, settings: &NodeSettings) -> Option<Interface> {
    let own = settings
        .subnets
        .iter()
        .find(|subnet| subnet.vpc.as_str() == assigned.vpc_id && subnet.cidr == assigned.subnet_cidr)?;
    Some(Interface {
        id: assigned.id.clone(),
        subnet: own.subnet.clone(),
        vpc: own.vpc.clone(),
        ip: assigned.private_ip,
    })
}

/// Lines on their way.
#[derive(Debug, Clone)]
struct Waiting {
    sender: mpsc::UnboundedSender<Batch>,
    lines: Arc<AtomicUsize>,
}

impl Fabric {
    /// Writes flow logs, for ever.
    pub(crate) async fn keep_flow_logs(self: Arc<Fabric>, outbox: Arc<Outbox>) {
        let (sender, batches) = mpsc::unbounded_channel();
        let waiting = Waiting { sender, lines: Arc::default() };
        tokio::spawn(deliver(batches, waiting.lines.clone(), outbox));
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut current: Option<(Timestamp, Ledger)> = None;
        loop {
            ticks.tick().await;
            match tokio::task::block_in_place(|| self.read_flows()) {
                Ok(Some(seen)) => {
                    let Seen { run, account, watched, sample, now } = seen;
                    // Another run's counters begin at zero.
                    if let Some((_, mut ended)) = current.take_if(|(since, _)| *since != run.since) {
                        waiting.add(ended.take(Vec::new(), &Sample::default(), now), &mut ended);
                    }
                    let (_, ledger) = current.get_or_insert_with(|| {
                        (run.since, Ledger::new(&account, meter::LIFE, run.since, run.skipped))
                    });
                    let batches = ledger.take(watched, &sample, now);
                    waiting.add(batches, ledger);
                }
                Ok(None) => current = None,
                Err(error) => tracing::error!(error = chain(&error), "flows not read"),
            }
        }
    }

    /// Returns what is counted and for whom. The reading comes first: of an interface that came after it, the next one
    /// tells.
    fn read_flows(&self) -> Result<Option<Seen>, FirewallError> {
        let meter = {
            let state = self.lock();
            match state.counting {
                Counting::Yes(_) => state.meter.clone(),
                Counting::Unknown | Counting::No => return Ok(None),
            }
        };
        let reading = meter.read()?;
        let now = clock::now();
        let state = self.lock();
        let Counting::Yes(run) = &state.counting else { return Ok(None) };
        Ok(Some(Seen {
            run: run.clone(),
            account: state.settings.account.clone(),
            watched: state.watched(),
            sample: sample(&reading, now),
            now,
        }))
    }
}

/// A reading with what it is for.
#[derive(Debug)]
struct Seen {
    run: Run,
    account: String,
    watched: Vec<Watched>,
    sample: Sample,
    now: Timestamp,
}

fn sample(reading: &Reading, now: Timestamp) -> Sample {
    let counter = |counted: &Counted| {
        let (side, point) = match counted.point {
            meter::Point::SentKept => (Side::Sender, Point::Kept),
            meter::Point::SentTried => (Side::Sender, Point::Tried),
            meter::Point::SentPassed => (Side::Sender, Point::Passed),
            meter::Point::ReceivedKept => (Side::Receiver, Point::Kept),
            meter::Point::ReceivedTried => (Side::Receiver, Point::Tried),
            meter::Point::ReceivedPassed => (Side::Receiver, Point::Passed),
        };
        let Counted { from, to, protocol, from_port, to_port, .. } = *counted;
        Counter {
            side,
            point,
            flow: Flow { from, to, protocol, from_port, to_port },
            packets: counted.packets,
            bytes: counted.bytes,
            last: now - counted.idle,
        }
    };
    Sample { counters: reading.counted.iter().map(counter).collect(), lost: reading.lost.clone() }
}

impl Waiting {
    /// Adds lines, unless too many wait.
    fn add(&self, batches: Vec<flow_log::Batch>, ledger: &mut Ledger) {
        for batch in batches {
            if self.lines.load(Ordering::Relaxed) >= WAITING_MAX {
                tracing::warn!(stream = batch.stream, "flow log lines dropped: too many wait for control");
                ledger.skip(&batch.log, &batch.interface);
                continue;
            }
            self.lines.fetch_add(batch.events.len(), Ordering::Relaxed);
            // The receiver lives as long as the agent.
            let _ended = self.sender.send(batch);
        }
    }
}

async fn deliver(
    mut batches: mpsc::UnboundedReceiver<Batch>,
    waiting: Arc<AtomicUsize>,
    outbox: Arc<Outbox>,
) {
    while let Some(batch) = batches.recv().await {
        let target = LogTarget { group: batch.group, stream: batch.stream, create_group: true };
        for lines in batch.events.chunks(BATCH_LINES) {
            // Control answers, now or after a reconnect.
            let _ended = outbox.send_logs(&target, lines.to_vec()).await;
            waiting.fetch_sub(lines.len(), Ordering::Relaxed);
        }
    }
}

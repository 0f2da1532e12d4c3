//! What counters grew by between two readings.

use super::{Action, Counter, Flow, Point, Sample, Side, Sums};
use std::{
    collections::{HashMap, HashSet},
    net::Ipv4Addr,
    time::Duration,
};
use wharf_model::Timestamp;

/// What the last readings said.
#[derive(Debug)]
pub(super) struct Growth {
    life: Duration,
    known: HashMap<(Side, Point, Flow), Known>,
    judged: HashMap<(Side, Flow), Judged>,
    lost: HashMap<Ipv4Addr, u64>,
}

/// What a counter said last.
#[derive(Debug)]
struct Known {
    counter: Counter,
    /// Whether the last reading had it.
    there: bool,
}

/// Packets and bytes since a flow began.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    packets: u64,
    bytes: u64,
}

impl Count {
    fn minus(self, other: Count) -> Count {
        Count {
            packets: self.packets.saturating_sub(other.packets),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    fn plus(self, other: Count) -> Count {
        Count { packets: self.packets + other.packets, bytes: self.bytes + other.bytes }
    }
}

/// What became of a flow's packets that rules had to judge.
#[derive(Debug)]
struct Judged {
    tried: Count,
    passed: Count,
    /// What of the difference was told.
    refused: Count,
    last: Timestamp,
}

/// What a flow grew by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) side: Side,
    pub(super) flow: Flow,
    pub(super) action: Action,
    pub(super) sums: Sums,
}

impl Part {
    /// Returns whose traffic it is.
    pub(super) fn local(&self) -> Ipv4Addr {
        match self.side {
            Side::Sender => self.flow.from,
            Side::Receiver => self.flow.to,
        }
    }
}

/// What all of them grew by.
#[derive(Debug)]
pub(super) struct Grown {
    pub(super) parts: Vec<Part>,
    /// Addresses of which something was lost.
    pub(super) lost: HashSet<Ipv4Addr>,
}

impl Growth {
    pub(super) fn new(life: Duration) -> Growth {
        Growth { life, known: HashMap::new(), judged: HashMap::new(), lost: HashMap::new() }
    }

    /// Returns how long a counter stays after its last packet.
    pub(super) fn life(&self) -> Duration {
        self.life
    }

    pub(super) fn take(&mut self, sample: &Sample, before: Timestamp, now: Timestamp) -> Grown {
        let gone = |last: Timestamp| last + self.life < now;
        // A reading may miss a counter that is there. One that it misses after its time is gone.
        self.known.retain(|_, known| std::mem::take(&mut known.there) || !gone(known.counter.last));
        self.judged.retain(|_, judged| !gone(judged.last));
        let mut parts = Vec::new();
        let mut part = |side, flow, action, count: Count, last: Timestamp| {
            if count.packets > 0 {
                // When the first one came is known only of a single packet.
                let first = if count.packets == 1 { last } else { before.min(last) };
                let sums = Sums { packets: count.packets, bytes: count.bytes, first, last };
                parts.push(Part { side, flow, action, sums });
            }
        };
        for counter in &sample.counters {
            let count = self.grown(counter);
            let Counter { side, point, flow, last, .. } = *counter;
            if point == Point::Kept || (point, side) == (Point::Passed, Side::Sender) {
                part(side, flow, Action::Accept, count, last);
            }
            if point != Point::Kept {
                let judged = self.judged.entry((side, flow)).or_insert(Judged {
                    tried: Count::default(),
                    passed: Count::default(),
                    refused: Count::default(),
                    last,
                });
                match point {
                    Point::Tried => judged.tried = judged.tried.plus(count),
                    Point::Passed | Point::Kept => judged.passed = judged.passed.plus(count),
                }
                judged.last = judged.last.max(last);
            }
        }
        for ((side, flow), judged) in &mut self.judged {
            let refused = judged.tried.minus(judged.passed);
            part(*side, *flow, Action::Reject, refused.minus(judged.refused), judged.last);
            judged.refused.packets = judged.refused.packets.max(refused.packets);
            judged.refused.bytes = judged.refused.bytes.max(refused.bytes);
        }
        let lost = self.losses(sample);
        Grown { parts, lost }
    }

    /// Returns what a counter grew by. One that is gone may be there again and begin at zero.
    fn grown(&mut self, counter: &Counter) -> Count {
        let now = Count { packets: counter.packets, bytes: counter.bytes };
        let key = (counter.side, counter.point, counter.flow);
        let Some(known) = self.known.insert(key, Known { counter: *counter, there: true }) else {
            return now;
        };
        let known = known.counter;
        // The kernel's clock and this one may differ by a little.
        let later = counter.last > known.last + Duration::from_secs(1);
        let again = counter.packets < known.packets || (counter.packets == known.packets && later);
        if again { now } else { now.minus(Count { packets: known.packets, bytes: known.bytes }) }
    }

    fn losses(&mut self, sample: &Sample) -> HashSet<Ipv4Addr> {
        let now: HashMap<Ipv4Addr, u64> = sample.lost.iter().copied().collect();
        let before = std::mem::replace(&mut self.lost, now);
        let grown = |(ip, packets): &&(Ipv4Addr, u64)| before.get(ip) != Some(packets);
        sample.lost.iter().filter(grown).map(|(ip, _)| *ip).collect()
    }
}

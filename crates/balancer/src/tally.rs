//! What is counted of requests and connections: per load balancer and per target group, for as long as they are served.

use crate::group::Group;
use std::{
    array,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use wharf_model::{
    Arn,
    measures::{LoadBalancerMeasures, RESPONSE_TIME_BOUNDS_MS, ResponseTimes, TargetGroupMeasures},
};

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Came<'a> {
    /// The group of the target that was chosen last.
    pub(crate) group: Option<&'a Group>,
    /// The status that the client got.
    pub(crate) status: u16,
    /// The status that the target gave, and how long it took to.
    pub(crate) answered: Option<(u16, Duration)>,
    /// The bytes from and to the client.
    pub(crate) bytes: [u64; 2],
}

/// The counts of a load balancer.
#[derive(Debug, Default)]
pub(crate) struct BalancerTally {
    requests: AtomicU64,
    statuses: Statuses,
    connections: AtomicU64,
    connections_over: AtomicU64,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
}

/// The counts of a target group.
#[derive(Debug, Default)]
pub(crate) struct GroupTally {
    requests: AtomicU64,
    statuses: Statuses,
    connection_errors: AtomicU64,
    times: [AtomicU64; RESPONSE_TIME_BOUNDS_MS.len() + 1],
    times_sum_us: AtomicU64,
}

/// A connection that is counted as open until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(Arc<BalancerTally>);

impl BalancerTally {
    /// Counts a request that came to a rule.
    pub(crate) fn count(&self, came: &Came<'_>) {
        let Came { group, status, answered, bytes: [received, sent] } = came;
        self.requests.fetch_add(1, Relaxed);
        self.received_bytes.fetch_add(*received, Relaxed);
        self.sent_bytes.fetch_add(*sent, Relaxed);
        if let Some(group) = group {
            group.tally.requests.fetch_add(1, Relaxed);
        }
        match (group, answered) {
            (Some(group), Some((status, time))) => group.tally.answered(*status, *time),
            _ => self.statuses.note(*status),
        }
    }

    /// Counts the answer to what is no request.
    pub(crate) fn refused(&self, status: u16) {
        self.statuses.note(status);
    }

    /// Counts a connection.
    pub(crate) fn opened(self: &Arc<BalancerTally>) -> Open {
        self.connections.fetch_add(1, Relaxed);
        Open(self.clone())
    }

    /// Returns what was counted.
    pub(crate) fn measures(&self, arn: &Arn) -> LoadBalancerMeasures {
        // Those that are over first: each was counted before.
        let over = self.connections_over.load(Relaxed);
        let connections = self.connections.load(Relaxed);
        LoadBalancerMeasures {
            arn: arn.clone(),
            requests: self.requests.load(Relaxed),
            statuses: self.statuses.counts(),
            connections,
            connections_active: connections.saturating_sub(over),
            received_bytes: self.received_bytes.load(Relaxed),
            sent_bytes: self.sent_bytes.load(Relaxed),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections_over.fetch_add(1, Relaxed);
    }
}

impl GroupTally {
    /// Counts a connection that could not be made.
    pub(crate) fn unreached(&self) {
        self.connection_errors.fetch_add(1, Relaxed);
    }

    fn answered(&self, status: u16, time: Duration) {
        self.statuses.note(status);
        let place =
            RESPONSE_TIME_BOUNDS_MS.partition_point(|bound| Duration::from_millis(u64::from(*bound)) < time);
        self.times[place].fetch_add(1, Relaxed);
        self.times_sum_us.fetch_add(time.as_micros().try_into().unwrap_or(u64::MAX), Relaxed);
    }

    /// Returns what was counted, with how many targets are healthy and unhealthy.
    pub(crate) fn measures(
        &self,
        arn: &Arn,
        load_balancer: Option<&Arn>,
        [healthy, unhealthy]: [u64; 2],
    ) -> TargetGroupMeasures {
        TargetGroupMeasures {
            arn: arn.clone(),
            load_balancer: load_balancer.cloned(),
            requests: self.requests.load(Relaxed),
            statuses: self.statuses.counts(),
            connection_errors: self.connection_errors.load(Relaxed),
            response_times: ResponseTimes {
                counts: self.times.iter().map(|count| count.load(Relaxed)).collect(),
                sum_us: self.times_sum_us.load(Relaxed),
            },
            healthy,
            unhealthy,
        }
    }
}

/// The first status, and how many there are.
const STATUS_MIN: u16 = 100;
const STATUSES: usize = 500;

/// How often each status was given.
#[derive(Debug)]
struct Statuses(Box<[AtomicU64; STATUSES]>);

impl Default for Statuses {
    fn default() -> Statuses {
        Statuses(Box::new(array::from_fn(|_| AtomicU64::new(0))))
    }
}

impl Statuses {
    fn note(&self, status: u16) {
        let place = status.checked_sub(STATUS_MIN).and_then(|place| self.0.get(usize::from(place)));
        if let Some(count) = place {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Returns those that were given.
    fn counts(&self) -> Vec<(u16, u64)> {
        let counts = (STATUS_MIN..).zip(self.0.iter().map(|count| count.load(Relaxed)));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests;

//! How a container is, by what its checks say.
//!
//! The first check is made at once, and others follow in growing steps, so that a container that is well is known to be
//! long before its first interval is over. These early ones can only do good: a failure counts from the first interval
//! on, and after the start period, as it does where the first check waits for the interval.

use super::Probe;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use wharf_model::{Timestamp, task::HealthStatus};

/// The wait between the first two checks; each next one is as long as the container has run.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// How often a container is checked and what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// From one check to the next.
    pub interval: Duration,
    /// How long a check may take.
    pub timeout: Duration,
    /// How many failures in a row make the container unhealthy.
    pub retries: u32,
    /// How long after its start failures do not count.
    pub start_period: Duration,
}

impl Rules {
    /// Returns rules in seconds, with ECS's defaults for what is not given.
    pub fn new(
        interval: Option<u32>,
        timeout: Option<u32>,
        retries: Option<u32>,
        start_period: Option<u32>,
    ) -> Rules {
        let seconds = |given: Option<u32>, default| Duration::from_secs(u64::from(given.unwrap_or(default)));
        Rules {
            interval: seconds(interval, 30),
            timeout: seconds(timeout, 5),
            retries: retries.unwrap_or(3),
            start_period: seconds(start_period, 0),
        }
    }

    /// Returns how long to wait before the next check of a container that has run so long.
    pub fn wait(&self, status: HealthStatus, ran: Duration) -> Duration {
        if status == HealthStatus::Unknown && ran < self.first_that_counts() {
            ran.max(FIRST_WAIT).min(self.interval)
        } else {
            self.interval
        }
    }

    fn first_that_counts(&self) -> Duration {
        self.interval.max(self.start_period)
    }
}

/// How a checked container is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// How it is checked.
    pub rules: Rules,
    /// What is known.
    pub status: HealthStatus,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Failures in a row that count.
    pub failures: u32,
    /// The exit code of the last check.
    pub exit_code: Option<i32>,
    /// What the last check wrote.
    pub output: String,
}

impl Health {
    /// Returns the health of a container that was not checked yet.
    pub fn unknown(rules: Rules) -> Health {
        let (since, exit_code) = (None, None);
        Health { rules, status: HealthStatus::Unknown, since, failures: 0, exit_code, output: String::new() }
    }

    /// Takes what came of a check; says whether that changed the status.
    pub(super) fn take(&mut self, probe: Probe, ran: Duration, at: Timestamp) -> bool {
        let passed = probe.exit_code == 0;
        (self.exit_code, self.output) = (Some(probe.exit_code), probe.output);
        if passed {
            self.failures = 0;
        } else if self.status != HealthStatus::Unknown || ran >= self.rules.first_that_counts() {
            self.failures += 1;
        }
        let status = match passed {
            true => HealthStatus::Healthy,
            false if self.failures >= self.rules.retries.max(1) => HealthStatus::Unhealthy,
            false => self.status,
        };
        let changed = status != self.status;
        if changed {
            (self.status, self.since) = (status, Some(at));
        }
        changed
    }
}

//! A target's health, from one check to the next.
//!
//! ```text
//!            one passed                 unhealthy_threshold failed
//! initial ─────────────► healthy ◄─────────────────────────────────► unhealthy
//!    └──── unhealthy_threshold failed ──►   healthy_threshold passed
//! ```
//!
//! A new target is asked often, so that a deployment takes seconds. Its failures count only at the pace of
//! the interval, so that an application that starts slowly is not called unhealthy sooner than AWS would.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use wharf_model::target_group::{HealthCheck, TargetHealth, TargetState};

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A status that passes.
    Passed,
    /// Another status.
    Mismatch(u16),
    /// No answer in time.
    TimedOut,
    /// No connection, or no HTTP.
    Failed,
}

/// What is known of a target's health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Health {
    /// Never checked.
    Registering,
    /// Checked without success, fewer times than makes it unhealthy.
    Checking { failed: u32 },
    /// Passing, but for the last few.
    Healthy { failed: u32 },
    /// Failing, but for the last few.
    Unhealthy { passed: u32, reason: String, description: String },
    /// Its group is not checked.
    Unchecked,
}

impl Health {
    /// Returns the health after a check. A check that does not `count` can only make the target healthy.
    pub(crate) fn after(self, outcome: &Outcome, counts: bool, check: &HealthCheck) -> Health {
        let passed = *outcome == Outcome::Passed;
        match self {
            Health::Registering | Health::Checking { .. } | Health::Unchecked if passed => {
                Health::Healthy { failed: 0 }
            }
            Health::Healthy { .. } if passed => Health::Healthy { failed: 0 },
            Health::Unhealthy { passed: before, reason, description } if passed => {
                match before.saturating_add(1) {
                    passed if passed >= check.healthy_threshold => Health::Healthy { failed: 0 },
                    passed => Health::Unhealthy { passed, reason, description },
                }
            }
            Health::Unhealthy { .. } => unhealthy(outcome),
            Health::Healthy { failed } => match failed.saturating_add(1) {
                failed if failed >= check.unhealthy_threshold => unhealthy(outcome),
                failed => Health::Healthy { failed },
            },
            Health::Registering | Health::Unchecked => {
                Health::Checking { failed: 0 }.failing(outcome, counts, check)
            }
            Health::Checking { .. } => self.failing(outcome, counts, check),
        }
    }

    fn failing(self, outcome: &Outcome, counts: bool, check: &HealthCheck) -> Health {
        let before = if let Health::Checking { failed } = self { failed } else { 0 };
        match before.saturating_add(u32::from(counts)) {
            failed if failed >= check.unhealthy_threshold => unhealthy(outcome),
            failed => Health::Checking { failed },
        }
    }

    /// Returns whether the target is one of those that get requests.
    pub(crate) fn serves(&self) -> bool {
        matches!(self, Health::Healthy { .. } | Health::Unchecked)
    }

    /// Returns how long to wait before the next check; `asked` checks were made since the target came.
    pub(crate) fn pause(&self, check: &HealthCheck, asked: u32) -> Duration {
        let interval = Duration::from_secs(check.interval_secs.max(1).into());
        match self {
            Health::Registering => Duration::ZERO,
            Health::Checking { .. } => {
                let eager = Duration::from_millis(50 << asked.min(5));
                eager.min(Duration::from_secs(1)).min(interval)
            }
            Health::Healthy { .. } | Health::Unhealthy { .. } | Health::Unchecked => interval,
        }
    }

    /// Returns what the API says of it.
    pub(crate) fn report(&self) -> TargetHealth {
        let said = |state, reason: &str, description: &str| TargetHealth {
            state,
            reason: Some(reason.to_owned()),
            description: Some(description.to_owned()),
        };
        match self {
            Health::Registering => {
                said(TargetState::Initial, "Elb.RegistrationInProgress", "Target registration is in progress")
            }
            Health::Checking { .. } => {
                said(TargetState::Initial, "Elb.InitialHealthChecking", "Initial health checks in progress")
            }
            Health::Healthy { .. } => {
                TargetHealth { state: TargetState::Healthy, reason: None, description: None }
            }
            Health::Unhealthy { reason, description, .. } => {
                said(TargetState::Unhealthy, reason, description)
            }
            Health::Unchecked => said(
                TargetState::Unavailable,
                "Target.HealthCheckDisabled",
                "Health checks are not enabled for this target",
            ),
        }
    }
}

fn unhealthy(outcome: &Outcome) -> Health {
    let (reason, description) = match outcome {
        Outcome::Mismatch(status) => {
            ("Target.ResponseCodeMismatch", format!("Health checks failed with these codes: [{status}]"))
        }
        Outcome::TimedOut => ("Target.Timeout", "Request timed out".to_owned()),
        Outcome::Failed | Outcome::Passed => ("Target.FailedHealthChecks", "Health checks failed".to_owned()),
    };
    Health::Unhealthy { passed: 0, reason: reason.to_owned(), description }
}

#[cfg(test)]
mod tests;

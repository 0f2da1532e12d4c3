//! Whether a container that ended is started again in place.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The seconds that a container must have run, where its definition names none.
const ATTEMPT_PERIOD_SECS: u32 = 300;

/// What a definition says of starting a container again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartPolicy {
    /// Exit codes after which it is not.
    pub ignored_exit_codes: Vec<i32>,
    /// How long it must have run. So it is started again once in each such time at most.
    pub attempt_period: Duration,
}

impl RestartPolicy {
    /// Returns a policy; five minutes where no period is given.
    pub fn new(ignored_exit_codes: Vec<i32>, attempt_period_secs: Option<u32>) -> RestartPolicy {
        let seconds = attempt_period_secs.unwrap_or(ATTEMPT_PERIOD_SECS);
        RestartPolicy { ignored_exit_codes, attempt_period: Duration::from_secs(u64::from(seconds)) }
    }

    /// Says whether a container is started again that ended with this code after such a run. One whose code nobody
    /// saw is not: it may be among the ignored ones.
    pub(super) fn runs_again(&self, code: Option<i32>, ran: Duration) -> bool {
        code.is_some_and(|code| !self.ignored_exit_codes.contains(&code)) && ran >= self.attempt_period
    }
}

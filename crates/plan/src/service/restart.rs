//! How long a service waits before it starts tasks again that did not last.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// The longest wait after starts that failed, as on AWS.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The longest wait after tasks that ran briefly. AWS knows none, but its starts take half a minute and ours do not.
const LONGEST_AFTER_RUNNING: Duration = Duration::from_secs(60);

/// A task that ended by itself within this time counts as one that ran briefly.
pub const BRIEF: Duration = Duration::from_secs(30);
/// How long such an end is remembered.
pub const MEMORY: Duration = Duration::from_secs(300);

/// How many failed starts in a row make a service say that it cannot start tasks consistently.
pub const IMPAIRED: u32 = 3;

/// Returns the wait after so many starts in a row that never ran.
pub fn after_failed_starts(failed: u32) -> Duration {
    doubled(failed.saturating_sub(1)).min(LONGEST)
}

/// Returns the wait after so many tasks lately that ran briefly. The first one is replaced at once.
pub fn after_brief_runs(brief: u32) -> Duration {
    if brief <= 1 { Duration::ZERO } else { doubled(brief - 2).min(LONGEST_AFTER_RUNNING) }
}

fn doubled(times: u32) -> Duration {
    Duration::from_secs(1 << times.min(20))
}

//! How many questions a task may ask: what a network interface on AWS may send to its resolver.

use std::time::Instant;

/// Questions a second, and as many at once.
const RATE: f64 = 1024.0;

/// What is left of a task's questions.
#[derive(Debug)]
pub(crate) struct Budget {
    left: f64,
    at: Instant,
}

impl Budget {
    pub(crate) fn new(now: Instant) -> Budget {
        Budget { left: RATE, at: now }
    }

    /// Takes a question; says whether there was one left.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + since * RATE).min(RATE);
        self.at = now;
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests;

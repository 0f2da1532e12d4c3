//! A bucket of tokens per access key, so that one caller's flood leaves the others alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// More keys than this are only seen with authentication off; full buckets are then forgotten.
const KEYS_MAX: usize = 1024;

/// How fast one access key may call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Calls per second, in the long run.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: f64,
}

impl Default for Rate {
    fn default() -> Rate {
        Rate { per_second: 1000.0, burst: 2000.0 }
    }
}

/// The buckets.
#[derive(Debug)]
pub(crate) struct Throttle {
    rate: Rate,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Throttle {
    /// Returns full buckets for everyone.
    pub(crate) fn new(rate: Rate) -> Throttle {
        Throttle { rate, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes a token of the key's bucket, if there is one.
    pub(crate) fn admits(&self, access_key: &str, now: Instant) -> bool {
        let rate = self.rate;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEYS_MAX {
            buckets.retain(|_, bucket| bucket.level(rate, now) < rate.burst);
        }
        if let Some(bucket) = buckets.get_mut(access_key) {
            return bucket.take(rate, now);
        }
        let mut bucket = Bucket { tokens: rate.burst, filled_at: now };
        let admitted = bucket.take(rate, now);
        buckets.insert(access_key.to_owned(), bucket);
        admitted
    }
}

impl Bucket {
    fn level(&self, rate: Rate, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(self.filled_at).as_secs_f64() * rate.per_second;
        (self.tokens + gained).min(rate.burst)
    }

    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.tokens = self.level(rate, now);
        self.filled_at = now;
        let admitted = self.tokens >= 1.0;
        if admitted {
            self.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests;

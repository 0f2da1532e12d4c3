//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};
use wharf_model::Timestamp;

/// Returns the time.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Returns keeper's nanoseconds as a time.
pub(crate) fn from_nanos(nanos: i64) -> Timestamp {
    Timestamp(nanos / 1_000_000)
}

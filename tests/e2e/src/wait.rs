//! Waiting for what comes by itself.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

/// Asks again and again until there is an answer, for at most a minute.
///
/// # Panics
/// When there is none by then.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within(Duration::from_secs(60), what, ask)
}

/// Like [`eventually`], with a limit of its own.
///
/// # Panics
/// When there is no answer within the limit.
pub fn within<T>(limit: Duration, what: impl Debug, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < limit, "not within {limit:?}: {what:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

//! The time that a connection may be without progress: one timer for all its waits, moved only when it rings.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long to wait for anything on a connection.
#[derive(Debug)]
pub(crate) struct Patience {
    limit: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Patience {
    /// Allows this much.
    pub(crate) fn new(limit: Duration) -> Patience {
        Patience { limit, timer: Box::pin(sleep_until(Instant::now() + limit)) }
    }

    /// Allows this much from the next wait on.
    pub(crate) fn set(&mut self, limit: Duration) {
        if self.limit != limit {
            *self = Patience::new(limit);
        }
    }

    /// Returns what comes of it; nothing when it takes too long.
    pub(crate) async fn wait<F: Future>(&mut self, what: F) -> Option<F::Output> {
        let mut what = pin!(what);
        let mut end = None;
        poll_fn(|cx| {
            if let Poll::Ready(came) = what.as_mut().poll(cx) {
                return Poll::Ready(Some(came));
            }
            let end = *end.get_or_insert_with(|| Instant::now() + self.limit);
            while self.timer.as_mut().poll(cx).is_ready() {
                if end <= Instant::now() {
                    return Poll::Ready(None);
                }
                self.timer.as_mut().reset(end);
            }
            Poll::Pending
        })
        .await
    }
}

//! Gives back the space of log events that their groups do not keep any more. Nobody is shown them before that either.

use crate::{Control, operations::log_groups};
use std::time::Duration;

const INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Looks every ten minutes, for ever.
pub(crate) async fn run(control: Control) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = log_groups::trim(&control).await {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, "old log events cannot be removed");
        }
    }
}

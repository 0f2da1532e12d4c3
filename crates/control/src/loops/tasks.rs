//! Forgets stopped tasks after their hour, and tokens of requests after their day.

use crate::Control;
use std::time::Duration;
use wharf_model::{Timestamp, task::Task};
use wharf_store::{OVER, Record, RequestToken, StoreError};

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(30);
/// How long a stopped task can be described.
const TASK_SHOWN: Duration = Duration::from_secs(3600);
/// How long a token is remembered.
const TOKEN_KEPT: Duration = Duration::from_secs(24 * 3600);

/// Forgets until it is dropped.
pub(crate) async fn run(control: Control) {
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        if let Err(error) = pass(&control, control.now()).await {
            tracing::error!(%error, "stopped tasks cannot be forgotten");
        }
    }
}

async fn pass(control: &Control, now: Timestamp) -> Result<(), StoreError> {
    let over = |since: Timestamp, kept: Duration| now.since(since) >= kept;
    let (tasks, tokens) = {
        let view = control.store().view();
        let mut tasks = view.find::<Task>(OVER, "");
        tasks.retain(|task| task.times.stopped_at.is_none_or(|stopped_at| over(stopped_at, TASK_SHOWN)));
        let mut tokens = view.list::<RequestToken>("");
        tokens.retain(|token| over(token.created_at, TOKEN_KEPT));
        (tasks, tokens)
    };
    if tasks.is_empty() && tokens.is_empty() {
        return Ok(());
    }
    tracing::info!(tasks = tasks.len(), tokens = tokens.len(), "forgetting what stopped long ago");
    let forget = control.store().change(|draft| {
        tasks.iter().for_each(|task| draft.delete::<Task>(&task.key()));
        tokens.iter().for_each(|token| draft.delete::<RequestToken>(&token.key()));
    });
    forget.await
}

//! Lets go of what has had its time: addresses that have rested, targets that have drained unheard, secrets whose
//! deletion is due. Renews certificates that are soon to expire.

use crate::{
    Control,
    operations::{certificates, interfaces, secrets, targets},
};
use std::time::Duration;
use wharf_model::secret::Secret;
use wharf_store::StoreError;

const INTERVAL: Duration = Duration::from_secs(1);

/// Looks every second, for ever, and writes only when something is due.
pub async fn run(control: Control) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = pass(&control).await {
            tracing::error!(%error, "addresses, targets and secrets cannot be let go");
        }
        renew(&control).await;
    }
}

async fn renew(control: &Control) {
    let due = certificates::due(&control.store().view(), control.now());
    for known in due {
        match certificates::renew(control, &known).await {
            Ok(()) => tracing::info!(certificate = %known.arn, "certificate renewed"),
            Err(error) => tracing::error!(certificate = %known.arn, %error, "certificate not renewed"),
        }
    }
}

async fn pass(control: &Control) -> Result<(), StoreError> {
    let now = control.now();
    let (rested, drained, deleted) = {
        let view = control.store().view();
        (interfaces::due(&view, now), targets::overdue(&view, now), secrets::due(&view, now))
    };
    if rested.is_empty() && drained.is_empty() && deleted.is_empty() {
        return Ok(());
    }
    tracing::debug!(
        interfaces = rested.len(),
        targets = drained.len(),
        secrets = deleted.len(),
        "letting go"
    );
    let change = control.store().change(|draft| {
        interfaces::reap(draft, &rested, now);
        for (group, target) in &drained {
            targets::drained(draft, group, target);
        }
        // Somebody may have taken a deletion back meanwhile.
        for name in secrets::due(draft, now) {
            draft.delete::<Secret>(&name);
        }
    });
    change.await
}

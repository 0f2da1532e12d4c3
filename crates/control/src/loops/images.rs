//! Lets go of images: by the lifecycle policies of their repositories, content that no image needs any more, and what
//! deployments that are gone were pinned to.

use crate::{
    Control,
    operations::{lifecycle_policies, pinned_images},
};
use std::time::Duration;
use tokio::time::Instant;
use wharf_image::Room;
use wharf_store::PinnedImages;

const INTERVAL: Duration = Duration::from_secs(60);
/// Between two searches for content that nobody needs.
const GARBAGE_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How long content waits for the manifest that names it: no push takes longer.
const GRACE: Duration = Duration::from_secs(24 * 3600);
/// The same while the disk is short of room.
const GRACE_SHORT: Duration = Duration::from_secs(3600);
/// The part of the disk that should be free.
const FREE_PERCENT: u8 = 10;

/// Looks every minute, for ever.
pub(crate) async fn run(control: Control) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut collected: Option<Instant> = None;
    loop {
        ticks.tick().await;
        if let Err(error) = lifecycle_policies::apply(&control).await {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, "lifecycle policies cannot be applied");
        }
        let stale = pinned_images::stale(&control.store().view());
        if !stale.is_empty() {
            let forgotten = control.store().change(|draft| {
                for deployment in &stale {
                    draft.delete::<PinnedImages>(deployment.as_str());
                }
            });
            if let Err(error) = forgotten.await {
                tracing::error!(%error, "images of deployments that are gone stay pinned");
            }
        }
        let short = Room::of(&control.config().state_dir).is_ok_and(|room| room.missing_to(FREE_PERCENT) > 0);
        if short || collected.is_none_or(|at| at.elapsed() >= GARBAGE_INTERVAL) {
            collected = Some(Instant::now());
            match control.registry().collect_garbage(if short { GRACE_SHORT } else { GRACE }).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, short, "content of no image removed from the registry"),
                Err(error) => tracing::error!(%error, "content of no image cannot be removed"),
            }
        }
    }
}

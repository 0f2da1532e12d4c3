//! Keeps services: starts, registers, replaces and stops their tasks.
//!
//! A pass looks at all services outside of any transaction, and takes those for which something is to be done into one
//! transaction each, which looks again. A settled world therefore writes nothing.

mod act;
mod decide;
#[cfg(test)]
mod tests;
mod world;

use crate::Control;
use act::{Mode, Short};
use std::time::Duration;
use wharf_model::{
    Timestamp,
    service::{Service, ServiceStatus},
};
use wharf_store::{Record, StoreError, UpdateError, View};
use world::World;

/// How often the world is looked at when nothing rings: some things become due by the clock alone.
const INTERVAL: Duration = Duration::from_secs(1);

/// Keeps services until the store is closed.
pub(crate) async fn run(control: Control) {
    let mut bell = control.store().watch();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        bell.mark_unchanged();
        if let Err(error) = pass(&control).await {
            tracing::error!(%error, "services cannot be kept");
        }
        tokio::select! {
            rung = bell.changed() => if rung.is_err() { return },
            _ = ticks.tick() => {}
        }
    }
}

async fn pass(control: &Control) -> Result<(), StoreError> {
    let now = control.now();
    let due = due(&control.store().view(), control, now);
    for key in due {
        reconcile(control, &key, now).await?;
    }
    Ok(())
}

/// Returns the keys of the services for which something is to be done.
fn due(view: &View<'_>, control: &Control, now: Timestamp) -> Vec<String> {
    let mut services = view.list::<Service>("");
    services.retain(|service| service.status != ServiceStatus::Inactive);
    if services.is_empty() {
        return Vec::new();
    }
    let world = World::of(view, "");
    services
        .into_iter()
        .filter(|service| {
            let seen = world.seen(view, service, control.config(), now);
            !decide::decide(&seen, now).is_nothing()
        })
        .map(|service| service.key())
        .collect()
}

/// Does what is due for one service.
#[tracing::instrument(skip_all, fields(service = key))]
async fn reconcile(control: &Control, key: &str, now: Timestamp) -> Result<(), StoreError> {
    let config = control.config();
    let mut mode = Mode::All;
    loop {
        match control.store().update(|draft| act::act(draft, config, key, now, &mode)).await {
            Ok(()) => return Ok(()),
            // A task that cannot be made must not hold up the rest: once more without it.
            Err(UpdateError::Refused(Short { made, why })) => {
                tracing::debug!(%why, made, "not all tasks can be started");
                if matches!(mode, Mode::AtMost(most, _) if most <= made) {
                    return Ok(());
                }
                mode = Mode::AtMost(made, why);
            }
            Err(UpdateError::Store(error)) => return Err(error),
        }
    }
}

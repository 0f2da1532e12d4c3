//! Keeps services: starts, registers, replaces and stops their tasks.
//!
//! A pass looks at the services that something concerns outside of any transaction, and takes those for which something
//! is to be done into one transaction each, which looks again. A settled world therefore writes nothing.
//!
//! Which services these are is told by the changes since the last pass. It is a shortcut only: every [`RESYNC`] all of
//! them are looked at.

mod act;
mod concerns;
mod decide;
#[cfg(test)]
mod tests;
mod world;

use crate::Control;
use act::{Mode, Short};
use concerns::Concerns;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use wharf_model::{
    Timestamp,
    service::{Service, ServiceStatus},
};
use wharf_store::{StoreError, UpdateError};

/// How often those services are looked at that wait for something by the clock.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often all services are looked at.
const RESYNC: Duration = Duration::from_secs(30);

/// Keeps services until the store is closed.
pub(crate) async fn run(control: Control) {
    let mut bell = control.store().watch();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut concerns = Concerns::default();
    let mut resynced = Instant::now();
    loop {
        bell.mark_unchanged();
        if resynced.elapsed() >= RESYNC {
            concerns.begin_anew();
            resynced = Instant::now();
        }
        let keys = concerns.take(&control.store().view());
        if let Err(error) = pass(&control, keys, &mut concerns).await {
            tracing::error!(%error, "services cannot be kept");
            concerns.begin_anew();
        }
        tokio::select! {
            rung = bell.changed() => if rung.is_err() { return },
            _ = ticks.tick() => concerns.tick(),
        }
    }
}

/// Does what is due for these services.
async fn pass(control: &Control, keys: BTreeSet<String>, concerns: &mut Concerns) -> Result<(), StoreError> {
    let now = control.now();
    for key in keys {
        let (due, waits) = look(control, &key, now);
        concerns.note(&key, waits);
        if due {
            reconcile(control, &key, now).await?;
        }
    }
    Ok(())
}

/// Returns whether something is to be done for a service, and whether that may change with the time alone.
fn look(control: &Control, key: &str, now: Timestamp) -> (bool, bool) {
    let view = control.store().view();
    let Some(service) = view.get::<Service>(key) else { return (false, false) };
    if service.status == ServiceStatus::Inactive {
        return (false, false);
    }
    let seen = world::seen(&view, &service, control.config(), now);
    let due = !decide::decide(&seen, now).is_nothing();
    (due, due || seen.waits())
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

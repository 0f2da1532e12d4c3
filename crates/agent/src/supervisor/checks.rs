//! The health checks of a task's containers: one loop for each container that runs and is to be checked.

use super::{Message, Supervisor};
use crate::{
    clock,
    execution::{self, Check},
};
use std::time::Duration;
use tokio::task::AbortHandle;
use wharf_plan::task::Life;

/// The wait before a check is tried again that keeper was not there for.
const KEEPER_AWAY: Duration = Duration::from_secs(1);

/// A loop of checks at work. It ends with this value, and a check under way with it.
#[derive(Debug)]
pub(super) struct Checking {
    run: u32,
    handle: AbortHandle,
}

impl Drop for Checking {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl Supervisor {
    /// Begins to check the containers that run, and no longer checks the others.
    pub(super) fn tend_checks(&mut self) {
        for place in 0..self.checks.len() {
            let container = &self.record.task.containers[place];
            let checked = container.health.is_some() && container.life == Life::Running;
            let run = container.restarts;
            match &self.checks[place] {
                Some(checking) if checked && checking.run == run => {}
                None if !checked => {}
                _ => self.checks[place] = checked.then(|| self.check(place, run)),
            }
        }
    }

    fn check(&self, place: usize, run: u32) -> Checking {
        let (node, sender, shown) = (self.node.clone(), self.sender.clone(), self.shown());
        let id = self.record.notes[place].id.clone();
        let command = self.record.definition(place).health_check.as_ref().map(|check| check.command.clone());
        let looping = tokio::spawn(async move {
            let look = || {
                let container = &shown.borrow().task.containers[place];
                container.health.clone().zip(container.started_at)
            };
            let mut first = true;
            while let Some((health, started_at)) = look() {
                if !std::mem::take(&mut first) {
                    let wait = health.rules.wait(health.status, clock::now().since(started_at));
                    tokio::time::sleep(wait).await;
                }
                let check = Check::new(command.as_deref().unwrap_or_default(), health.rules.timeout);
                match execution::check(&node.keeper, &id, &check).await {
                    Some(probe) => {
                        if sender.send(Message::Probed { place, run, probe }).is_err() {
                            return;
                        }
                    }
                    None => tokio::time::sleep(KEEPER_AWAY).await,
                }
            }
        });
        Checking { run, handle: looping.abort_handle() }
    }
}

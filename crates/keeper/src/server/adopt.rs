//! What a new keeper makes of what an earlier one left.
//!
//! A container that was running and still is goes on: its end is learnt from a pidfd. One that ended in between has an
//! exit whose code nobody knows, and says so. One that was not started yet is removed: its creator has lost the
//! answer and will ask anew.

use std::collections::BTreeMap;
use std::os::fd::AsRawFd;

use super::Keeper;
use crate::container::Container;
use crate::helper::clean;
use crate::journal::{Entry, Past};
use crate::poll::Token;
use crate::process::{PidFd, stat};
use crate::protocol::State;

impl Keeper {
    pub(super) fn adopt(&mut self, past: BTreeMap<String, Past>) {
        for (id, past) in past {
            let mut container = Container::new(&id, past.dir, past.cgroup);
            container.created_nanos = past.created_nanos;
            container.started_nanos = past.started_nanos;
            container.exit = past.exit;
            let number = self.number();
            if past.deleted || container.exit.is_some() {
                container.state = if past.deleted { State::Deleted } else { State::Exited };
                self.containers.insert(number, container);
            } else if container.started_nanos.is_none() {
                // What cannot be removed now is found again by its cgroup and directory when the task is removed.
                let _left = clean(&container.remains(), &self.hierarchy, &self.state_root);
                self.note(&Entry::Forgotten { id });
            } else {
                container.state = State::Running;
                let process = past.process.and_then(|(pid, ticks)| Some((pid, same_process(pid, ticks)?)));
                let adopted = process.is_some_and(|(pid, process)| {
                    container.pid = pid;
                    let watched = self.poll.watch(process.as_raw_fd(), Token::Process(number), false);
                    container.process = Some(process);
                    container.relay = past
                        .relay
                        .filter(|relay| same_process(relay.0, relay.1).is_some())
                        .map(|relay| relay.0);
                    // Without its pipes it still runs; what it writes stays in them.
                    let _unread = container.reattach(number, &self.poll);
                    watched.is_ok()
                });
                self.containers.insert(number, container);
                if adopted {
                    self.watch_memory(number);
                } else {
                    self.ended(number, None);
                }
            }
        }
    }

    /// Something happened to a container that is not our child.
    pub(super) fn adopted_ended(&mut self, number: u32, reaped: bool) {
        let Some(container) = self.containers.get(&number) else { return };
        let told = container.process.as_ref().and_then(PidFd::wait_status);
        // Its parent may not have looked yet; a dead process says itself how it ended.
        let seen = || stat(container.pid).filter(|stat| stat.zombie).map(|stat| stat.wait_status);
        match told.or_else(seen) {
            Some(status) => self.ended(number, Some(status)),
            None if reaped => self.ended(number, None),
            None => {}
        }
    }
}

/// Returns a handle on a process if it is still the one that began then.
fn same_process(pid: i32, start_ticks: u64) -> Option<PidFd> {
    let process = PidFd::open(pid).ok()?;
    (stat(pid)?.start_ticks == start_ticks).then_some(process)
}

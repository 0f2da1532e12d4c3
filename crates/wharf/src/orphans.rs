//! What a killed keeper leaves behind: its containers become children of `wharf up`, which buries the dead only after
//! the next keeper had time to see how they ended.

use nix::{
    sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    unistd::Pid,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a keeper runs before it has certainly looked at everything that an earlier one left.
const KEEPER_LOOKED: Duration = Duration::from_secs(2);
/// How often the dead are looked for, once there may be any.
const ROUND: Duration = Duration::from_millis(500);

/// The supervised processes, which are waited for elsewhere, and since when there is a keeper.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orphans(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    own: BTreeSet<i32>,
    keeper_since: Option<Instant>,
    burying: bool,
}

impl Orphans {
    /// Makes this process the parent of what its children leave behind.
    pub(crate) fn take_in() -> anyhow::Result<Orphans> {
        nix::sys::prctl::set_child_subreaper(true)?;
        Ok(Orphans::default())
    }

    /// Notes a supervised process that was started.
    pub(crate) fn started(&self, name: &str, pid: i32) {
        let mut known = self.known();
        known.own.insert(pid);
        if name == "keeper" {
            known.keeper_since = Some(Instant::now());
        }
    }

    /// Notes that a supervised process has ended and was waited for.
    pub(crate) fn ended(&self, name: &str, pid: i32) {
        let mut known = self.known();
        known.own.remove(&pid);
        if name != "keeper" {
            return;
        }
        known.keeper_since = None;
        if !std::mem::replace(&mut known.burying, true) {
            let orphans = self.clone();
            std::thread::spawn(move || orphans.bury());
        }
    }

    fn bury(&self) {
        loop {
            std::thread::sleep(ROUND);
            while self.bury_one() {}
        }
    }

    fn bury_one(&self) -> bool {
        let known = self.known();
        if known.keeper_since.is_none_or(|since| since.elapsed() < KEEPER_LOOKED) {
            return false;
        }
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::All, look).map(|status| status.pid()) {
            Ok(Some(pid)) if !known.own.contains(&pid.as_raw()) => wait_for(pid),
            _ => false,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait_for(pid: Pid) -> bool {
    matches!(waitpid(pid, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive)
}

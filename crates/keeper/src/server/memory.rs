//! Containers in which the kernel killed a process for memory: the others of them follow.
//!
//! Under cgroup v2 the kernel does that itself. Under v1 it says that memory has run out before it has chosen what to kill, so
//! its count is looked at a few times after that.

use std::os::fd::AsRawFd;
use std::time::Duration;

use wharf_sandbox::cgroup::Cgroup;

use super::Keeper;
use crate::poll::Token;

/// Between two looks at the kernel's count.
pub(super) const LOOK_MS: i32 = 10;
const LOOKS: u32 = 100;

impl Keeper {
    /// Begins to watch a container's memory. Where that fails, only its first process's death is noticed.
    pub(super) fn watch_memory(&mut self, number: u32) {
        let Some(container) = self.containers.get_mut(&number) else { return };
        let watched = Cgroup::new(&self.hierarchy, &container.cgroup).watch_memory();
        if let Ok(Some(event)) = watched
            && self.poll.watch(event.as_raw_fd(), Token::Memory(number), false).is_ok()
        {
            container.memory = Some(event);
        }
    }

    pub(super) fn memory_ran_out(&mut self, number: u32) {
        let Some(container) = self.containers.get_mut(&number) else { return };
        if let Some(event) = &container.memory {
            // The number of times says nothing: a kill may have been one, and none may be.
            let _count = nix::unistd::read(event, &mut [0; 8]);
            container.looks = LOOKS;
        }
    }

    pub(super) fn end_what_ran_out_of_memory(&mut self) {
        for container in self.containers.values_mut().filter(|container| container.looks > 0) {
            let leaf = Cgroup::new(&self.hierarchy, &container.cgroup);
            if container.ran_out_of_memory(leaf.oom_kills()) {
                // Its first process's end then comes as any other, and says why.
                let _dying = leaf.kill_all(Duration::ZERO);
            }
        }
    }
}

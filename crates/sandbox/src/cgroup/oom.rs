//! What happens when the kernel kills a process of a group for memory: all of the group goes, as one program.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::{Cgroup, CgroupError, Hierarchy, failed, stats};

impl Cgroup {
    /// Returns how many processes of the group and, on v2, of those below the kernel killed for memory.
    pub fn oom_kills(&self) -> u64 {
        let file = match &self.hierarchy {
            Hierarchy::V1 { .. } => "memory.oom_control",
            Hierarchy::V2 { .. } => "memory.events",
        };
        let text = self.dir("memory").ok().and_then(|dir| fs::read_to_string(dir.join(file)).ok());
        text.and_then(|text| stats::field(&text, "oom_kill")).unwrap_or(0)
    }

    /// Makes the kernel kill all of the group where it kills one for memory. On v1 it cannot do that: then the descriptor
    /// becomes readable when memory has run out, in the group or in one above it, and the caller has to look.
    pub fn watch_memory(&self) -> Result<Option<OwnedFd>, CgroupError> {
        let dir = self.dir("memory")?;
        match &self.hierarchy {
            Hierarchy::V2 { .. } => {
                let path = dir.join("memory.oom.group");
                fs::write(&path, "1").map_err(failed("write", &path))?;
                Ok(None)
            }
            Hierarchy::V1 { .. } => {
                let path = dir.join("memory.oom_control");
                let control = File::open(&path).map_err(failed("open", &path))?;
                let event = event().map_err(failed("watch", &path))?;
                let path = dir.join("cgroup.event_control");
                let order = format!("{} {}", event.as_raw_fd(), control.as_raw_fd());
                fs::write(&path, order).map_err(failed("write", &path))?;
                Ok(Some(event))
            }
        }
    }
}

fn event() -> io::Result<OwnedFd> {
    // SAFETY: makes a new descriptor, checked before it is owned.
    let raw = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and ours.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

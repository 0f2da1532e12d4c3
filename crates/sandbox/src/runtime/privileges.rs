//! Privileges kept until the system call filter is loaded.
//!
//! A process whose programs must never gain privileges may load a filter as it is. One whose programs may gain them can
//! load it only as long as it holds CAP_SYS_ADMIN, so the runtime lets it keep that, and it is given up here.

use std::io;

use crate::rootfs::User;
use crate::spec::{ContainerSpec, LOADING, capabilities, capability_number, gains_privileges};

const VERSION_3: u32 = 0x2008_0522;

/// What a process is to hold once its filter is loaded.
#[derive(Clone, Debug)]
pub(super) struct Privileges {
    held: u64,
    /// Numbers of what was kept only for the filter.
    given_up: Vec<usize>,
}

/// The kernel's `struct __user_cap_header_struct`.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// The kernel's `struct __user_cap_data_struct`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

impl Privileges {
    /// Returns what is left to do after loading; nothing for a container whose filter needs no privilege.
    pub(super) fn after_loading(spec: &ContainerSpec, user: &User) -> Option<Privileges> {
        if spec.privileged || !gains_privileges(spec) {
            return None;
        }
        let bounding = capabilities(spec).ok()?;
        let bit = |name: &String| capability_number(name).map_or(0, |number| 1_u64 << number);
        let held = if user.uid == 0 { bounding.iter().map(bit).sum() } else { 0 };
        let extra = LOADING.iter().filter(|name| !bounding.iter().any(|held| held == *name));
        Some(Privileges { held, given_up: extra.filter_map(|name| capability_number(name)).collect() })
    }

    /// Gives up everything else.
    pub(super) fn settle(&self) -> io::Result<()> {
        for number in &self.given_up {
            // SAFETY: a plain system call on numbers.
            if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, *number, 0, 0, 0) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        set_capabilities(self.held)
    }
}

/// Leaves the calling thread these capabilities, as bits, and no others.
pub(crate) fn set_capabilities(held: u64) -> io::Result<()> {
    let half = |shift: u32| {
        let bits = u32::try_from((held >> shift) & u64::from(u32::MAX)).unwrap_or(0);
        Data { effective: bits, permitted: bits, inheritable: 0 }
    };
    let (header, data) = (Header { version: VERSION_3, pid: 0 }, [half(0), half(32)]);
    // SAFETY: the kernel reads a header and two halves, which live across the call.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

//! Processes by pid, start time and pidfd.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// What `/proc/<pid>/stat` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Whether the process has ended and waits for its parent to look.
    pub(crate) zombie: bool,
    /// When it began, in clock ticks since boot; with the pid it names a process for ever.
    pub(crate) start_ticks: u64,
    /// Its wait status, once it is a zombie.
    pub(crate) wait_status: i32,
}

/// Reads a process's state; `None` when it has gone.
pub(crate) fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name, second field, may hold spaces and parentheses; everything after its last parenthesis is plain.
pub(crate) fn parse_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.get(text.rfind(')')? + 2..)?.split_whitespace().collect();
    Some(Stat {
        zombie: matches!(*fields.first()?, "Z" | "X"),
        start_ticks: fields.get(19)?.parse().ok()?,
        wait_status: fields.get(49)?.parse().ok()?,
    })
}

/// A handle on one process, which never comes to mean another.
#[derive(Debug)]
pub(crate) struct PidFd(OwnedFd);

impl PidFd {
    pub(crate) fn open(pid: i32) -> io::Result<PidFd> {
        // SAFETY: makes a new descriptor, which is checked before it is owned.
        let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let Ok(raw) = i32::try_from(raw) else { return Err(io::Error::last_os_error()) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and ours.
        Ok(PidFd(unsafe { OwnedFd::from_raw_fd(raw) }))
    }

    pub(crate) fn signal(&self, signal: i32) -> io::Result<()> {
        // SAFETY: a plain system call; a null siginfo means "as kill would".
        let result = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.0.as_raw_fd(),
                signal,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Returns the wait status of a process that ended and was reaped by whoever was its parent; `None` where the
    /// kernel does not tell (before 6.15) or not yet.
    pub(crate) fn wait_status(&self) -> Option<i32> {
        let mut info = PidFdInfo { mask: INFO_EXIT, ..PidFdInfo::default() };
        // SAFETY: the structure is the kernel's first version of it, whose size is part of the request.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), GET_INFO, &raw mut info) };
        (result == 0 && info.mask & INFO_EXIT != 0).then_some(info.exit_code)
    }
}

impl PidFd {
    /// Returns the descriptor.
    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.0
    }
}

impl AsRawFd for PidFd {
    fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

const INFO_EXIT: u64 = 1 << 3;
/// `_IOWR(0xff, 11, 64 bytes)`.
const GET_INFO: libc::c_ulong = 0xc040_ff0b;

/// The kernel's `struct pidfd_info`, first version.
#[repr(C)]
#[derive(Default)]
struct PidFdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

/// Splits a wait status into exit code (128 + n for signal n) and signal.
pub(crate) fn decode_wait_status(status: i32) -> (i32, Option<i32>) {
    let signal = status & 0x7f;
    if signal == 0 { ((status >> 8) & 0xff, None) } else { (128 + signal, Some(signal)) }
}

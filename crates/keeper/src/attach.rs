//! Moving processes into control groups without waiting for the whole machine.
//!
//! Writing to a `cgroup.procs` first waits for every processor to pass a quiet state: 7 to 30 ms on an idle or a busy
//! machine, the longest single part of a container's start. A hierarchy with the kernel's option `favordynmods` (from 6.0
//! on) takes that wait away for all hierarchies, at the price of a memory barrier in forks and exits.
//!
//! Nobody's mounts are changed for it: keeper makes an empty hierarchy of its own, named `wharf`, that is mounted nowhere and
//! ends with keeper. Kernels from 6.18 on keep the faster way until the next boot.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const CLOEXEC: libc::c_uint = 1;
const SET_FLAG: libc::c_uint = 0;
const SET_STRING: libc::c_uint = 1;
const CMD_CREATE: libc::c_uint = 6;

/// What keeps the option in force while it is open.
#[derive(Debug)]
pub(crate) struct Favor {
    _hierarchy: OwnedFd,
}

/// Asks the kernel for quick moves between control groups. Where it cannot, they only take longer.
pub(crate) fn favor() -> io::Result<Favor> {
    // SAFETY: a plain system call with a string that lives across it.
    let context = descriptor(unsafe { libc::syscall(libc::SYS_fsopen, c"cgroup".as_ptr(), CLOEXEC) })?;
    configure(&context, SET_FLAG, Some(c"none"), None)?;
    configure(&context, SET_STRING, Some(c"name"), Some(c"wharf"))?;
    configure(&context, SET_FLAG, Some(c"favordynmods"), None)?;
    configure(&context, CMD_CREATE, None, None)?;
    // SAFETY: a plain system call on numbers.
    let mount = unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), CLOEXEC, 0) };
    Ok(Favor { _hierarchy: descriptor(mount)? })
}

fn configure(
    context: &OwnedFd,
    command: libc::c_uint,
    key: Option<&CStr>,
    value: Option<&CStr>,
) -> io::Result<()> {
    let pointer = |text: Option<&CStr>| text.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: the strings live across the call; what a command does not take is null.
    let result = unsafe {
        libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), command, pointer(key), pointer(value), 0)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn descriptor(result: libc::c_long) -> io::Result<OwnedFd> {
    match i32::try_from(result) {
        // SAFETY: the kernel has just made the descriptor for us.
        Ok(raw) if raw >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(raw) }),
        _ => Err(io::Error::last_os_error()),
    }
}

//! Descriptors that a forked process must not keep.

use std::os::fd::RawFd;

/// Closes every descriptor of the calling process but these. To be called in a process that was forked for one piece of
/// work: the values that own the descriptors are never used or dropped in it.
pub fn close_all_but(kept: &mut [RawFd]) {
    kept.sort_unstable();
    let mut from: u32 = 0;
    for fd in kept.iter().filter_map(|fd| u32::try_from(*fd).ok()) {
        if fd > from {
            close_range(from, fd - 1);
        }
        from = fd + 1;
    }
    close_range(from, u32::MAX);
}

fn close_range(first: u32, last: u32) {
    // SAFETY: only the child's copies are closed, and the values that own them are never used or dropped in it.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
}

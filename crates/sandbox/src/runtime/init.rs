//! The small init, in memory: nothing of it has to be in an image, and nobody can change it.

use std::ffi::{CStr, CString};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// The program that `build.rs` made of `init/`.
const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/init"));

/// Puts the init into sealed memory.
pub(super) fn load() -> io::Result<OwnedFd> {
    let memory = memfd_create("init", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    let mut file = std::fs::File::from(memory);
    file.write_all(PROGRAM)?;
    let seals =
        SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}

/// Becomes the init, which runs `file` with `args`, or holds namespaces where there are none. Returns only what went
/// wrong.
pub(super) fn become_init(program: &OwnedFd, file: Option<&CStr>, args: &[CString]) -> io::Error {
    let mut words: Vec<&CStr> = vec![c"init"];
    if let Some(file) = file {
        words.push(file);
        words.extend(args.iter().map(CString::as_c_str));
    }
    let mut pointers: Vec<*const libc::c_char> = words.iter().map(|word| word.as_ptr()).collect();
    pointers.push(std::ptr::null());
    // SAFETY: the strings live across the call, the list ends with a null, and the environment is the process's own.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            program.as_raw_fd(),
            c"".as_ptr(),
            pointers.as_ptr(),
            libc::environ,
            libc::AT_EMPTY_PATH,
        );
    }
    io::Error::last_os_error()
}

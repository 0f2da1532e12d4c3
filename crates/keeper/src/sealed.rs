//! Running from a sealed copy of the binary.
//!
//! An image whose program is `/proc/self/exe` would, between exec and its own first instruction, hold
//! keeper's binary open inside the container. A copy in sealed memory cannot be written by anyone.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::error::Error;

const EXE: &str = "/proc/self/exe";

/// Replaces the process by the same program run from sealed memory, with the same arguments and environment;
/// returns at once when it already is. To be called first thing, while the process has one thread.
pub fn reexec_from_memfd() -> Result<(), Error> {
    let failed = |what| move |source: io::Error| Error::File { what, path: EXE.into(), source };
    let exe = File::open(EXE).map_err(failed("open"))?;
    if is_sealed(&exe) {
        return Ok(());
    }
    let copy = copy(exe).map_err(failed("copy"))?;
    let strings = |values: &mut dyn Iterator<Item = std::ffi::OsString>| -> Result<Vec<CString>, Error> {
        let strings: Result<Vec<_>, _> =
            values.map(|value| CString::new(value.into_encoded_bytes())).collect();
        strings.map_err(|error| failed("pass arguments of")(error.into()))
    };
    let args = strings(&mut std::env::args_os())?;
    let env = strings(&mut std::env::vars_os().map(|(mut key, value)| {
        key.push("=");
        key.push(value);
        key
    }))?;
    let path = CString::new(format!("/proc/self/fd/{}", copy.as_raw_fd()))
        .map_err(|error| failed("name")(error.into()))?;
    let Err(error) = nix::unistd::execve(&path, &args, &env);
    Err(Error::System("run from sealed memory", error))
}

fn copy(mut exe: File) -> io::Result<OwnedFd> {
    let sealed = memfd_create("wharf", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    let mut file = File::from(sealed);
    io::copy(&mut exe, &mut file)?;
    let seals =
        SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}

fn is_sealed(exe: &File) -> bool {
    fcntl(exe, FcntlArg::F_GET_SEALS)
        .is_ok_and(|seals| SealFlag::from_bits_retain(seals).contains(SealFlag::F_SEAL_WRITE))
}

//! Running from a sealed copy of the binary.
//!
//! An image whose program is `/proc/self/exe` would, between exec and its own first instruction, hold
//! keeper's binary open inside the container. A copy in sealed memory cannot be written by anyone.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

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

fn copy(exe: File) -> io::Result<OwnedFd> {
    let sealed = memfd_create("wharf", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    let mut file = File::from(sealed);
    let length = loaded_length(&exe).unwrap_or(u64::MAX);
    io::copy(&mut exe.take(length), &mut file)?;
    let seals =
        SealFlag::F_SEAL_SEAL | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}

/// Returns how much of a program the kernel maps. What comes after it, mostly for debuggers, can be several times as long
/// and would lie in memory for as long as keeper lives.
pub(crate) fn loaded_length(exe: &File) -> Option<u64> {
    let bytes = |at: u64, length: usize| {
        let mut read = vec![0; length];
        exe.read_exact_at(&mut read, at).ok().map(|()| read)
    };
    let number = |from: &[u8]| from.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let header = bytes(0, 64)?;
    // A 64-bit program, numbers in this machine's order; anything else is copied whole.
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (table, entry_length) = (number(&header[32..40]), number(&header[54..56]));
    let ends = (0..number(&header[56..58])).map(|index| {
        let entry = bytes(table + index * entry_length, 56)?;
        number(&entry[8..16]).checked_add(number(&entry[32..40]))
    });
    ends.collect::<Option<Vec<u64>>>()?.into_iter().max()
}

fn is_sealed(exe: &File) -> bool {
    fcntl(exe, FcntlArg::F_GET_SEALS)
        .is_ok_and(|seals| SealFlag::from_bits_retain(seals).contains(SealFlag::F_SEAL_WRITE))
}

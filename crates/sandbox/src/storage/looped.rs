//! Loop devices: a file as a disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;

const LOOP_CTL_GET_FREE: libc::Ioctl = 0x4C82;
const LOOP_CONFIGURE: libc::Ioctl = 0x4C0A;
/// The device is given back when it is closed for the last time.
const LO_FLAGS_AUTOCLEAR: u32 = 4;
/// How often somebody else may be quicker.
const ATTEMPTS: usize = 64;

/// `struct loop_config` of `linux/loop.h`, with its `struct loop_info64`.
#[repr(C)]
struct Config {
    fd: u32,
    block_size: u32,
    numbers: [u64; 5],
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    names: [u8; 128],
    key: [u8; 32],
    init: [u64; 2],
    reserved: [u64; 8],
}

/// A device that is kept as long as this is open or it is mounted.
pub(super) struct Device {
    number: i32,
    _open: File,
}

impl Device {
    /// Returns where it is.
    pub(super) fn path(&self) -> String {
        format!("/dev/loop{}", self.number)
    }
}

/// Makes a disk of a file.
pub(super) fn attach(file: &File) -> io::Result<Device> {
    let control = OpenOptions::new().read(true).write(true).open("/dev/loop-control")?;
    for _ in 0..ATTEMPTS {
        // SAFETY: takes no argument and returns a number.
        let number = Errno::result(unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) })?;
        let open = OpenOptions::new().read(true).write(true).open(format!("/dev/loop{number}"))?;
        let config = Config {
            fd: file.as_raw_fd().cast_unsigned(),
            block_size: 0,
            numbers: [0; 5],
            number: 0,
            encrypt_type: 0,
            encrypt_key_size: 0,
            flags: LO_FLAGS_AUTOCLEAR,
            names: [0; 128],
            key: [0; 32],
            init: [0; 2],
            reserved: [0; 8],
        };
        // SAFETY: reads a structure of the kernel's layout that lives across the call.
        let result = unsafe { libc::ioctl(open.as_raw_fd(), LOOP_CONFIGURE, std::ptr::from_ref(&config)) };
        match Errno::result(result) {
            Ok(_) => return Ok(Device { number, _open: open }),
            Err(Errno::EBUSY) => {} // Somebody else has taken it in between.
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(io::Error::other("every loop device was taken by somebody else in between"))
}

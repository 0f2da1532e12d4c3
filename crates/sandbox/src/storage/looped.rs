//! Loop devices: a file as a disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

const LOOP_CTL_GET_FREE: libc::Ioctl = 0x4C82;
const LOOP_CONFIGURE: libc::Ioctl = 0x4C0A;
/// The device is given back when it is closed for the last time.
const LO_FLAGS_AUTOCLEAR: u32 = 4;
/// The numbers of `/dev/loop-control`.
const MISC_MAJOR: u64 = 10;
const LOOP_CONTROL_MINOR: u64 = 237;
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
    path: String,
    _open: File,
}

impl Device {
    /// Returns where it is, as long as this is there.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

/// Opens a device of the machine, and returns a path to it. In a privileged container `/dev` has only some of them, and
/// nobody adds those that the kernel makes later: then a node is made and taken away again.
fn open(name: &str, kind: SFlag, numbers: impl Fn() -> io::Result<u64>) -> io::Result<(File, String)> {
    let node = |path: &str| OpenOptions::new().read(true).write(true).open(path);
    let path = format!("/dev/{name}");
    match node(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return Ok((opened?, path)),
    }
    let own = format!("/dev/.wharf-{}-{name}", std::process::id());
    mknod(own.as_str(), kind, Mode::S_IRUSR | Mode::S_IWUSR, numbers()?)?;
    let opened = node(&own);
    std::fs::remove_file(&own)?;
    let opened = opened?;
    let path = format!("/proc/self/fd/{}", opened.as_raw_fd());
    Ok((opened, path))
}

/// Returns the numbers that the kernel gave a block device.
fn numbers(name: &str) -> io::Result<u64> {
    let text = std::fs::read_to_string(format!("/sys/block/{name}/dev"))?;
    let both = text
        .trim()
        .split_once(':')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    both.map(|(major, minor)| makedev(major, minor))
        .ok_or_else(|| io::Error::other(format!("device number {text:?}")))
}

/// Makes a disk of a file.
pub(super) fn attach(file: &File) -> io::Result<Device> {
    let control = open("loop-control", SFlag::S_IFCHR, || Ok(makedev(MISC_MAJOR, LOOP_CONTROL_MINOR)))?.0;
    for _ in 0..ATTEMPTS {
        // SAFETY: takes no argument and returns a number.
        let number = Errno::result(unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) })?;
        let name = format!("loop{number}");
        let (open, path) = open(&name, SFlag::S_IFBLK, || numbers(&name))?;
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
            Ok(_) => return Ok(Device { path, _open: open }),
            Err(Errno::EBUSY) => {} // Somebody else has taken it in between.
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(io::Error::other("every loop device was taken by somebody else in between"))
}

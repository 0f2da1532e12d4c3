//! A terminal inside a container, whose other end is given to whoever looks at it from outside.
//!
//! It is one of the container's own, so that programs find its name in their `/dev/pts`. The container decides what its
//! `/dev` holds, hence the look at what was opened.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
use nix::sys::stat::{Mode, fstat, major, minor};
use nix::sys::statfs::{FsType, fstatfs};

use super::{ExecError, TerminalSize, system};

const MULTIPLEXER: &str = "/dev/pts/ptmx";
/// The kernel's number for the file system of terminals.
const DEVPTS: FsType = FsType(0x1cd1);

/// Opens a terminal in the container that the calling process has entered, and sends its other end, which never blocks,
/// over a socket.
/// Returns the streams of its user.
pub(super) fn open(socket: &OwnedFd, size: Option<TerminalSize>) -> Result<[OwnedFd; 3], ExecError> {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let outer = multiplexer(flags).map_err(system("open a terminal of the container"))?;
    let inner = peer(&outer).map_err(system("open the terminal's other end"))?;
    if let Some(size) = size {
        resize_raw(&outer, size).map_err(system("set the terminal's size"))?;
    }
    let rights = [outer.as_raw_fd()];
    sendmsg::<UnixAddr>(
        socket.as_raw_fd(),
        &[IoSlice::new(b"t")],
        &[ControlMessage::ScmRights(&rights)],
        MsgFlags::MSG_NOSIGNAL,
        None,
    )
    .map_err(system("hand over the terminal"))?;
    let copy = || inner.try_clone().map_err(|source| ExecError::System { what: "copy the terminal", source });
    Ok([copy()?, copy()?, inner])
}

fn multiplexer(flags: OFlag) -> nix::Result<OwnedFd> {
    let outer = nix::fcntl::open(MULTIPLEXER, flags, Mode::empty())?;
    let found = fstat(&outer)?;
    let device = (major(found.st_rdev), minor(found.st_rdev));
    let genuine = device == (5, 2) && fstatfs(&outer)?.filesystem_type() == DEVPTS;
    if genuine { Ok(outer) } else { Err(Errno::ENOTTY) }
}

/// Unlocks a terminal and opens its user's end, which no path could lead astray.
fn peer(outer: &OwnedFd) -> nix::Result<OwnedFd> {
    let unlocked: libc::c_int = 0;
    // SAFETY: the number lives across the call; the second call makes a descriptor, checked before it is owned.
    unsafe {
        Errno::result(libc::ioctl(outer.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlocked))?;
        let raw = libc::ioctl(
            outer.as_raw_fd(),
            libc::TIOCGPTPEER,
            libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC,
        );
        Ok(OwnedFd::from_raw_fd(Errno::result(raw)?))
    }
}

/// Makes a terminal the controlling one of the calling process, which leads a session.
pub(super) fn control(inner: &OwnedFd) -> nix::Result<()> {
    // SAFETY: a plain system call on a descriptor that lives across it.
    Errno::result(unsafe { libc::ioctl(inner.as_raw_fd(), libc::TIOCSCTTY, 0) }).map(drop)
}

/// Changes a terminal's size; its programs are told.
pub fn resize(terminal: BorrowedFd<'_>, size: TerminalSize) -> std::io::Result<()> {
    Ok(resize_raw(&terminal, size)?)
}

fn resize_raw(terminal: &impl AsRawFd, size: TerminalSize) -> nix::Result<()> {
    let size = libc::winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the structure lives across the call.
    Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) }).map(drop)
}

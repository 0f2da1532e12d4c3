//! A container's terminal: where its output goes.
//!
//! The runtime makes the terminal inside the container and hands over its other side. A process of its own, the relay, takes
//! that side and copies what is written to the terminal into the pipe that keeper drains. So keeper reads a pipe as of
//! any container, and the terminal lives on when keeper is killed: whoever holds the other side must not die, or the
//! kernel hangs the container up.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::cmsg_space;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::{ForkResult, Pid, Uid, dup2_stdout, fchown, fork, setsid};

use crate::descriptors::close_all_but;

/// How long the relay waits for the runtime, which itself gives up earlier.
const PATIENCE_MS: u16 = u16::MAX;
/// How long the launcher waits for the relay to have taken the terminal.
const READY_PATIENCE: Duration = Duration::from_secs(10);

const CHUNK_LEN: usize = 16 * 1024;

/// A relay that waits for a container's terminal.
#[derive(Debug)]
pub(super) struct Terminal {
    socket: Utf8PathBuf,
    relay: Pid,
    ready: UnixStream,
    kept: bool,
}

impl Terminal {
    /// Forks a relay that copies to `output`; the terminal will be the user's. To be called by a process with one thread.
    pub(super) fn open(dir: &Utf8Path, output: &OwnedFd, owner: u32) -> io::Result<Terminal> {
        let socket = dir.join("console");
        remove(&socket)?;
        let listener = listen(&socket)?;
        let (ready, relay_ready) = UnixStream::pair()?;
        // SAFETY: the process has one thread, so the child may do anything that it could.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => Ok(Terminal { socket, relay: child, ready, kept: false }),
            ForkResult::Child => {
                let relayed = be_relay(&listener, output, relay_ready, owner);
                // SAFETY: ends the child without running anything of the parent's.
                unsafe { libc::_exit(i32::from(relayed.is_err())) }
            }
        }
    }

    /// Returns the socket that the runtime hands the terminal's other side to.
    pub(super) fn socket(&self) -> &Utf8Path {
        &self.socket
    }

    /// Waits until the relay has the terminal, and leaves it to itself; returns its process id.
    pub(super) fn keep(mut self) -> io::Result<i32> {
        self.ready.set_read_timeout(Some(READY_PATIENCE))?;
        self.ready.read_exact(&mut [0])?;
        self.kept = true;
        Ok(self.relay.as_raw())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nobody connects a second time.
        let _gone = remove(&self.socket);
        if !self.kept {
            // Our own child, not reaped by us, so the number is still its own.
            let _gone = kill(self.relay, Signal::SIGKILL);
        }
    }
}

fn remove(path: &Utf8Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A socket's path has room for 108 bytes, a state directory may be longer.
fn listen(socket: &Utf8Path) -> io::Result<UnixListener> {
    let dir = socket.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let open = std::fs::File::open(dir)?;
    let name = socket.file_name().unwrap_or_default();
    UnixListener::bind(format!("/proc/self/fd/{}/{name}", open.as_raw_fd()))
}

fn be_relay(listener: &UnixListener, output: &OwnedFd, ready: UnixStream, owner: u32) -> io::Result<()> {
    // Signals to keeper's group are not meant for it.
    setsid()?;
    // Where a new keeper finds the pipe.
    dup2_stdout(output)?;
    close_all_but(&mut [0, 1, 2, listener.as_raw_fd(), ready.as_raw_fd()]);
    let mut waiting = [PollFd::new(std::os::fd::AsFd::as_fd(listener), PollFlags::POLLIN)];
    if poll(&mut waiting, PollTimeout::from(PATIENCE_MS))? == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let (connection, _) = listener.accept()?;
    let mut master = std::fs::File::from(receive(&connection)?);
    drop(connection);
    give(&master, owner)?;
    (&ready).write_all(&[1])?;
    drop(ready);
    let mut buffer = [0; CHUNK_LEN];
    let mut stdout = io::stdout();
    loop {
        match master.read(&mut buffer) {
            // When the last process has closed the terminal, the kernel says "input/output error".
            Ok(0) | Err(_) => return Ok(()),
            Ok(length) => {
                stdout.write_all(&buffer[..length])?;
                stdout.flush()?;
            }
        }
    }
}

fn receive(connection: &UnixStream) -> io::Result<OwnedFd> {
    let mut name = [0; 64];
    let mut iov = [io::IoSliceMut::new(&mut name)];
    let mut space = cmsg_space!(RawFd);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(connection.as_raw_fd(), &mut iov, Some(&mut space), flags)?;
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(descriptors) = part
            && let Some(raw) = descriptors.first()
        {
            // SAFETY: the kernel has just made the descriptor for us.
            return Ok(unsafe { OwnedFd::from_raw_fd(*raw) });
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// Gives the container's side of the terminal to its user, or else a program of another user than root cannot open it
/// anew. The group stays that of terminals.
fn give(master: &std::fs::File, owner: u32) -> io::Result<()> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: a plain system call on numbers.
    let raw = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made the descriptor for us.
    let slave = unsafe { OwnedFd::from_raw_fd(raw) };
    Ok(fchown(&slave, Some(Uid::from_raw(owner)), None)?)
}

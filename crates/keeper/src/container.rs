//! A container as keeper holds it: its process, its pipes, its output files, its exit.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use wharf_sandbox::spec::SecretVariables;

use crate::clock::now_nanos;
use crate::helper::Remains;
use crate::output::{Sink, Stream};
use crate::poll::{Poll, Token};
use crate::process::PidFd;
use crate::protocol::{self, Exit, State};

pub(crate) const CHUNK_LEN: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) dir: Utf8PathBuf,
    pub(crate) cgroup: String,
    pub(crate) state: State,
    /// Variables that are not written down; a keeper that adopted it does not know them.
    pub(crate) secrets: Option<SecretVariables>,
    /// Whether its writable layer stays when it is removed.
    pub(crate) keep_files: bool,
    /// Zero until a launcher has said it.
    pub(crate) pid: i32,
    pub(crate) process: Option<PidFd>,
    pub(crate) created_nanos: i64,
    pub(crate) started_nanos: Option<i64>,
    pub(crate) exit: Option<Exit>,
    pub(crate) sink: Option<Sink>,
    pub(crate) pipes: [Option<OwnedFd>; 2],
    /// The process between its terminal and its output.
    pub(crate) relay: Option<i32>,
    /// Readable when it, or its task, ran out of memory.
    pub(crate) memory: Option<OwnedFd>,
    /// How often the kernel's count is still to be looked at since then.
    pub(crate) looks: u32,
}

/// How long the end of a container waits for its relay to have copied the last of its output.
const RELAY_PATIENCE: Duration = Duration::from_millis(500);

impl Container {
    pub(crate) fn new(id: &str, dir: Utf8PathBuf, cgroup: String) -> Container {
        Container {
            id: id.to_owned(),
            dir,
            cgroup,
            state: State::Creating,
            secrets: None,
            keep_files: false,
            pid: 0,
            process: None,
            created_nanos: now_nanos(),
            started_nanos: None,
            exit: None,
            sink: None,
            pipes: [None, None],
            relay: None,
            memory: None,
            looks: 0,
        }
    }

    /// Returns what a cleaner has to remove.
    pub(crate) fn remains(&self) -> Remains {
        Remains {
            id: self.id.clone(),
            dir: self.dir.clone(),
            cgroup: self.cgroup.clone(),
            keep_files: self.keep_files,
        }
    }

    /// Says whether a process of it may be alive.
    pub(crate) fn lives(&self) -> bool {
        self.pid != 0 && self.exit.is_none()
    }

    /// Begins to read the pipes.
    pub(crate) fn attach(&mut self, number: u32, readers: [OwnedFd; 2], poll: &Poll) -> io::Result<()> {
        for ((reader, slot), stream) in readers.into_iter().zip(&mut self.pipes).zip(0..) {
            poll.watch(reader.as_raw_fd(), Token::Pipe(number, stream), false)?;
            *slot = Some(reader);
        }
        Ok(())
    }

    /// Opens the pipes of a running container that another keeper made.
    pub(crate) fn reattach(&mut self, number: u32, poll: &Poll) -> io::Result<()> {
        self.sink = Some(Sink::open(&self.dir)?);
        for (stream, slot) in (0_u8..).zip(&mut self.pipes) {
            let path = match self.relay {
                // Both streams are the terminal, and come through its relay.
                Some(relay) => format!("/proc/{relay}/fd/1"),
                None => format!("/proc/{}/fd/{}", self.pid, stream + 1),
            };
            if self.relay.is_some() && stream > 0 {
                break;
            }
            let opened = std::fs::File::options()
                .read(true)
                .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
                .open(path);
            // A program may have closed or redirected it; then there is nothing to drain.
            let Ok(file) = opened else { continue };
            if file.metadata()?.file_type().is_fifo() {
                poll.watch(file.as_raw_fd(), Token::Pipe(number, stream), false)?;
                *slot = Some(file.into());
            }
        }
        Ok(())
    }

    /// Moves one chunk from a pipe to the files; says whether there may be more.
    pub(crate) fn drain(&mut self, stream: u8, buffer: &mut [u8], poll: &Poll) -> bool {
        let slot = &mut self.pipes[usize::from(stream & 1)];
        let Some(pipe) = slot else { return false };
        match nix::unistd::read(&*pipe, buffer) {
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => false,
            Ok(0) | Err(_) => {
                poll.forget(pipe.as_raw_fd());
                *slot = None;
                false
            }
            Ok(length) => {
                let stream = if stream == 0 { Stream::Stdout } else { Stream::Stderr };
                if let Some(sink) = &mut self.sink {
                    sink.append(stream, now_nanos(), &buffer[..length]);
                }
                true
            }
        }
    }

    /// Moves what is left in the pipes of an ended container and closes them, so that its exit means that its output
    /// is complete.
    pub(crate) fn drain_to_end(&mut self, buffer: &mut [u8], poll: &Poll) {
        if self.relay.is_some() {
            self.await_relay(buffer, poll);
        }
        for stream in [0, 1] {
            while self.drain(stream, buffer, poll) {}
            if let Some(pipe) = self.pipes[usize::from(stream)].take() {
                poll.forget(pipe.as_raw_fd());
            }
        }
    }

    /// Drains until the relay has ended, which it does when nobody has the terminal open any more.
    fn await_relay(&mut self, buffer: &mut [u8], poll: &Poll) {
        let deadline = Instant::now() + RELAY_PATIENCE;
        while Instant::now() < deadline {
            while self.drain(0, buffer, poll) {}
            let Some(pipe) = &self.pipes[0] else { return };
            let mut waiting = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
            let _interrupted = nix::poll::poll(&mut waiting, PollTimeout::from(50_u8));
        }
    }

    /// Says whether the kernel has killed something in it for memory, as far as can be told yet.
    pub(crate) fn ran_out_of_memory(&mut self, kills: u64) -> bool {
        self.looks = if kills > 0 { 0 } else { self.looks.saturating_sub(1) };
        kills > 0
    }

    /// Returns it as the protocol shows it.
    pub(crate) fn describe(&self) -> protocol::Container {
        protocol::Container {
            id: self.id.clone(),
            state: self.state,
            pid: if self.lives() { self.pid } else { 0 },
            created_nanos: self.created_nanos,
            started_nanos: self.started_nanos,
            exit: self.exit.clone(),
            output_lost_bytes: self.sink.as_ref().map_or(0, |sink| sink.lost_bytes),
        }
    }
}

/// Reads what a helper has said so far into `bytes`; says whether it is at its end.
pub(crate) fn read_messages(messages: &OwnedFd, bytes: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4096];
    match nix::unistd::read(messages, &mut buffer) {
        Err(nix::Error::EINTR) => false,
        Ok(0) | Err(_) => true,
        Ok(length) => {
            bytes.extend_from_slice(&buffer[..length]);
            false
        }
    }
}

//! A client as keeper sees it.

use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use serde::Serialize;

use crate::poll::{Poll, Token};
use crate::protocol::Request;
use crate::wire::{self, Inbox};

/// Unread exits a watcher may pile up before it is dropped.
const OUTBOX_MAX: usize = 16 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    token: Token,
    inbox: Inbox,
    outbox: Vec<u8>,
    /// Whether a request is being worked on; the next one waits.
    pub(crate) busy: bool,
    /// Whether it wants exits.
    pub(crate) watches: bool,
}

/// A request with the descriptors that came beside it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) descriptors: Vec<OwnedFd>,
}

impl Connection {
    /// Takes a client in, if it is root.
    pub(crate) fn accept(stream: UnixStream, token: Token, poll: &Poll) -> io::Result<Connection> {
        if getsockopt(&stream, PeerCredentials)?.uid() != 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        stream.set_nonblocking(true)?;
        poll.watch(stream.as_raw_fd(), token, false)?;
        let (inbox, outbox) = (Inbox::default(), Vec::new());
        Ok(Connection { stream, token, inbox, outbox, busy: false, watches: false })
    }

    /// Reads what has arrived; `Ok(false)` when the client has gone.
    pub(crate) fn receive(&mut self) -> io::Result<bool> {
        match self.inbox.receive(self.stream.as_fd()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            other => other,
        }
    }

    /// Takes the next request, unless one is being worked on.
    pub(crate) fn next_request(&mut self) -> io::Result<Option<Result<Asked, serde_json::Error>>> {
        if self.busy {
            return Ok(None);
        }
        let Some(body) = self.inbox.take_frame()? else { return Ok(None) };
        let request = serde_json::from_slice::<Request>(&body);
        Ok(Some(request.map(|request| {
            let descriptors = self.inbox.take_descriptors(request.carries());
            Asked { request, descriptors }
        })))
    }

    /// Sends a value, or as much of it as the client takes now.
    pub(crate) fn send<T: Serialize>(&mut self, value: &T, poll: &Poll) -> io::Result<()> {
        self.outbox.extend(wire::frame(value)?);
        self.flush(poll)
    }

    /// Sends what is left over.
    pub(crate) fn flush(&mut self, poll: &Poll) -> io::Result<()> {
        while !self.outbox.is_empty() {
            match self.stream.write(&self.outbox) {
                Ok(count) => drop(self.outbox.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.outbox.len() > OUTBOX_MAX {
            return Err(io::Error::other("the client does not read"));
        }
        poll.watch(self.stream.as_raw_fd(), self.token, !self.outbox.is_empty())
    }

    /// Stops waiting for the client.
    pub(crate) fn close(self, poll: &Poll) {
        poll.forget(self.stream.as_raw_fd());
    }
}

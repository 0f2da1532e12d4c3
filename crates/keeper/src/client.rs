//! The blocking client of keeper's socket, for a thread of the agent.
//!
//! One connection carries one request at a time; open several for work at the same time. Exits come on a
//! connection of their own, see [`Client::watch`].

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use camino::{Utf8Path, Utf8PathBuf};
use wharf_sandbox::spec::ContainerSpec;

use crate::protocol::{Container, Created, Exit, FRAME_MAX, Refusal, Reply, Request};
use crate::wire;

/// Why a call on keeper failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("connect to keeper at {path}")]
    Connect { path: Utf8PathBuf, source: std::io::Error },
    /// The connection broke; whether the request was done is not known.
    #[error("talk to keeper")]
    Talk(#[source] std::io::Error),
    /// A frame that is not of the protocol.
    #[error("understand keeper's answer")]
    Understand(#[source] serde_json::Error),
    /// An answer that does not belong to the question.
    #[error("keeper answered something else: {0}")]
    Unexpected(String),
    /// Keeper said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A connection to keeper.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
}

impl Client {
    /// Connects to keeper's socket.
    pub fn connect(path: &Utf8Path) -> Result<Client, ClientError> {
        let stream = UnixStream::connect(path)
            .map_err(|source| ClientError::Connect { path: path.to_owned(), source })?;
        Ok(Client { stream })
    }

    /// Creates and starts a container in a network namespace, in one round trip.
    pub fn run(
        &mut self,
        id: &str,
        spec: &ContainerSpec,
        netns: BorrowedFd<'_>,
    ) -> Result<Created, ClientError> {
        let request = Request::Run { id: id.to_owned(), spec: Box::new(spec.clone()) };
        self.created(&request, netns)
    }

    /// Creates a container in a network namespace; it waits for [`Client::start`].
    pub fn create(
        &mut self,
        id: &str,
        spec: &ContainerSpec,
        netns: BorrowedFd<'_>,
    ) -> Result<Created, ClientError> {
        let request = Request::Create { id: id.to_owned(), spec: Box::new(spec.clone()) };
        self.created(&request, netns)
    }

    /// Starts a created container.
    pub fn start(&mut self, id: &str) -> Result<(), ClientError> {
        self.done(&Request::Start { id: id.to_owned() })
    }

    /// Sends a signal to the first process of a running container.
    pub fn kill(&mut self, id: &str, signal: i32) -> Result<(), ClientError> {
        self.done(&Request::Kill { id: id.to_owned(), signal })
    }

    /// Kills what is left of a container and removes everything but its output files and its exit.
    pub fn delete(&mut self, id: &str) -> Result<(), ClientError> {
        self.done(&Request::Delete { id: id.to_owned() })
    }

    /// Forgets a deleted container.
    pub fn forget(&mut self, id: &str) -> Result<(), ClientError> {
        self.done(&Request::Forget { id: id.to_owned() })
    }

    /// Returns every container keeper knows.
    pub fn list(&mut self) -> Result<Vec<Container>, ClientError> {
        match self.ask(&Request::List, None)? {
            Reply::Containers { containers } => Ok(containers),
            other => Err(unexpected(&other)),
        }
    }

    /// Turns the connection into the stream of exits: first those not forgotten, then each as it happens.
    pub fn watch(mut self) -> Result<Exits, ClientError> {
        self.done(&Request::Watch)?;
        Ok(Exits { stream: self.stream })
    }

    fn created(&mut self, request: &Request, netns: BorrowedFd<'_>) -> Result<Created, ClientError> {
        match self.ask(request, Some(netns))? {
            Reply::Created(created) => Ok(created),
            other => Err(unexpected(&other)),
        }
    }

    fn done(&mut self, request: &Request) -> Result<(), ClientError> {
        match self.ask(request, None)? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    fn ask(&mut self, request: &Request, descriptor: Option<BorrowedFd<'_>>) -> Result<Reply, ClientError> {
        let frame = wire::frame(request).map_err(ClientError::Understand)?;
        let sent = wire::send(self.stream.as_fd(), &frame, descriptor).map_err(ClientError::Talk)?;
        self.stream.write_all(&frame[sent..]).map_err(ClientError::Talk)?;
        let body = read_frame(&mut self.stream).map_err(ClientError::Talk)?;
        match serde_json::from_slice(&body).map_err(ClientError::Understand)? {
            Reply::Refused { refusal } => Err(refusal.into()),
            reply => Ok(reply),
        }
    }
}

/// The stream of exits. Each call of `next` waits for one; dropped connections end it with an error.
#[derive(Debug)]
pub struct Exits {
    stream: UnixStream,
}

impl Exits {
    /// Returns a second handle whose `shutdown` wakes a reader.
    pub fn handle(&self) -> std::io::Result<UnixStream> {
        self.stream.try_clone()
    }
}

impl Iterator for Exits {
    type Item = Result<Exit, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        let body = match read_frame(&mut self.stream) {
            Ok(body) => body,
            Err(error) => return Some(Err(ClientError::Talk(error))),
        };
        Some(serde_json::from_slice(&body).map_err(ClientError::Understand))
    }
}

fn read_frame(stream: &mut UnixStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > FRAME_MAX {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "frame too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn unexpected(reply: &Reply) -> ClientError {
    ClientError::Unexpected(format!("{reply:?}"))
}

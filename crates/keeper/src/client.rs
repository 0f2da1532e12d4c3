//! The blocking client of keeper's socket, for a thread of the agent.
//!
//! One connection carries one request at a time; open several for work at the same time. Exits come on a
//! connection of their own, see [`Client::watch`].

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use camino::{Utf8Path, Utf8PathBuf};
use wharf_sandbox::exec::ExecSpec;
use wharf_sandbox::spec::ContainerSpec;

use crate::protocol::{Container, Created, Ended, Exit, FRAME_MAX, Refusal, Reply, Request};
use crate::wire::{self, Inbox};

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

    /// Begins a further process in a running container, which gets these descriptors: standard input, output and error, or
    /// a socket on which its terminal is sent. The connection is the process's from then on.
    pub fn exec(
        mut self,
        id: &str,
        exec: &ExecSpec,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<Executing, ClientError> {
        let request = Request::Exec { id: id.to_owned(), exec: Box::new(exec.clone()) };
        match self.ask(&request, descriptors)? {
            Reply::Executing { pid } => Ok(Executing { pid, stream: self.stream }),
            other => Err(unexpected(&other)),
        }
    }

    /// Begins a further process with a terminal; returns the terminal too, whose reads and writes never block.
    pub fn exec_in_terminal(self, id: &str, exec: &ExecSpec) -> Result<(Executing, OwnedFd), ClientError> {
        let (ours, theirs) = UnixStream::pair().map_err(ClientError::Talk)?;
        let executing = self.exec(id, exec, &[theirs.as_fd()])?;
        let mut inbox = Inbox::default();
        // It was sent before the process was begun.
        inbox.receive(ours.as_fd()).map_err(ClientError::Talk)?;
        let terminal = inbox.take_descriptors(1).pop();
        terminal
            .map(|terminal| (executing, terminal))
            .ok_or_else(|| ClientError::Unexpected("a process without its terminal".to_owned()))
    }

    /// Kills what is left of a container and removes everything but its output files and its exit.
    pub fn delete(&mut self, id: &str) -> Result<(), ClientError> {
        self.done(&Request::Delete { id: id.to_owned(), keep_files: false })
    }

    /// Does the same and keeps the container's files, for it to be run again.
    pub fn delete_but_files(&mut self, id: &str) -> Result<(), ClientError> {
        self.done(&Request::Delete { id: id.to_owned(), keep_files: true })
    }

    /// Forgets a deleted container.
    pub fn forget(&mut self, id: &str) -> Result<(), ClientError> {
        self.done(&Request::Forget { id: id.to_owned() })
    }

    /// Returns every container keeper knows.
    pub fn list(&mut self) -> Result<Vec<Container>, ClientError> {
        match self.ask(&Request::List, &[])? {
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
        match self.ask(request, &[netns])? {
            Reply::Created(created) => Ok(created),
            other => Err(unexpected(&other)),
        }
    }

    fn done(&mut self, request: &Request) -> Result<(), ClientError> {
        match self.ask(request, &[])? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    fn ask(&mut self, request: &Request, descriptors: &[BorrowedFd<'_>]) -> Result<Reply, ClientError> {
        let frame = wire::frame(request).map_err(ClientError::Understand)?;
        let sent = wire::send(self.stream.as_fd(), &frame, descriptors).map_err(ClientError::Talk)?;
        self.stream.write_all(&frame[sent..]).map_err(ClientError::Talk)?;
        let body = read_frame(&mut self.stream).map_err(ClientError::Talk)?;
        match serde_json::from_slice(&body).map_err(ClientError::Understand)? {
            Reply::Refused { refusal } => Err(refusal.into()),
            reply => Ok(reply),
        }
    }
}

/// A further process in a container. It is killed when this is dropped before its end.
#[derive(Debug)]
pub struct Executing {
    /// Its process id on the host.
    pub pid: i32,
    stream: UnixStream,
}

impl Executing {
    /// Waits for its end.
    pub fn wait(mut self) -> Result<Ended, ClientError> {
        let body = read_frame(&mut self.stream).map_err(ClientError::Talk)?;
        serde_json::from_slice(&body).map_err(ClientError::Understand)
    }

    /// Returns the connection, on which one frame comes: [`Ended`].
    pub fn into_stream(self) -> UnixStream {
        self.stream
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

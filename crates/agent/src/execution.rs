//! Further processes in containers: health checks, and commands of people who look inside.
//!
//! One belongs to the connection to keeper that began it: dropping an [`Execution`] kills its process.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::{UnixStream, unix::pipe},
};
use wharf_keeper::{ClientError, protocol::Ended};
use wharf_sandbox::exec::{ExecSpec, TerminalSize, resize};

use crate::keeper::Keeper;

mod check;
mod session;

pub(crate) use check::{Check, run as check};
pub(crate) use session::serve;

/// The size of a terminal until its user says another one.
const SIZE: TerminalSize = TerminalSize { columns: 80, rows: 24 };

/// How long the last output of a process that ended is waited for.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A process that runs.
#[derive(Debug)]
pub(crate) struct Execution {
    connection: UnixStream,
}

impl Execution {
    fn new(executing: wharf_keeper::Executing) -> io::Result<Execution> {
        let stream = executing.into_stream();
        stream.set_nonblocking(true)?;
        Ok(Execution { connection: UnixStream::from_std(stream)? })
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> io::Result<Ended> {
        let length = self.connection.read_u32().await?;
        let mut body =
            vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(wharf_keeper::protocol::FRAME_MAX)];
        self.connection.read_exact(&mut body).await?;
        Ok(serde_json::from_slice(&body)?)
    }
}

/// A process's streams, as seen from outside.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub(crate) input: pipe::Sender,
    pub(crate) output: pipe::Receiver,
    pub(crate) error: pipe::Receiver,
}

/// Begins a process with pipes for its streams.
pub(crate) async fn begin(
    keeper: &Keeper,
    id: &str,
    spec: ExecSpec,
) -> Result<(Execution, Pipes), ClientError> {
    let (input, stdin) = pipe::pipe().map_err(ClientError::Talk)?;
    let (stdout, output) = pipe::pipe().map_err(ClientError::Talk)?;
    let (stderr, error) = pipe::pipe().map_err(ClientError::Talk)?;
    let streams: [OwnedFd; 3] = [
        stdin.into_blocking_fd().map_err(ClientError::Talk)?,
        stdout.into_blocking_fd().map_err(ClientError::Talk)?,
        stderr.into_blocking_fd().map_err(ClientError::Talk)?,
    ];
    let id = id.to_owned();
    let executing =
        keeper.exec(move |client| client.exec(&id, &spec, &streams.each_ref().map(AsFd::as_fd))).await?;
    let execution = Execution::new(executing).map_err(ClientError::Talk)?;
    Ok((execution, Pipes { input, output, error }))
}

/// Begins a process with a terminal.
pub(crate) async fn begin_in_terminal(
    keeper: &Keeper,
    id: &str,
    spec: ExecSpec,
) -> Result<(Execution, Terminal), ClientError> {
    let id = id.to_owned();
    let spec = ExecSpec { terminal: Some(SIZE), ..spec };
    let (executing, terminal) = keeper.exec(move |client| client.exec_in_terminal(&id, &spec)).await?;
    let execution = Execution::new(executing).map_err(ClientError::Talk)?;
    Ok((execution, Terminal::new(terminal).map_err(ClientError::Talk)?))
}

/// A terminal's outer end. It can be waited for as a pipe can.
#[derive(Debug)]
pub(crate) struct Terminal {
    input: pipe::Sender,
    output: pipe::Receiver,
    whole: OwnedFd,
}

impl Terminal {
    fn new(whole: OwnedFd) -> io::Result<Terminal> {
        let input = pipe::Sender::from_owned_fd_unchecked(whole.try_clone()?)?;
        let output = pipe::Receiver::from_owned_fd_unchecked(whole.try_clone()?)?;
        Ok(Terminal { input, output, whole })
    }

    /// Changes its size.
    pub(crate) fn resize(whole: &OwnedFd, size: TerminalSize) -> io::Result<()> {
        resize(whole.as_fd(), size)
    }

    /// Returns its two directions, and what it is resized by.
    pub(crate) fn split(self) -> (pipe::Sender, pipe::Receiver, OwnedFd) {
        (self.input, self.output, self.whole)
    }
}

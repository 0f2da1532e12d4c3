//! A request's way to one target, and its answer's way back.

use crate::{
    buffer::Buffer,
    chunks::Chunks,
    head::{self, Answer, Asked, Dress, Extent, Nonsense},
    patience::Patience,
    relay,
    session::ClientStream,
    target::Connection,
};
use pingora_core::protocols::http::date::get_cached_date;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
    time::Instant,
};

/// Why a target did not answer.
pub(super) enum Failure {
    /// The connection ended before a byte of an answer.
    Unanswered,
    /// It ended within the head, or what came is no HTTP.
    Nonsense,
    /// It took too long.
    Late,
    /// The client has seen a part of the answer, or is gone.
    Begun,
}

/// A request and what becomes of its answer.
pub(super) struct Exchange<'a> {
    pub(super) request: &'a [u8],
    pub(super) early: &'a [u8],
    pub(super) asked: &'a Asked<'a>,
    pub(super) dress: Dress<'a>,
    pub(super) closing: &'a watch::Receiver<bool>,
    /// When the target answered, and with which status.
    pub(super) answered: Option<(Instant, u16)>,
}

/// An answer that was passed on.
pub(super) struct Exchanged {
    pub(super) status: u16,
    /// Whether the target's connection may be kept.
    pub(super) reuse: bool,
    /// Whether the client's may.
    pub(super) keep: bool,
}

impl Exchange<'_> {
    /// Sends the request and passes on the answer.
    pub(super) async fn run(
        &mut self,
        connection: &mut Connection,
        stream: &mut ClientStream,
        patience: &mut Patience,
    ) -> Result<Exchanged, Failure> {
        let Exchange { request, early, asked, dress, closing, answered } = self;
        let tcp = connection.tcp().map_err(|_| Failure::Unanswered)?;
        let sent = patience.wait(tcp.write_all(request)).await.ok_or(Failure::Late)?;
        sent.map_err(|_| Failure::Unanswered)?;

        let mut buffer = read(connection, patience, None).await.map_err(|late| match late {
            true => Failure::Late,
            false => Failure::Unanswered,
        })?;
        // Most heads are shorter, and grow by less.
        let mut out = Vec::with_capacity(buffer.len().min(1024) + 256);
        let (status, head, body, reuse, keep) = loop {
            let keep = !asked.close && !*closing.borrow();
            match head::answer(&buffer, asked, keep, get_cached_date, dress, &mut out) {
                Ok(Answer::Final { status, head, body, reuse, keep }) => {
                    break (status, head, body, reuse, keep);
                }
                Ok(Answer::Interim(length)) => {
                    buffer.drain(..length);
                    send(stream, patience, &[&out]).await?;
                    out.clear();
                    if !buffer.is_empty() {
                        continue;
                    }
                }
                Ok(Answer::Switched(head)) => {
                    *answered = Some((Instant::now(), 101));
                    send(stream, patience, &[&out, &buffer[head..]]).await?;
                    let tcp = connection.tcp().map_err(|_| Failure::Begun)?;
                    let sent = patience.wait(tcp.write_all(early)).await.ok_or(Failure::Begun)?;
                    sent.map_err(|_| Failure::Begun)?;
                    drop((out, buffer));
                    stream.allow(u64::MAX);
                    relay::both(stream, tcp, patience).await;
                    return Ok(Exchanged { status: 101, reuse: false, keep: false });
                }
                Ok(Answer::Partial) => {}
                Err(Nonsense) => return Err(Failure::Nonsense),
            }
            buffer = match read(connection, patience, Some(buffer)).await {
                Ok(buffer) => buffer,
                Err(true) => return Err(Failure::Late),
                Err(false) => return Err(Failure::Nonsense),
            };
        };
        *answered = Some((Instant::now(), status));
        let mut left = Left::new(body);
        let mut count = left.pass(&buffer[head..]).map_err(|Nonsense| Failure::Nonsense)?;
        let mut excess = buffer.len() > head + count;
        send(stream, patience, &[&out, &buffer[head..head + count]]).await?;
        drop(buffer);
        while !left.is_none() {
            let buffer = match read(connection, patience, None).await {
                Ok(buffer) => buffer,
                Err(false) if matches!(left, Left::Close) => break,
                Err(_) => return Err(Failure::Begun),
            };
            count = left.pass(&buffer).map_err(|Nonsense| Failure::Begun)?;
            excess = buffer.len() > count;
            send(stream, patience, &[&buffer[..count]]).await?;
        }
        Ok(Exchanged { status, reuse: reuse && !excess, keep })
    }
}

/// Reads what there is, after what `buffer` has; the error is whether it took too long.
async fn read(
    connection: &mut Connection,
    patience: &mut Patience,
    buffer: Option<Buffer>,
) -> Result<Buffer, bool> {
    let tcp = connection.tcp().map_err(|_| false)?;
    let ready = patience.wait(tcp.readable()).await.ok_or(true)?;
    ready.map_err(|_| false)?;
    let mut buffer = buffer.unwrap_or_else(Buffer::take);
    let count = patience.wait(tcp.read_buf(&mut *buffer)).await.ok_or(true)?;
    match count {
        Ok(0) | Err(_) => Err(false),
        Ok(_) => Ok(buffer),
    }
}

/// Sends to the client.
pub(super) async fn send(
    stream: &mut ClientStream,
    patience: &mut Patience,
    pieces: &[&[u8]],
) -> Result<(), Failure> {
    let sending = async {
        for piece in pieces {
            stream.write_all(piece).await?;
        }
        stream.flush().await
    };
    match patience.wait(sending).await {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) | None => Err(Failure::Begun),
    }
}

/// What is left of an answer's body.
#[derive(Debug)]
enum Left {
    Length(u64),
    Chunked(Chunks),
    Close,
}

impl Left {
    fn new(body: Extent) -> Left {
        match body {
            Extent::Length(length) => Left::Length(length),
            Extent::Chunked => Left::Chunked(Chunks::new()),
            Extent::Close => Left::Close,
        }
    }

    /// Returns how many of these bytes are the body's.
    fn pass(&mut self, bytes: &[u8]) -> Result<usize, Nonsense> {
        match self {
            Left::Length(left) => {
                let count = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= count as u64;
                Ok(count)
            }
            Left::Chunked(chunks) => chunks.pass(bytes).map_err(|_| Nonsense),
            Left::Close => Ok(bytes.len()),
        }
    }

    fn is_none(&self) -> bool {
        match self {
            Left::Length(left) => *left == 0,
            Left::Chunked(chunks) => chunks.is_done(),
            Left::Close => false,
        }
    }
}

//! The short way of a request that is all there and needs no more than passing on: without pingora, in one task.
//!
//! Most requests go this way: HTTP/1.1, the body (if any) arrived with the head, no upgrade, nothing said about hops.
//! All others, and actions that are not `forward`, are left to pingora. The promises are the same on both ways: a
//! request is counted in before its listener is looked at again, a target is not tried twice when it did not accept,
//! and what may have reached a target is sent again only if it is idempotent and the connection had been kept.
//!
//! Nothing is held while a target thinks but the request: buffers for answers belong to the thread.

use crate::{
    answer,
    balancer::Balancer,
    chunks::Chunks,
    connect,
    forwarded::{random, trace_id},
    head::{self, Answer, Asked, Extent, Nonsense},
    patience::Patience,
    session::ClientStream,
    strict::{Body, Framing},
    table::{Done, Listener, route},
    target::{Connection, InFlight},
};
use bytes::Buf;
use pingora_core::protocols::http::date::get_cached_date;
use std::{
    cell::RefCell,
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    ops::{Deref, DerefMut},
    sync::Arc,
    time::SystemTime,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
};

/// As much of an answer as is read at once.
const BUFFER: usize = 64 << 10;
/// Buffers that a thread keeps.
const SPARE: usize = 16;

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Passed {
    /// Nothing yet: it needs the long way.
    NotThisWay,
    /// It was answered; the connection waits for the next.
    Next,
    /// The connection is over.
    Over,
    /// This is to be answered, and the connection is over.
    Failed(Vec<u8>),
}

/// Why a target did not answer.
enum Failure {
    /// The connection ended before a byte of an answer.
    Unanswered,
    /// It ended within the head, or what came is no HTTP.
    Nonsense,
    /// It took too long.
    Late,
    /// The client has seen a part of the answer, or is gone.
    Begun,
}

/// Passes on the request whose head was just checked.
pub(crate) async fn pass(
    balancer: &Balancer,
    stream: &mut ClientStream,
    (at, from): (SocketAddrV4, SocketAddr),
    framing: &Framing,
    patience: &mut Patience,
    closing: &watch::Receiver<bool>,
) -> Passed {
    let Body::Length(length) = framing.body else { return Passed::NotThisWay };
    let whole = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(framing.head);
    if framing.upgrade || stream.came.len() < whole {
        return Passed::NotThisWay;
    }
    let mut came = std::mem::take(&mut stream.came);
    let mut out = Vec::with_capacity(framing.head + 256);
    let passed = 'passed: {
        let Some(asked) = head::request(&came[..framing.head], &mut out) else {
            break 'passed Passed::NotThisWay;
        };
        let mut request = Request { balancer, at, asked, chosen: None, tried: Vec::new(), failure: 503 };
        let Some(listener) = request.listener() else { break 'passed Passed::NotThisWay };
        if !matches!(listener.action, Done::Forward(_)) {
            break 'passed Passed::NotThisWay;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let trace = trace_id(request.asked.trace, now.as_secs(), (random(), random()));
        head::finish(&mut out, &request.asked, from.ip(), listener.port, &trace);
        out.extend_from_slice(&came[framing.head..whole]);
        request.answered(&out, stream, patience, closing).await
    };
    match passed {
        Passed::NotThisWay => stream.came = came,
        _ if came.len() > whole => {
            came.advance(whole);
            stream.came = came;
        }
        _ => {}
    }
    passed
}

/// A request on the short way.
struct Request<'a> {
    balancer: &'a Balancer,
    at: SocketAddrV4,
    asked: Asked<'a>,
    /// The listener by the table of this generation.
    chosen: Option<(u64, Arc<Listener>)>,
    tried: Vec<u64>,
    failure: u16,
}

impl Request<'_> {
    /// Returns the listener by the table in force.
    fn listener(&mut self) -> Option<Arc<Listener>> {
        let table = self.balancer.table();
        if let Some((generation, listener)) = &self.chosen
            && *generation == table.generation
        {
            return Some(listener.clone());
        }
        let listener = table.listener(self.at, self.asked.host)?.clone();
        self.chosen = Some((table.generation, listener.clone()));
        Some(listener)
    }

    /// Counts the request in at a target; else returns the status to answer.
    fn enter(&mut self) -> Result<(InFlight, Option<Ipv4Addr>), u16> {
        loop {
            let listener = self.listener().ok_or(503_u16)?;
            let Done::Forward(routes) = &listener.action else { return Err(503) };
            let chosen = route(routes, random()).and_then(|route| route.choose(&self.tried));
            let backend = chosen.ok_or(self.failure)?;
            let Some(entered) = backend.target.enter() else { continue };
            let current = self.chosen.as_ref().is_some_and(|(at, _)| self.balancer.is_generation(*at));
            if current {
                return Ok((entered, backend.source));
            }
        }
    }

    /// Sends the request until it is answered.
    async fn answered(
        &mut self,
        request: &[u8],
        stream: &mut ClientStream,
        patience: &mut Patience,
        closing: &watch::Receiver<bool>,
    ) -> Passed {
        let mut kept_are_fine = true;
        loop {
            let (entered, source) = match self.enter() {
                Ok(entered) => entered,
                Err(status) => return self.failed(status),
            };
            let target = entered.target();
            let kept = if kept_are_fine { target.reuse(source) } else { None };
            let reused = kept.is_some();
            let connection = match kept {
                Some(kept) => Ok(kept),
                None => connect::open(target, source).await,
            };
            let mut connection = match connection {
                Ok(connection) => connection,
                Err(error) => {
                    // Nothing was sent, so another target may be asked whatever the method is.
                    self.failure = if error.kind() == io::ErrorKind::TimedOut { 504 } else { 502 };
                    target.suspect();
                    self.tried.push(target.id);
                    continue;
                }
            };
            match exchange(&mut connection, request, &self.asked, stream, patience, closing).await {
                Ok((reuse, keep)) => {
                    if reuse {
                        connection.keep(source);
                    }
                    return if keep { Passed::Next } else { Passed::Over };
                }
                // The target had just closed a connection that was kept: it may be asked again on another.
                Err(Failure::Unanswered) if reused && self.asked.idempotent => {
                    self.failure = 502;
                    kept_are_fine = false;
                }
                Err(Failure::Unanswered | Failure::Nonsense) => return self.failed(502),
                Err(Failure::Late) => return self.failed(504),
                Err(Failure::Begun) => return Passed::Over,
            }
        }
    }

    fn failed(&self, status: u16) -> Passed {
        tracing::debug!(status, "request failed");
        let mut answer = answer::raw(status);
        if self.asked.head_only
            && let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")
        {
            answer.truncate(end + 4);
        }
        Passed::Failed(answer)
    }
}

/// Sends a request and passes on the answer; returns whether the target's connection and the client's may be kept.
async fn exchange(
    connection: &mut Connection,
    request: &[u8],
    asked: &Asked<'_>,
    stream: &mut ClientStream,
    patience: &mut Patience,
    closing: &watch::Receiver<bool>,
) -> Result<(bool, bool), Failure> {
    let tcp = connection.tcp().map_err(|_| Failure::Unanswered)?;
    let sent = patience.wait(tcp.write_all(request)).await.ok_or(Failure::Late)?;
    sent.map_err(|_| Failure::Unanswered)?;

    let mut out = Vec::new();
    let mut buffer = read(connection, patience, None).await.map_err(|late| match late {
        true => Failure::Late,
        false => Failure::Unanswered,
    })?;
    let (head, body, reuse, keep) = loop {
        let keep = !asked.close && !*closing.borrow();
        match head::answer(&buffer, asked, keep, get_cached_date, &mut out) {
            Ok(Answer::Final { head, body, reuse, keep }) => break (head, body, reuse, keep),
            Ok(Answer::Interim(length)) => {
                buffer.drain(..length);
                send(stream, patience, &[&out]).await?;
                out.clear();
                if !buffer.is_empty() {
                    continue;
                }
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
    Ok((reuse && !excess, keep))
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
async fn send(stream: &mut ClientStream, patience: &mut Patience, pieces: &[&[u8]]) -> Result<(), Failure> {
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

/// A buffer of the thread's, given back when it is dropped.
struct Buffer(Vec<u8>);

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Buffer {
    fn take() -> Buffer {
        let spare = BUFFERS.with_borrow_mut(Vec::pop);
        Buffer(spare.unwrap_or_else(|| Vec::with_capacity(BUFFER)))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0);
        bytes.clear();
        // A thread that ends needs none.
        let _ = BUFFERS.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARE && bytes.capacity() <= 2 * BUFFER {
                spare.push(bytes);
            }
        });
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

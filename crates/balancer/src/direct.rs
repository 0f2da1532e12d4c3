//! The short way of a request that is all there and needs no more than passing on: without pingora, in one task.
//!
//! Most requests go this way: HTTP/1.1, the body (if any) arrived with the head, nothing said about hops but that they are to
//! become a WebSocket's.
//! All others are left to pingora. The promises are the same on both ways: a
//! request is counted in before its listener is looked at again, a target is not tried twice when it did not accept,
//! and what may have reached a target is sent again only if it is idempotent and the connection had been kept.
//!
//! Nothing is held while a target thinks but the request: buffers for answers belong to the thread.

use crate::{
    answer::Own,
    balancer::Balancer,
    buffer::Buffer,
    chunks::Chunks,
    client::Way,
    connect,
    entry::Entry,
    forwarded::{random, too_many, trace_id},
    group::{Group, Keeping, Wish},
    head::{self, Answer, Asked, Dress, Extent, Nonsense, Raw, Told},
    host,
    patience::Patience,
    relay,
    rewrite::Unfit,
    rule::{Headers, Question},
    session::ClientStream,
    strict::{Body, Framing},
    table::{Decided, Done, Listener},
    target::{Connection, InFlight},
};
use bytes::Buf;
use pingora_core::protocols::http::date::get_cached_date;
use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
    time::Instant,
};

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
    way: &Way,
    framing: &Framing,
    patience: &mut Patience,
    closing: &watch::Receiver<bool>,
) -> Passed {
    let Body::Length(length) = framing.body else { return Passed::NotThisWay };
    let whole = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(framing.head);
    if framing.upgrade && length != 0 || stream.came.len() < whole {
        return Passed::NotThisWay;
    }
    let mut came = std::mem::take(&mut stream.came);
    let mut out = Vec::with_capacity(framing.head + 256);
    let passed = 'passed: {
        let (head, body) = came[..whole].split_at(framing.head);
        let Some(mut asked) = head::request(head, &mut out) else {
            break 'passed Passed::NotThisWay;
        };
        asked.close |= way.last;
        let mut request = Request {
            balancer,
            way,
            head,
            body,
            early: &came[whole..],
            asked,
            out,
            composed: None,
            now_secs: way.came.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
            trail: Trail::default(),
            chosen: None,
            tried: Vec::new(),
            failure: 503,
        };
        let Some((listener, decided)) = request.decided() else { break 'passed Passed::NotThisWay };
        if listener.settings.drop_invalid_header_fields && request.asked.odd_names {
            break 'passed Passed::NotThisWay;
        }
        let passed = match request.own(&listener, decided) {
            _ if too_many(&request.asked.forwarded_for) => request.failed(463),
            Some(own) => request.say(&own, &listener, stream, patience, closing).await,
            None => request.answered(stream, patience, closing).await,
        };
        request.log(stream, &passed);
        passed
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
    way: &'a Way,
    head: &'a [u8],
    body: &'a [u8],
    /// What came after it.
    early: &'a [u8],
    asked: Asked<'a>,
    /// What is sent to targets, once it is composed for a table.
    out: Vec<u8>,
    composed: Option<u64>,
    now_secs: u64,
    /// The listener and its rule by the table of this generation.
    chosen: Option<(u64, Arc<Listener>, Decided)>,
    tried: Vec<u64>,
    failure: u16,
    trail: Trail,
}

/// What the logs tell of a request.
#[derive(Debug, Default)]
struct Trail {
    target: Option<(SocketAddrV4, Arc<Group>)>,
    times: Option<[Duration; 3]>,
    target_status: Option<u16>,
    status: u16,
    location: Option<String>,
    trace: Option<String>,
    rewritten: [Option<String>; 2],
}

/// A request that is counted in at a target.
struct Entered {
    listener: Arc<Listener>,
    group: Arc<Group>,
    in_flight: InFlight,
    source: Option<Ipv4Addr>,
    keeping: Keeping,
}

impl Request<'_> {
    /// Returns the listener and the rule by the table in force.
    fn decided(&mut self) -> Option<(Arc<Listener>, Decided)> {
        let table = self.balancer.table();
        if let Some((generation, listener, decided)) = &self.chosen
            && *generation == table.generation
        {
            return Some((listener.clone(), *decided));
        }
        let listener = table.listener(self.way.at, self.asked.host)?.clone();
        let (path, query) = self.asked.path_and_query();
        let decided = listener.decide(&Question {
            method: self.asked.method,
            host: self.asked.host.unwrap_or_default().as_bytes(),
            path,
            query,
            from: self.way.from.ip(),
            headers: &Raw(self.head),
        });
        self.chosen = Some((table.generation, listener.clone(), decided));
        Some((listener, decided))
    }

    /// Returns the answer that needs no target.
    fn own(&self, listener: &Listener, decided: Decided) -> Option<Own> {
        let (path, query) = self.asked.path_and_query();
        listener.own(decided, self.asked.host, path, query)
    }

    /// Gives an answer that needs no target.
    async fn say(
        &mut self,
        own: &Own,
        listener: &Listener,
        stream: &mut ClientStream,
        patience: &mut Patience,
        closing: &watch::Receiver<bool>,
    ) -> Passed {
        let keep = !self.asked.close && !*closing.borrow();
        let bytes = own.bytes(&listener.attributes, self.asked.head_only, keep);
        self.trail.status = own.status;
        self.trail.location.clone_from(&own.location);
        match send(stream, patience, &[&bytes]).await {
            Ok(()) if keep => Passed::Next,
            Ok(()) | Err(_) => Passed::Over,
        }
    }

    /// Writes what is sent to targets by the table in force.
    fn compose(&mut self) -> Result<(), u16> {
        let Some((generation, listener, decided)) = &self.chosen else { return Err(503) };
        if self.composed == Some(*generation) {
            return Ok(());
        }
        if self.composed.is_some() {
            self.out.clear();
            self.asked = head::request(self.head, &mut self.out).ok_or(500_u16)?;
            self.asked.close |= self.way.last;
        }
        let host = self.asked.host.unwrap_or_default();
        let (mut new_host, mut new_url) = (None, None);
        if let Some(rewrites) = listener.rewrites(*decided) {
            new_host = rewrites.host(host).map_err(|Unfit| 500_u16)?;
            new_url = rewrites.url(self.asked.url).map_err(|Unfit| 500_u16)?;
            let url = new_url.as_deref().map(|url| String::from_utf8_lossy(url).into_owned());
            self.trail.rewritten = [new_host.clone(), url];
        }
        if !listener.settings.preserve_host_header {
            let told = host::told(new_host.as_deref().unwrap_or(host), listener.port);
            new_host = told.or(new_host);
        }
        head::change(&mut self.out, &self.asked, new_url.as_deref(), new_host.as_deref());
        let trace = trace_id(self.asked.trace, self.now_secs, (random(), random()));
        let told =
            Told { from: self.way.from, port: listener.port, trace: &trace, settings: &listener.settings };
        head::finish(&mut self.out, &self.asked, &told);
        self.out.extend_from_slice(self.body);
        self.trail.trace = Some(trace);
        self.composed = Some(*generation);
        Ok(())
    }

    /// Counts the request in at a target; else returns the status to answer.
    fn enter(&mut self) -> Result<Entered, u16> {
        loop {
            let (listener, decided) = self.decided().ok_or(503_u16)?;
            let Done::Forward(forward) = listener.done(decided) else { return Err(503) };
            let wish = Wish { cookies: &self.asked.cookies, now_secs: self.now_secs, tried: &self.tried };
            let (route, backend) = forward.choose(&wish).ok_or(self.failure)?;
            let Some(in_flight) = backend.target.enter() else { continue };
            let current = self.chosen.as_ref().is_some_and(|(at, ..)| self.balancer.is_generation(*at));
            if current {
                let keeping = forward.keeping(route, &backend.target, &wish);
                let (group, source) = (route.group.clone(), backend.source);
                return Ok(Entered { group, in_flight, source, keeping, listener });
            }
        }
    }

    /// Sends the request until it is answered.
    async fn answered(
        &mut self,
        stream: &mut ClientStream,
        patience: &mut Patience,
        closing: &watch::Receiver<bool>,
    ) -> Passed {
        let mut kept_are_fine = true;
        loop {
            let entered = match self.enter() {
                Ok(entered) => entered,
                Err(status) => return self.failed(status),
            };
            if let Err(status) = self.compose() {
                return self.failed(status);
            }
            let target = entered.in_flight.target();
            let address = SocketAddrV4::new(target.address.ip, target.address.port);
            self.trail.target = Some((address, entered.group.clone()));
            let kept = if kept_are_fine { target.reuse(entered.source) } else { None };
            let reused = kept.is_some();
            let connection = match kept {
                Some(kept) => Ok(kept),
                None => connect::open(target, entered.source).await,
            };
            let mut connection = match connection {
                Ok(connection) => connection,
                Err(error) => {
                    // Nothing was sent, so another target may be asked whatever the method is.
                    self.failure = if error.kind() == io::ErrorKind::TimedOut { 504 } else { 502 };
                    target.suspect();
                    entered.group.note(target, true);
                    self.tried.push(target.id);
                    continue;
                }
            };
            let dress = Dress { attributes: &entered.listener.attributes, keeping: &entered.keeping };
            let (early, asked) = (self.early, &self.asked);
            let mut exchange = Exchange { request: &self.out, early, asked, dress, closing, answered: None };
            let began = Instant::now();
            let came = exchange.run(&mut connection, stream, patience).await;
            if let Some((at, status)) = exchange.answered {
                self.trail.times = Some([began - self.way.start, at - began, at.elapsed()]);
                self.trail.target_status = Some(status);
                self.trail.status = status;
            }
            match came {
                Ok(Exchanged { status, reuse, keep }) => {
                    entered.group.note(target, status >= 500);
                    if reuse {
                        connection.keep(entered.source);
                    }
                    return if keep { Passed::Next } else { Passed::Over };
                }
                // The target had just closed a connection that was kept: it may be asked again on another.
                Err(Failure::Unanswered) if reused && self.asked.idempotent => {
                    self.failure = 502;
                    kept_are_fine = false;
                }
                Err(Failure::Begun) => return Passed::Over,
                Err(failure) => {
                    entered.group.note(target, true);
                    return self.failed(if matches!(failure, Failure::Late) { 504 } else { 502 });
                }
            }
        }
    }

    fn failed(&mut self, status: u16) -> Passed {
        tracing::debug!(status, "request failed");
        self.trail.status = status;
        let attributes = self.chosen.as_ref().map(|(_, listener, _)| listener.attributes.clone());
        let page = Own::page(status, None);
        let answer = page.bytes(&attributes.unwrap_or_default(), self.asked.head_only, false);
        Passed::Failed(answer)
    }
}

impl Request<'_> {
    /// Writes the request into the access log, if its load balancer has one.
    fn log(&mut self, stream: &ClientStream, passed: &Passed) {
        let Some((_, listener, decided)) = &self.chosen else { return };
        if !listener.settings.access_logs.enabled {
            return;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let [received, sent] = stream.traffic().so_far();
        // Later requests may have come with this one, unless it was the last.
        let [before_it, before_answer] = self.way.before;
        let received = match self.asked.upgrade {
            true => received - before_it,
            false => (self.head.len() + self.body.len()) as u64,
        };
        let unsaid = if let Passed::Failed(answer) = passed { answer.len() as u64 } else { 0 };
        let (priority, action) = listener.called(*decided);
        let mut agent = None;
        Raw(self.head).any("user-agent", &mut |value| {
            agent = Some(text(value));
            true
        });
        let trail = std::mem::take(&mut self.trail);
        self.balancer.logs().request(Entry {
            listener: listener.clone(),
            kind: if self.asked.upgrade { "ws" } else { "http" },
            client: self.way.from,
            target: trail.target.map(|(address, group)| (address, group.arn.to_string())),
            came: self.way.came,
            times: trail.times,
            done: SystemTime::now(),
            // Without any, the client had left before the answer.
            status: if trail.status == 0 { 460 } else { trail.status },
            target_status: trail.target_status,
            bytes: [received, sent - before_answer + unsaid],
            request: [text(self.asked.method), text(self.asked.url), "HTTP/1.1".to_owned()],
            host: self.asked.host.map(str::to_owned),
            agent,
            trace: trail.trace,
            priority: Some(priority),
            action: Some(action),
            location: trail.location,
            ambiguous: self.way.mended,
            connection: self.way.name(),
            rewritten: trail.rewritten,
        });
    }
}

/// A request and what becomes of its answer.
struct Exchange<'a> {
    request: &'a [u8],
    early: &'a [u8],
    asked: &'a Asked<'a>,
    dress: Dress<'a>,
    closing: &'a watch::Receiver<bool>,
    /// When the target answered, and with which status.
    answered: Option<(Instant, u16)>,
}

/// An answer that was passed on.
struct Exchanged {
    status: u16,
    /// Whether the target's connection may be kept.
    reuse: bool,
    /// Whether the client's may.
    keep: bool,
}

impl Exchange<'_> {
    /// Sends the request and passes on the answer.
    async fn run(
        &mut self,
        connection: &mut Connection,
        stream: &mut ClientStream,
        patience: &mut Patience,
    ) -> Result<Exchanged, Failure> {
        let Exchange { request, early, asked, dress, closing, answered } = self;
        let tcp = connection.tcp().map_err(|_| Failure::Unanswered)?;
        let sent = patience.wait(tcp.write_all(request)).await.ok_or(Failure::Late)?;
        sent.map_err(|_| Failure::Unanswered)?;

        let mut out = Vec::new();
        let mut buffer = read(connection, patience, None).await.map_err(|late| match late {
            true => Failure::Late,
            false => Failure::Unanswered,
        })?;
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

//! The short way of a request that is all there and needs no more than passing on: without pingora, in one task.
//!
//! Most requests go this way: HTTP/1.1, the body (if any) arrived with the head, nothing said about hops unless it asks
//! for a WebSocket. All others are left to pingora. The promises are the same on both ways: a request is counted in
//! before its listener is looked at again, a target is not tried twice when it did not accept, and what may have
//! reached a target is sent again only if it is idempotent and the connection had been kept.
//!
//! Nothing is held while a target thinks but the request: buffers for answers belong to the thread.

mod exchange;
mod trail;

use crate::{
    answer::Own,
    balancer::Balancer,
    client::Way,
    connect,
    forwarded::{random, too_many, trace_id},
    group::{Group, INCOMPATIBLE, Keeping, Wish},
    head::{self, Asked, Dress, Raw, Told},
    host,
    patience::Patience,
    rewrite::Unfit,
    rule::Question,
    session::ClientStream,
    strict::{Body, Framing},
    table::{Decided, Done, Listener},
    target::InFlight,
};
use bytes::Buf;
use exchange::{Exchange, Exchanged, Failure, send};
use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4},
    sync::Arc,
    time::SystemTime,
};
use tokio::{sync::watch, time::Instant};
use trail::Trail;
use wharf_model::target_group::ProtocolVersion;

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
        let settings = &listener.settings;
        if settings.drop_invalid_header_fields && request.asked.odd_names
            || settings.tls_headers && request.asked.tells_tls
        {
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
        let told = Told {
            from: self.way.from,
            port: listener.port,
            trace: &trace,
            settings: &listener.settings,
            tls: self.way.tls.as_ref().map(|tls| tls.agreed),
        };
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
            let wish = Wish {
                cookies: &self.asked.cookies,
                now_secs: self.now_secs,
                tried: &self.tried,
                secure: self.way.tls.is_some(),
            };
            let (route, backend) = forward.choose(&wish).ok_or(self.failure)?;
            if route.version != ProtocolVersion::Http1 {
                return Err(INCOMPATIBLE);
            }
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
                    entered.group.unreached(target);
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

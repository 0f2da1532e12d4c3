//! What pingora asks on the way of a request: to whom, with which headers, and what to say when it fails.

mod dress;
mod log;

use crate::{
    answer::Own,
    balancer::Balancer,
    client::Client,
    forwarded::too_many,
    group::{Group, INCOMPATIBLE, Keeping, Wish},
    rule::{Headers, Question},
    strict::LINE_MAX,
    table::{Decided, Done, Listener, Table},
    target::InFlight,
};
use async_trait::async_trait;
use http::{
    Method, Version,
    header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue},
};
use pingora_core::{
    Error, ErrorSource, ErrorType, Result, modules::http::HttpModules, upstreams::peer::HttpPeer,
};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use std::{any::Any, sync::Arc, time::SystemTime};
use tokio::time::Instant;
use wharf_model::{
    attributes::ListenerAttributes,
    target_group::{ProtocolVersion, TargetAddress},
};

/// The proxy's side towards pingora.
pub(crate) struct Proxy {
    balancer: Arc<Balancer>,
}

/// What is known of a request on its way.
#[derive(Default)]
pub(crate) struct Underway {
    client: Option<Client>,
    /// The listener and its rule by the table of this generation.
    chosen: Option<(u64, Arc<Listener>, Decided)>,
    in_flight: Option<InFlight>,
    group: Option<Arc<Group>>,
    /// Whether the group takes calls of gRPC.
    calls: bool,
    keeping: Keeping,
    /// Targets that are not to be tried again.
    tried: Vec<u64>,
    /// What the last of them failed with.
    failure: Option<u16>,
    /// What the logs tell: when the request went to the target and when and how that answered, who it was, what it
    /// was told, and where the client was sent.
    sent_at: Option<Instant>,
    answered: Option<(Instant, u16)>,
    target: Option<TargetAddress>,
    trace: Option<String>,
    rewritten: [Option<String>; 2],
    location: Option<String>,
}

impl Proxy {
    /// Makes it for this balancer.
    pub(crate) fn new(balancer: Arc<Balancer>) -> Proxy {
        Proxy { balancer }
    }

    /// Returns the listener and the rule by the table in force.
    fn decided(
        &self,
        table: &Table,
        session: &Session,
        underway: &mut Underway,
    ) -> Option<(Arc<Listener>, Decided)> {
        if let Some((generation, listener, decided)) = &underway.chosen
            && *generation == table.generation
        {
            return Some((listener.clone(), *decided));
        }
        let way = &underway.client.as_ref()?.way;
        let host = host_of(session);
        let listener = table.listener(way.at, host)?;
        let request = session.req_header();
        let decided = listener.decide(&Question {
            method: request.method.as_str().as_bytes(),
            host: host.unwrap_or_default().as_bytes(),
            path: request.uri.path().as_bytes(),
            query: request.uri.query().unwrap_or_default().as_bytes(),
            from: way.from.ip(),
            headers: &Parsed(&request.headers),
        });
        underway.chosen = Some((table.generation, listener.clone(), decided));
        Some((listener.clone(), decided))
    }
}

/// A request's headers as pingora holds them.
struct Parsed<'a>(&'a HeaderMap);

impl Headers for Parsed<'_> {
    fn any(&self, name: &str, wanted: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.0.get_all(name).iter().any(|value| wanted(value.as_bytes()))
    }
}

fn host_of(session: &Session) -> Option<&str> {
    let request = session.req_header();
    match request.uri.authority().filter(|_| request.version == Version::HTTP_2) {
        Some(authority) => Some(authority.as_str()),
        None => request.headers.get(HOST)?.to_str().ok(),
    }
}

/// Returns whether a target group of this version takes a request.
fn speaks(version: ProtocolVersion, session: &Session) -> bool {
    let request = session.req_header();
    let kind = request.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let grpc = session.is_http2() && kind.is_some_and(|kind| kind.starts_with(b"application/grpc"));
    match version {
        ProtocolVersion::Http1 => !grpc,
        ProtocolVersion::Http2 => session.is_http2(),
        ProtocolVersion::Grpc => session.is_http2() && request.method == Method::POST,
    }
}

/// Returns why a request by HTTP/2 is refused, as `strict` refuses those that came otherwise.
fn refused(request: &RequestHeader) -> Option<u16> {
    let path = request.raw_path();
    match request.method {
        Method::CONNECT | Method::TRACE => Some(405),
        _ if path.len() > LINE_MAX => Some(414),
        Method::OPTIONS if path == b"*" => None,
        _ if path.starts_with(b"/") => None,
        _ => Some(400),
    }
}

fn status(code: u16, why: &'static str) -> Box<Error> {
    Error::explain(ErrorType::HTTPStatus(code), why)
}

/// Returns seconds since 1970.
fn now_secs() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Underway;

    fn new_ctx(&self) -> Underway {
        Underway::default()
    }

    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    fn on_connection_reuse(
        &self,
        _: &mut Session,
        underway: &mut Underway,
        told: Box<dyn Any + Send + Sync>,
    ) {
        underway.client = told.downcast::<Client>().ok().map(|client| *client);
    }

    async fn request_filter(&self, session: &mut Session, underway: &mut Underway) -> Result<bool> {
        if session.is_http2() {
            underway.client = session.req_header_mut().extensions_mut().remove();
        }
        let table = self.balancer.table().clone();
        let Some((listener, decided)) = self.decided(&table, session, underway) else {
            return Err(status(503, "listener is gone"));
        };
        if let Some(code) = Some(session.req_header()).filter(|_| session.is_http2()).and_then(refused) {
            return Err(status(code, "not a request that is passed on"));
        }
        let came = session.req_header().headers.get_all("x-forwarded-for").iter();
        let came: Vec<&str> = came.filter_map(|value| value.to_str().ok()).collect();
        if too_many(&came) {
            return Err(status(463, "too many addresses in X-Forwarded-For"));
        }
        let uri = &session.req_header().uri;
        let query = uri.query().unwrap_or_default();
        let own = listener.own(decided, host_of(session), uri.path().as_bytes(), query.as_bytes());
        match own {
            Some(own) => {
                underway.location.clone_from(&own.location);
                own.send(session, &listener.attributes).await.map(|()| true)
            }
            None => Ok(false),
        }
    }

    async fn upstream_peer(&self, session: &mut Session, underway: &mut Underway) -> Result<Box<HttpPeer>> {
        underway.in_flight = None;
        let cookies = session.req_header().headers.get_all(COOKIE).iter();
        let cookies: Vec<String> =
            cookies.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect();
        let cookies: Vec<&str> = cookies.iter().map(String::as_str).collect();
        let secure = underway.client.as_ref().is_some_and(|client| client.way.tls.is_some());
        loop {
            let table = self.balancer.table();
            let decided = self.decided(&table, session, underway);
            let forward = match &decided {
                Some((listener, decided)) => match listener.done(*decided) {
                    Done::Forward(forward) => Some(forward),
                    Done::Fixed { .. } | Done::Redirect { .. } => None,
                },
                None => None,
            };
            let Some(forward) = forward else {
                return Err(status(503, "listener no longer forwards"));
            };
            let wish = Wish { cookies: &cookies, now_secs: now_secs(), tried: &underway.tried, secure };
            let Some((route, backend)) = forward.choose(&wish) else {
                return Err(status(underway.failure.unwrap_or(503), "no target is left"));
            };
            if !speaks(route.version, session) {
                return Err(status(INCOMPATIBLE, "the target group is of another version"));
            }
            let Some(entered) = backend.target.enter() else { continue };
            if !self.balancer.is_current(&table) {
                continue;
            }
            underway.in_flight = Some(entered);
            underway.group = Some(route.group.clone());
            underway.calls = route.version == ProtocolVersion::Grpc;
            underway.target = Some(backend.target.address);
            underway.keeping = forward.keeping(route, &backend.target, &wish);
            let mut peer = Box::new(backend.peer.clone());
            if underway.client.as_ref().is_some_and(|client| client.upgrade) {
                // The client's side watches both directions.
                peer.options.read_timeout = None;
                peer.options.write_timeout = None;
            }
            return Ok(peer);
        }
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        underway: &mut Underway,
    ) -> Result<()> {
        dress::request(request, underway)
    }

    async fn response_filter(
        &self,
        _: &mut Session,
        answer: &mut ResponseHeader,
        underway: &mut Underway,
    ) -> Result<()> {
        if answer.status.is_informational() && answer.status != http::StatusCode::SWITCHING_PROTOCOLS {
            return Ok(());
        }
        underway.answered.get_or_insert((Instant::now(), answer.status.as_u16()));
        if let (Some(group), Some(entered)) = (&underway.group, &underway.in_flight) {
            group.note(entered.target(), answer.status.is_server_error());
        }
        dress::answer(answer, underway)
    }

    fn fail_to_connect(
        &self,
        _: &mut Session,
        _: &HttpPeer,
        underway: &mut Underway,
        mut error: Box<Error>,
    ) -> Box<Error> {
        // Nothing was sent, so another target may be asked whatever the method is.
        error.set_retry(true);
        let late = matches!(error.etype(), ErrorType::ConnectTimedout);
        underway.failure = Some(if late { 504 } else { 502 });
        if let Some(entered) = underway.in_flight.take() {
            entered.target().suspect();
            if let Some(group) = &underway.group {
                group.unreached(entered.target());
            }
            underway.tried.push(entered.target().id);
        }
        error
    }

    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        underway: &mut Underway,
        reused: bool,
    ) -> Box<Error> {
        if session.req_header().method.is_idempotent() && !session.as_ref().retry_buffer_truncated() {
            // Only when the target had just closed a connection that was kept: it may be asked again on another.
            error.retry.decide_reuse(reused);
        } else {
            error.set_retry(false);
        }
        if error.retry() {
            underway.failure = Some(502);
        }
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        underway: &mut Underway,
    ) -> FailToProxy {
        let upgrade = underway.client.as_ref().is_some_and(|client| client.upgrade);
        let code = match (error.esource(), error.etype()) {
            (_, ErrorType::HTTPStatus(code)) => *code,
            (
                ErrorSource::Upstream,
                ErrorType::ReadTimedout | ErrorType::WriteTimedout | ErrorType::ConnectTimedout,
            ) => 504,
            (ErrorSource::Upstream, _) => 502,
            (ErrorSource::Downstream, ErrorType::ReadError) if upgrade => 504,
            (ErrorSource::Downstream, ErrorType::ReadTimedout) => 408,
            (
                ErrorSource::Downstream,
                ErrorType::WriteError
                | ErrorType::WriteTimedout
                | ErrorType::ReadError
                | ErrorType::ConnectionClosed,
            ) => 0,
            (ErrorSource::Downstream, _) => 400,
            (ErrorSource::Internal | ErrorSource::Unset, _) => 500,
        };
        tracing::debug!(code, %error, "request failed");
        session.set_keepalive(None);
        let begun = session.response_written().is_some_and(|answer| !answer.status.is_informational());
        let attributes = underway.chosen.as_ref().map(|(_, listener, _)| listener.attributes.clone());
        let attributes: ListenerAttributes = attributes.unwrap_or_default();
        if code != 0 && !begun && Own::page(code, None).send(session, &attributes).await.is_err() {
            tracing::debug!(code, "client left before the answer");
        }
        FailToProxy { error_code: code, can_reuse_downstream: false }
    }

    async fn logging(&self, session: &mut Session, _: Option<&Error>, underway: &mut Underway) {
        underway.in_flight = None;
        self.log(session, underway);
    }

    fn suppress_error_log(&self, _: &Session, _: &Underway, _: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(&self, _: &Session, _: &Underway, _: &Error, _: ProxyWarnLogContext) -> bool {
        true
    }
}

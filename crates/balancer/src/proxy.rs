//! What pingora asks on the way of a request: to whom, with which headers, and what to say when it fails.

use crate::{
    answer::Own,
    balancer::Balancer,
    client::Client,
    entry::Entry,
    forwarded::{client, forwarded_for, random, too_many, trace_id},
    group::{Group, Keeping, Wish},
    head::Dress,
    host,
    rewrite::Unfit,
    rule::{Headers, Question},
    sticky,
    table::{Decided, Done, Listener, Table},
    target::InFlight,
};
use async_trait::async_trait;
use http::header::{COOKIE, HOST, HeaderMap, HeaderName, SET_COOKIE};
use pingora_core::{
    Error, ErrorSource, ErrorType, Result, modules::http::HttpModules, upstreams::peer::HttpPeer,
};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use std::{any::Any, net::SocketAddrV4, sync::Arc, time::SystemTime};
use tokio::time::Instant;
use wharf_model::{
    attributes::{ForwardedFor, ListenerAttributes},
    target_group::TargetAddress,
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

impl Proxy {
    /// Writes a request into the access log, if its load balancer has one.
    fn log(&self, session: &Session, underway: &mut Underway) {
        let (Some((_, listener, decided)), Some(Client { way, upgrade, traffic })) =
            (&underway.chosen, &underway.client)
        else {
            return;
        };
        if !listener.settings.access_logs.enabled {
            return;
        }
        let request = session.req_header();
        let header = |name: &str| {
            let value = request.headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let times = underway.sent_at.zip(underway.answered);
        let times =
            times.map(|(sent, (answered, _))| [sent - way.start, answered - sent, answered.elapsed()]);
        let [received, sent] = traffic.so_far();
        let group = underway.group.as_ref().map(|group| group.arn.to_string());
        let target = underway.target.map(|target| SocketAddrV4::new(target.ip, target.port));
        let (priority, action) = listener.called(*decided);
        self.balancer.logs().request(Entry {
            listener: listener.clone(),
            kind: if *upgrade { "ws" } else { "http" },
            client: way.from,
            target: target.zip(group),
            came: way.came,
            times,
            done: SystemTime::now(),
            // Without any, the client had left before the answer.
            status: session.response_written().map_or(460, |answer| answer.status.as_u16()),
            target_status: underway.answered.map(|(_, status)| status),
            bytes: [received - way.before[0], sent - way.before[1]],
            request: [
                request.method.to_string(),
                request.uri.path_and_query().map_or("/", |url| url.as_str()).to_owned(),
                format!("{:?}", request.version),
            ],
            host: header("host"),
            agent: header("user-agent"),
            trace: underway.trace.take(),
            priority: Some(priority),
            action: Some(action),
            location: underway.location.take(),
            ambiguous: way.mended,
            connection: way.name(),
            rewritten: std::mem::take(&mut underway.rewritten),
        });
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
    request.headers.get(HOST)?.to_str().ok()
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
        let table = self.balancer.table().clone();
        let Some((listener, decided)) = self.decided(&table, session, underway) else {
            return Err(status(503, "listener is gone"));
        };
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
            let wish = Wish { cookies: &cookies, now_secs: now_secs(), tried: &underway.tried };
            let Some((route, backend)) = forward.choose(&wish) else {
                return Err(status(underway.failure.unwrap_or(503), "no target is left"));
            };
            let Some(entered) = backend.target.enter() else { continue };
            if !self.balancer.is_current(&table) {
                continue;
            }
            underway.in_flight = Some(entered);
            underway.group = Some(route.group.clone());
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
        let (Some(of), Some((_, listener, decided))) = (&underway.client, &underway.chosen) else {
            return Ok(());
        };
        let settings = &listener.settings;
        if settings.drop_invalid_header_fields {
            let odd = |name: &&HeaderName| {
                !name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            let odd: Vec<HeaderName> = request.headers.keys().filter(odd).cloned().collect();
            for name in odd {
                request.remove_header(&name);
            }
        }
        let came = request.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let came = came.collect::<Vec<_>>().join(", ");
        match settings.forwarded_for {
            ForwardedFor::Append => {
                let client = client(of.way.from, settings.forwarded_for_port);
                request.insert_header("X-Forwarded-For", forwarded_for(Some(&came), &client))?;
            }
            ForwardedFor::Preserve => {}
            ForwardedFor::Remove => {
                request.remove_header("x-forwarded-for");
            }
        }
        request.insert_header("X-Forwarded-Proto", "http")?;
        request.insert_header("X-Forwarded-Port", listener.port.to_string())?;
        let name = HeaderName::from_static("x-amzn-trace-id");
        let came = request.headers.get(&name).and_then(|value| value.to_str().ok());
        let trace = trace_id(came, now_secs(), (random(), random()));
        request.insert_header("X-Amzn-Trace-Id", trace.as_str())?;
        underway.trace = Some(trace);
        underway.sent_at = Some(Instant::now());
        let unfit = |Unfit| status(500, "the rewritten request is none");
        let host = match request.headers.get(HOST).and_then(|host| host.to_str().ok()) {
            Some(host) => {
                let rewritten = listener.rewrites(*decided).map(|rewrites| rewrites.host(host));
                let rewritten = rewritten.transpose().map_err(unfit)?.flatten();
                underway.rewritten[0].clone_from(&rewritten);
                let told = || host::told(rewritten.as_deref().unwrap_or(host), listener.port);
                let told = if settings.preserve_host_header { None } else { told() };
                told.or(rewritten)
            }
            // HTTP/1.0 goes on as HTTP/1.1, which must have one.
            None => Some(listener.dns_name.clone()),
        };
        if let Some(host) = host {
            request.insert_header(HOST, host)?;
        }
        let url = request.uri.path_and_query().map_or("/", |url| url.as_str());
        let rewritten = listener.rewrites(*decided).map(|rewrites| rewrites.url(url.as_bytes()));
        if let Some(url) = rewritten.transpose().map_err(unfit)?.flatten() {
            underway.rewritten[1] = Some(String::from_utf8_lossy(&url).into_owned());
            let url = http::Uri::try_from(url);
            request.set_uri(url.map_err(|_| status(500, "the rewritten path is none"))?);
        }
        Ok(())
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
        let Some((_, listener, _)) = &underway.chosen else { return Ok(()) };
        let dress = Dress { attributes: &listener.attributes, keeping: &underway.keeping };
        let hidden: Vec<HeaderName> =
            answer.headers.keys().filter(|name| dress.hides(name.as_str().as_bytes())).cloned().collect();
        for name in hidden {
            answer.remove_header(&name);
        }
        for (name, value) in &listener.attributes.response_headers {
            answer.insert_header(name.clone(), value.as_str())?;
        }
        let beside = underway.keeping.beside.as_ref().filter(|(cookie, _)| {
            let mut set = answer.headers.get_all(SET_COOKIE).iter();
            set.any(|header| sticky::sets(header.as_bytes(), cookie))
        });
        let headers = underway.keeping.always.iter().chain(beside.map(|(_, header)| header));
        for header in headers {
            answer.append_header(SET_COOKIE, header.as_str())?;
        }
        Ok(())
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
                group.note(entered.target(), true);
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

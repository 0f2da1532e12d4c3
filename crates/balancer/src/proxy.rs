//! What pingora asks on the way of a request: to whom, with which headers, and what to say when it fails.

use crate::{
    answer,
    balancer::Balancer,
    client::Client,
    forwarded::{forwarded_for, random, trace_id},
    host,
    redirect::Asked,
    table::{Done, Listener, Table, route},
    target::InFlight,
};
use async_trait::async_trait;
use http::header::{HOST, HeaderName};
use pingora_core::{
    Error, ErrorSource, ErrorType, Result, modules::http::HttpModules, upstreams::peer::HttpPeer,
};
use pingora_http::RequestHeader;
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use std::{any::Any, sync::Arc, time::SystemTime};

/// The proxy's side towards pingora.
pub(crate) struct Proxy {
    balancer: Arc<Balancer>,
}

/// What is known of a request on its way.
#[derive(Default)]
pub(crate) struct Underway {
    client: Option<Client>,
    /// The listener by the table of this generation.
    chosen: Option<(u64, Arc<Listener>)>,
    in_flight: Option<InFlight>,
    /// Targets that are not to be tried again.
    tried: Vec<u64>,
    /// What the last of them failed with.
    failure: Option<u16>,
}

impl Proxy {
    /// Makes it for this balancer.
    pub(crate) fn new(balancer: Arc<Balancer>) -> Proxy {
        Proxy { balancer }
    }

    /// Returns the listener by the table in force.
    fn listener(&self, table: &Table, session: &Session, underway: &mut Underway) -> Option<Arc<Listener>> {
        if let Some((generation, listener)) = &underway.chosen
            && *generation == table.generation
        {
            return Some(listener.clone());
        }
        let listener = table.listener(underway.client?.at, host_of(session))?;
        underway.chosen = Some((table.generation, listener.clone()));
        Some(listener.clone())
    }
}

fn host_of(session: &Session) -> Option<&str> {
    let request = session.req_header();
    request.headers.get(HOST)?.to_str().ok()
}

fn status(code: u16, why: &'static str) -> Box<Error> {
    Error::explain(ErrorType::HTTPStatus(code), why)
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
        let Some(listener) = self.listener(&table, session, underway) else {
            return Err(status(503, "listener is gone"));
        };
        match &listener.action {
            Done::Forward(_) => return Ok(false),
            Done::Fixed { status, content_type, body } => {
                answer::send(session, *status, content_type, body.clone(), None).await?;
            }
            redirect @ Done::Redirect { .. } => {
                let uri = &session.req_header().uri;
                let host = host::bare(host_of(session).unwrap_or(&listener.dns_name));
                let asked =
                    Asked { host, port: listener.port, path: uri.path(), query: uri.query().unwrap_or("") };
                if let Some((status, location)) = redirect.location(asked) {
                    let page = answer::page(status);
                    answer::send(session, status, "text/html", page, Some(&location)).await?;
                }
            }
        }
        Ok(true)
    }

    async fn upstream_peer(&self, session: &mut Session, underway: &mut Underway) -> Result<Box<HttpPeer>> {
        underway.in_flight = None;
        loop {
            let table = self.balancer.table();
            let listener = self.listener(&table, session, underway);
            let Some(Done::Forward(routes)) = listener.as_deref().map(|listener| &listener.action) else {
                return Err(status(503, "listener no longer forwards"));
            };
            let chosen = route(routes, random()).and_then(|route| route.choose(&underway.tried));
            let Some(backend) = chosen else {
                return Err(status(underway.failure.unwrap_or(503), "no target is left"));
            };
            let Some(entered) = backend.target.enter() else { continue };
            if !self.balancer.is_current(&table) {
                continue;
            }
            underway.in_flight = Some(entered);
            let mut peer = Box::new(backend.peer.clone());
            if underway.client.is_some_and(|client| client.upgrade) {
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
        let (Some(client), Some((_, listener))) = (underway.client, &underway.chosen) else { return Ok(()) };
        let came = request.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let came = came.collect::<Vec<_>>().join(", ");
        let forwarded = forwarded_for(Some(&came), &client.from.ip().to_string());
        request.insert_header("X-Forwarded-For", forwarded)?;
        request.insert_header("X-Forwarded-Proto", "http")?;
        request.insert_header("X-Forwarded-Port", listener.port.to_string())?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let name = HeaderName::from_static("x-amzn-trace-id");
        let came = request.headers.get(&name).and_then(|value| value.to_str().ok());
        let trace = trace_id(came, now.as_secs(), (random(), random()));
        request.insert_header("X-Amzn-Trace-Id", trace)?;
        if !request.headers.contains_key(HOST) {
            // HTTP/1.0 goes on as HTTP/1.1, which must have one.
            request.insert_header(HOST, listener.dns_name.as_str())?;
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
        let upgrade = underway.client.is_some_and(|client| client.upgrade);
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
        if code != 0 && !begun && answer::send_page(session, code).await.is_err() {
            tracing::debug!(code, "client left before the answer");
        }
        FailToProxy { error_code: code, can_reuse_downstream: false }
    }

    async fn logging(&self, _: &mut Session, _: Option<&Error>, underway: &mut Underway) {
        underway.in_flight = None;
    }

    fn suppress_error_log(&self, _: &Session, _: &Underway, _: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(&self, _: &Session, _: &Underway, _: &Error, _: ProxyWarnLogContext) -> bool {
        true
    }
}

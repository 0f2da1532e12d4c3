//! One request, from its head and body to the response.
//!
//! ```text
//! /_wharf/health, metrics, reset ──► own answers
//! /v2/…                         ──► the image registry
//! /v1/data-channel/…            ──► a command in a container, over a WebSocket
//! anything else ──► body (limited) ──► route ──► auth ──► throttle ──► dispatch ──► response
//! ```
//!
//! An operation runs as a task of its own: it ends what it began even if the caller has gone, and a
//! panic in it costs this request only.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use time::OffsetDateTime;
use tracing::Instrument;
use wharf_aws::{Protocol, Service, Timestamp};
use wharf_control::StoreError;
use wharf_model::measures::Measures;

use crate::auth::{Auth, RegistryTokens};
use crate::data_channel::{self, Open};
use crate::route::{Route, rest, route};
use crate::services::Call;
use crate::throttle::Throttle;
use crate::{Answer, Body, Fault};

mod browser;
mod own;

/// The largest body of an API request.
const BODY_LIMIT: usize = 1024 * 1024;
/// The largest body of those that carry content: 1 MiB of log lines may be six times that as JSON, and a part of an
/// image's layer is base64.
const CONTENT_LIMITS: [(&str, usize); 2] =
    [(".PutLogEvents", 6 * 1024 * 1024), (".UploadLayerPart", 15 * 1024 * 1024)];
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// An error of a response's body, while it is sent.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A response's body.
pub type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;
/// A future on the heap.
pub(crate) type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// Runs a call.
pub(crate) type Dispatch = Box<dyn Fn(Call) -> Running<Result<Answer, Fault>> + Send + Sync>;
/// Answers what begins with `/v2/`.
pub(crate) type Registry = Box<dyn Fn(Request<Incoming>) -> Running<Response<ResponseBody>> + Send + Sync>;
/// Names the processes that are not connected.
pub(crate) type Missing = Box<dyn Fn() -> Vec<&'static str> + Send + Sync>;
/// Says why no state can be written, when that is so.
pub(crate) type Trouble = Box<dyn Fn() -> Option<StoreError> + Send + Sync>;
/// Returns what the balancer has counted.
pub(crate) type Measured = Box<dyn Fn() -> Arc<Measures> + Send + Sync>;
/// Forgets all state.
pub(crate) type Reset = Box<dyn Fn() -> Running<Result<(), BoxError>> + Send + Sync>;

/// How to write to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wire {
    /// The service, if the request named one that exists.
    pub(crate) service: Option<Service>,
    /// The protocol the caller speaks.
    pub(crate) protocol: Protocol,
    /// Whether a JSON caller wants the code of the service's former Query protocol beside.
    pub(crate) query_mode: bool,
}

/// Everything that answers requests.
pub(crate) struct Front {
    pub(crate) auth: Auth,
    pub(crate) throttle: Throttle,
    pub(crate) dispatch: Dispatch,
    pub(crate) registry: Option<(RegistryTokens, Registry)>,
    pub(crate) commands: Option<Open>,
    pub(crate) missing: Missing,
    pub(crate) trouble: Trouble,
    pub(crate) measures: Measured,
    pub(crate) reset: Option<Reset>,
}

impl Front {
    /// Returns the response to a request. There always is one.
    pub(crate) async fn respond(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<ResponseBody> {
        let request_id = new_request_id();
        let span = tracing::info_span!("request", %request_id);
        let began = Instant::now();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        async move {
            let mut response = self.choose(request, peer, &request_id).await;
            if let Ok(value) = HeaderValue::from_str(&request_id) {
                response.headers_mut().insert("x-amzn-requestid", value);
            }
            let (status, elapsed_us) = (response.status().as_u16(), began.elapsed().as_micros());
            tracing::debug!(%method, path, status, elapsed_us, "answered");
            response
        }
        .instrument(span)
        .await
    }

    async fn choose(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        request_id: &str,
    ) -> Response<ResponseBody> {
        let path = request.uri().path();
        let unsigned = !self.auth.is_on() || path.starts_with("/_wharf/");
        if unsigned && browser::is_foreign(request.headers()) {
            return own::refused("a web page of another origin may not call what needs no authentication");
        }
        if path == "/v2" || path.starts_with("/v2/") {
            return self.image_registry(request).await;
        }
        if let Some(name) = path.strip_prefix("/_wharf/") {
            if matches!(name, "metrics" | "reset") && !peer.ip().to_canonical().is_loopback() {
                return own::refused(&format!("{name} is only there for callers on this machine"));
            }
            return own::answer(name, request.method(), self).await;
        }
        if let Some(session) = path.strip_prefix("/v1/data-channel/") {
            let session = session.to_owned();
            return match &self.commands {
                Some(open) => data_channel::accept(request, session, open.clone()),
                None => own::not_found(),
            };
        }
        let (parts, body) = request.into_parts();
        let body = match read(body, body_limit(&parts)).await {
            Ok(body) => body,
            Err(fault) => {
                let mut response = refused(&fault, Wire::of_head(&parts), request_id);
                // What of the body was not read is not the next request.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                return response;
            }
        };
        let (wire, outcome) = self.call(&parts, body, request_id).await;
        match outcome {
            Ok(answer) => {
                let mut response = Response::new(whole(answer.body));
                *response.status_mut() = answer.status;
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
                response
            }
            Err(fault) => refused(&fault, wire, request_id),
        }
    }

    async fn call(&self, parts: &Parts, body: Bytes, request_id: &str) -> (Wire, Result<Answer, Fault>) {
        let Route { service, protocol, operation, content } = match route(parts, &body) {
            Ok(route) => route,
            Err((wire, fault)) => return (wire, Err(fault)),
        };
        let wire = Wire { service: Some(service), protocol, ..Wire::of_head(parts) };
        let now = OffsetDateTime::now_utc();
        let caller = match self.auth.caller(parts, &body, service, protocol, now) {
            Ok(caller) => caller,
            Err(fault) => return (wire, Err(fault)),
        };
        if !self.throttle.admits(&caller.access_key, Instant::now()) {
            return (wire, Err(Fault::throttled()));
        }
        let span = tracing::info_span!(
            "operation",
            service = service.signing_name(),
            operation,
            key = caller.access_key
        );
        let body = Body::new(service, protocol, &operation, request_id, content);
        let running = (self.dispatch)(Call { service, operation, caller, body });
        let outcome = match tokio::spawn(running.instrument(span)).await {
            Ok(outcome) => outcome,
            Err(error) => Err(Fault::ours(&error)),
        };
        (wire, outcome)
    }

    async fn image_registry(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        let Some((tokens, registry)) = &self.registry else {
            return own::not_found();
        };
        let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
        let now = Timestamp::from_millis(i64::try_from(now).unwrap_or(i64::MAX));
        let by_url = || {
            let blob = request.uri().path().contains("/blobs/sha256:");
            let query = request.uri().query().unwrap_or_default();
            request.method() == http::Method::GET && blob && tokens.accepts_query(query, now)
        };
        if self.auth.is_on() && !tokens.accepts(request.headers(), now) && !by_url() {
            return own::registry_unauthorized();
        }
        registry(request).await
    }
}

impl Wire {
    /// Returns how to write to a caller of whom only the head of the request is known.
    pub(crate) fn of_head(parts: &Parts) -> Wire {
        let content_type =
            parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let query_mode = parts.headers.get("x-amzn-query-mode").is_some_and(|value| value == "true");
        let protocol = if rest::service(parts.uri.path()).is_some() {
            Protocol::RestJson
        } else if content_type.starts_with("application/x-amz-json-1.0") {
            Protocol::Json10
        } else if content_type.starts_with("application/x-amz-json")
            || parts.headers.contains_key("x-amz-target")
        {
            Protocol::Json11
        } else {
            Protocol::Query
        };
        Wire { service: None, protocol, query_mode }
    }
}

/// Returns a body that is all there.
pub(crate) fn whole(content: impl Into<Bytes>) -> ResponseBody {
    Full::new(content.into()).map_err(|never| match never {}).boxed_unsync()
}

fn body_limit(parts: &Parts) -> usize {
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    CONTENT_LIMITS.iter().find(|(end, _)| target.ends_with(end)).map_or(BODY_LIMIT, |(_, limit)| *limit)
}

/// Returns the response that says why there is no other.
fn refused(fault: &Fault, wire: Wire, request_id: &str) -> Response<ResponseBody> {
    match fault.story() {
        Some(story) => tracing::error!(story, "operation failed"),
        None => {
            tracing::info!(code = fault.code(wire.protocol), reason = fault.message(), "request refused");
        }
    }
    fault.response(wire, request_id).map(whole)
}

async fn read(body: Incoming, limit: usize) -> Result<Bytes, Fault> {
    let limited = Limited::new(body, limit).collect();
    match tokio::time::timeout(BODY_TIMEOUT, limited).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Fault::caller(
            "RequestEntityTooLargeException",
            format!("The request's body is larger than {limit} bytes."),
        )
        .status(StatusCode::PAYLOAD_TOO_LARGE)),
        Ok(Err(error)) => {
            Err(Fault::caller("RequestAbortedException", format!("The request's body ended early: {error}")))
        }
        Err(_) => Err(Fault::caller(
            "RequestTimeoutException",
            format!("The request's body did not arrive within {} seconds.", BODY_TIMEOUT.as_secs()),
        )
        .status(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// Returns a random UUID, version 4.
fn new_request_id() -> String {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).expect("the kernel's random numbers are always there");
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

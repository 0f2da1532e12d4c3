//! The task metadata endpoint, versions 3 and 4, inside each task's own network namespace.
//!
//! Who asks is known by the listener the connection came in on, so a task can only ever learn of itself. The id in the
//! path names one of its containers.
//!
//! The same address gives out the keys of the task's role, protects the task, and passes requests to this Wharf's API
//! on to control, which knows by that whose they are.

use crate::record::Record;
use bytes::Bytes;
use camino::Utf8PathBuf;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use std::{convert::Infallible, net::TcpListener, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
};
use wharf_sandbox::cgroup::Cgroup;

mod proxy;
mod shape;
mod stats;
#[cfg(test)]
mod tests;
mod uplink;

pub(crate) use stats::Meter;
pub(crate) use uplink::{Uplink, credentials_path, gives_keys};

/// What the endpoint of one task answers from.
#[derive(Debug)]
pub(crate) struct Source {
    /// The task as it stands.
    pub(crate) record: watch::Receiver<Arc<Record>>,
    /// The task's cgroup.
    pub(crate) cgroup: Cgroup,
    /// What was measured before.
    pub(crate) meter: Meter,
    /// Where the task's own disk is mounted.
    pub(crate) storage: Option<Utf8PathBuf>,
    /// The way to control.
    pub(crate) uplink: Uplink,
}

/// Serves a task's endpoint until the handle aborts it.
pub(crate) fn serve(listener: TcpListener, source: Source) -> Result<AbortHandle, std::io::Error> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let source = Arc::new(source);
    let server = tokio::spawn(async move {
        // Connections belong to the set, so that they end with it and do not hold the namespace.
        let mut connections = JoinSet::new();
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!(%error, "metadata connection not accepted");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            };
            while connections.try_join_next().is_some() {}
            let source = source.clone();
            connections.spawn(async move {
                let service = service_fn(move |request| answer(source.clone(), request));
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
                if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                    tracing::debug!(%error, "metadata connection failed");
                }
            });
        }
    });
    Ok(server.abort_handle())
}

async fn answer(
    source: Arc<Source>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let record = source.record.borrow().clone();
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (status, body) = match parts.as_slice() {
        ["v2", "credentials", ..] => uplink::credentials(&source, &record, request.method(), &path).await,
        ["api", id, "task-protection", "v1", "state"] => {
            let id = (*id).to_owned();
            uplink::protection(&source, &record, &id, request).await
        }
        ["v2" | "v3" | "v4" | "api", ..] => route(&source, request.method(), &path),
        _ if gives_keys(&record) => {
            return Ok(proxy::pass_on(&source, &record, request).await);
        }
        _ => (StatusCode::NOT_FOUND, Value::from("404 page not found")),
    };
    Ok(json(status, &body))
}

/// Returns an answer of JSON.
fn json(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn route(source: &Source, method: &Method, path: &str) -> (StatusCode, Value) {
    let record = source.record.borrow().clone();
    let mut parts = path.trim_matches('/').split('/');
    let (version, id) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let rest: Vec<&str> = parts.collect();
    if !matches!(version, "v3" | "v4") {
        return (StatusCode::NOT_FOUND, Value::from("404 page not found"));
    }
    if method != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, Value::from("Method Not Allowed"));
    }
    let place = record.place(id);
    let unknown = |what: &str| {
        let text = format!(
            "{} {what} handler: unable to get task arn from request: unable to get task Arn from v3 endpoint ID: {id}",
            version.to_uppercase()
        );
        (StatusCode::NOT_FOUND, Value::from(text))
    };
    match (rest.as_slice(), place) {
        ([], Some(place)) => (StatusCode::OK, shape::container(&record, place, &source.uplink.nameservers)),
        ([], None) => unknown("container metadata"),
        (["task"], Some(_)) => (StatusCode::OK, shape::task(&record, source, false)),
        (["taskWithTags"], Some(_)) => (StatusCode::OK, shape::task(&record, source, true)),
        (["task" | "taskWithTags"], None) => unknown("task metadata"),
        (["stats"], Some(place)) => (StatusCode::OK, source.meter.container(source, &record, place)),
        (["stats"], None) => unknown("container stats"),
        (["task", "stats"], Some(_)) => (StatusCode::OK, source.meter.task(source, &record)),
        (["task", "stats"], None) => unknown("task stats"),
        _ => (StatusCode::NOT_FOUND, Value::from("404 page not found")),
    }
}

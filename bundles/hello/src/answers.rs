//! What each path answers.
//!
//! `/healthz`, `/slow?ms=`, `/bytes?n=`, `/status?code=`, `/exit?code=` and `/ws` do what they say;
//! every other path tells which task answered and what of the request arrived there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use hyper::{Request, Response, StatusCode};
use serde_json::json;
use tokio_util::task::TaskTracker;

use crate::Application;
use crate::identity::own_address;
use crate::socket::{accept_key, echo};
use crate::zeros::Zeros;

type Answer = Response<Either<Full<Bytes>, Zeros>>;

/// A parameter of the query that is no number, or none that fits.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{name} is {given:?}: a whole number up to {max} is wanted")]
struct BadNumber {
    name: &'static str,
    given: String,
    max: u64,
}

/// Answers one request; a WebSocket goes on in `open` after its handshake.
pub(crate) async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    application: Arc<Application>,
    open: &TaskTracker,
) -> Answer {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let answered = match request.uri().path() {
        "/healthz" => Ok(text(StatusCode::OK, "ok\n")),
        "/slow" => slow(&query).await,
        "/bytes" => number(&query, "n", 0, u64::MAX).map(bytes),
        "/status" => status(&query),
        "/exit" => exit(&query, &application),
        "/ws" => Ok(websocket(request, application, open)),
        _ => Ok(whoami(request, peer, &application).await),
    };
    answered.unwrap_or_else(|bad| text(StatusCode::BAD_REQUEST, format!("{bad}\n")))
}

async fn slow(query: &str) -> Result<Answer, BadNumber> {
    let ms = number(query, "ms", 1_000, 3_600_000)?;
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Ok(text(StatusCode::OK, format!("slept {ms} ms\n")))
}

fn bytes(length: u64) -> Answer {
    let mut answer = Response::new(Either::Right(Zeros::new(length)));
    let kind = "application/octet-stream".parse().expect("a constant header value is valid");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

fn status(query: &str) -> Result<Answer, BadNumber> {
    let code = number(query, "code", 200, 599)?;
    let bad = || BadNumber { name: "code", given: code.to_string(), max: 599 };
    let small = u16::try_from(code).map_err(|_| bad())?;
    let code = StatusCode::from_u16(small).ok().filter(|code| code.as_u16() >= 200);
    Ok(text(code.ok_or_else(bad)?, format!("{small}\n")))
}

fn exit(query: &str, application: &Application) -> Result<Answer, BadNumber> {
    let code = number(query, "code", 0, 255)?;
    application.ending.send_replace(Some(u8::try_from(code).unwrap_or(u8::MAX)));
    Ok(text(StatusCode::OK, format!("exits with {code}\n")))
}

fn websocket(mut request: Request<Incoming>, application: Arc<Application>, open: &TaskTracker) -> Answer {
    let Some(key) = accept_key(request.headers()) else {
        return text(StatusCode::UPGRADE_REQUIRED, "a WebSocket handshake is wanted here\n");
    };
    open.spawn(echo(hyper::upgrade::on(&mut request), application));
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, key)
        .body(Either::Left(Full::default()))
        .expect("constant headers and a checked one make a valid response")
}

/// Tells who answered, and the request as it arrived, so that what a proxy added can be seen.
async fn whoami(request: Request<Incoming>, peer: SocketAddr, application: &Application) -> Answer {
    let (head, body) = request.into_parts();
    let body_bytes = match length(body).await {
        Ok(length) => length,
        Err(reason) => return text(StatusCode::BAD_REQUEST, format!("read the body: {reason}\n")),
    };
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str()).or_default().push(value);
    }
    let headers: BTreeMap<_, _> =
        headers.into_iter().map(|(name, values)| (name, values.join(", "))).collect();
    let task = application.identity.task().await;
    let said = json!({
        "address": own_address(),
        "hostname": application.identity.hostname,
        "task_arn": task.as_ref().map(|task| &task.arn),
        "task": task,
        "request": {
            "client": peer.to_string(),
            "method": head.method.as_str(),
            "uri": head.uri.to_string(),
            "version": format!("{:?}", head.version),
            "headers": headers,
            "body_bytes": body_bytes,
        },
    });
    let mut answer = text(StatusCode::OK, format!("{said:#}\n"));
    let kind = "application/json".parse().expect("a constant header value is valid");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

async fn length(mut body: Incoming) -> Result<usize, hyper::Error> {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(length)
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(body.into())));
    *answer.status_mut() = status;
    let kind = "text/plain; charset=utf-8".parse().expect("a constant header value is valid");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

/// Returns the number that `name` has in the query, or `absent` when it is not there.
fn number(query: &str, name: &'static str, absent: u64, max: u64) -> Result<u64, BadNumber> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let Some((_, given)) = pairs.find(|(key, _)| *key == name) else { return Ok(absent) };
    let number = given.parse().ok().filter(|number| *number <= max);
    number.ok_or_else(|| BadNumber { name, given: given.to_owned(), max })
}

#[cfg(test)]
mod tests;

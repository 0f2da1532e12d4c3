//! Requests of a task to this Wharf's API: passed on as they are, with the name of the task, which takes rights away
//! and gives none.

use super::{Source, json};
use crate::record::Record;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{error::Error, time::Duration};
use tokio::net::TcpStream;

/// What names the task.
const TASK: HeaderName = HeaderName::from_static("x-wharf-task");
const REQUEST_MAX: usize = 8 << 20;
const ANSWER_MAX: usize = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

type Failure = Box<dyn Error + Send + Sync>;

/// Passes a request on, and its answer back.
pub(super) async fn pass_on(
    source: &Source,
    record: &Record,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let Some(api) = &source.uplink.api else { return unavailable("the API's address is not known yet") };
    let task = record.assignment.task.as_str();
    match tokio::time::timeout(PATIENCE, exchange(api, task, request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::debug!(task, %error, "task's request not passed on");
            unavailable("the API does not answer")
        }
        Err(_) => unavailable("the API does not answer in time"),
    }
}

async fn exchange(
    api: &str,
    task: &str,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let (mut parts, body) = request.into_parts();
    let body = Limited::new(body, REQUEST_MAX).collect().await?.to_bytes();
    for hop in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::EXPECT] {
        parts.headers.remove(hop);
    }
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    // Whatever a task says there itself is replaced.
    parts.headers.insert(TASK, HeaderValue::from_str(task)?);
    let stream = TcpStream::connect(api).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
    let (mut parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_MAX).collect().await?.to_bytes();
    connection.abort();
    parts.headers.remove(header::TRANSFER_ENCODING);
    parts.headers.remove(header::CONNECTION);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Ok(Response::from_parts(parts, Full::new(body)))
}

fn unavailable(why: &str) -> Response<Full<Bytes>> {
    json(StatusCode::SERVICE_UNAVAILABLE, &Value::from(why))
}

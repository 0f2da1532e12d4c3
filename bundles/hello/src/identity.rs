//! Who this task is: its address, its host name, and what the task metadata endpoint says of it.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

use crate::journal::say;

const METADATA_VARIABLE: &str = "ECS_CONTAINER_METADATA_URI_V4";
const METADATA_WAIT: Duration = Duration::from_secs(2);
const METADATA_BYTES_MAX: usize = 1 << 20;

/// Knows the task's names; what has to be asked for is asked for once.
pub(crate) struct Identity {
    pub(crate) hostname: String,
    task: OnceCell<Task>,
}

/// What the task metadata endpoint tells that the answers show.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase"))]
pub(crate) struct Task {
    #[serde(rename(deserialize = "TaskARN", serialize = "task_arn"))]
    pub(crate) arn: String,
    pub(crate) family: Option<String>,
    pub(crate) revision: Option<String>,
    pub(crate) availability_zone: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("{0:?} is not an http address")]
    Address(String),
    #[error("no answer within {METADATA_WAIT:?}")]
    Late(#[from] tokio::time::error::Elapsed),
    #[error("connect: {0}")]
    Connect(#[from] std::io::Error),
    #[error("ask: {0}")]
    Ask(#[from] hyper::Error),
    #[error("read the answer: {0}")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the answer was {0}")]
    Refused(StatusCode),
    #[error("understand the answer: {0}")]
    Understand(#[from] serde_json::Error),
}

impl Identity {
    pub(crate) fn of_this_process() -> Identity {
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Identity { hostname: hostname.trim().to_owned(), task: OnceCell::new() }
    }

    /// Returns the task, or nothing outside ECS; a failed attempt is made again next time.
    pub(crate) async fn task(&self) -> Option<Task> {
        let uri = std::env::var(METADATA_VARIABLE).ok()?;
        let asked =
            self.task.get_or_try_init(async || tokio::time::timeout(METADATA_WAIT, ask(&uri)).await?);
        match asked.await {
            Ok(task) => Some(task.clone()),
            Err(reason) => {
                say(format_args!("task metadata at {uri}: {reason}"));
                None
            }
        }
    }
}

/// Returns the address this machine sends from, which for a task is its own.
///
/// Connecting a datagram socket sends nothing; it only has the kernel choose the source.
pub(crate) fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

async fn ask(uri: &str) -> Result<Task, Unanswered> {
    let odd = || Unanswered::Address(uri.to_owned());
    let whole: Uri = format!("{uri}/task").parse().map_err(|_| odd())?;
    let host = whole.host().ok_or_else(odd)?;
    let stream = TcpStream::connect((host, whole.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request =
        Request::get(whole.path()).header("host", host).body(Empty::<Bytes>::new()).map_err(|_| odd())?;
    let answer = sender.send_request(request).await?;
    if answer.status() != StatusCode::OK {
        return Err(Unanswered::Refused(answer.status()));
    }
    let body =
        Limited::new(answer.into_body(), METADATA_BYTES_MAX).collect().await.map_err(Unanswered::Read)?;
    Ok(serde_json::from_slice(&body.to_bytes())?)
}

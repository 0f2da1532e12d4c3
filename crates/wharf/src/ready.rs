//! Whether a Wharf answers.

use crate::options::Options;
use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    time::Duration,
};

/// Returns whether the API answers and says that agent and balancer are connected.
pub(crate) fn is_ready(options: &Options) -> bool {
    health(options).is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// Returns why the running Wharf takes no changes, when it says so.
pub(crate) fn trouble(options: &Options) -> Option<String> {
    let answer = health(options)?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let said: serde_json::Value = serde_json::from_str(body).ok()?;
    let reason = said.get("reason").and_then(serde_json::Value::as_str)?;
    Some(reason.to_owned())
}

/// Returns the whole answer of the health endpoint.
fn health(options: &Options) -> Option<String> {
    let limit = Duration::from_millis(500);
    let mut stream = TcpStream::connect_timeout(&options.endpoint, limit).ok()?;
    stream.set_read_timeout(Some(limit)).ok()?;
    let request =
        format!("GET /_wharf/health HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", options.endpoint);
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Tells systemd that the service has started, where systemd asked for it (sd_notify(3)).
pub(crate) fn notify_service_manager() {
    let Some(address) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to(b"READY=1", address));
    if let Err(error) = sent {
        tracing::warn!(%error, "service manager cannot be told");
    }
}

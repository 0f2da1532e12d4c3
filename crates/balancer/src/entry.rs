//! Lines of the access log and of the connection log, as an application load balancer writes them.

use crate::{client::Secured, host, table::Listener};
use std::{
    fmt::Write,
    net::{SocketAddr, SocketAddrV4},
    sync::Arc,
    time::{Duration, SystemTime},
};
use time::{OffsetDateTime, macros::format_description};

/// What is written of a request.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The listener.
    pub(crate) listener: Arc<Listener>,
    /// Whether it went to a target group that takes calls of gRPC.
    pub(crate) calls: bool,
    /// Whether it became a WebSocket.
    pub(crate) upgraded: bool,
    /// What was agreed on, with TLS.
    pub(crate) tls: Option<Arc<Secured>>,
    /// The client.
    pub(crate) client: SocketAddr,
    /// The target that got the request last, with its group.
    pub(crate) target: Option<(SocketAddrV4, String)>,
    /// When the request came.
    pub(crate) came: SystemTime,
    /// How long it took until the target was sent the request, until it answered, and until the answer was sent.
    pub(crate) times: Option<[Duration; 3]>,
    /// When the answer was sent.
    pub(crate) done: SystemTime,
    /// The status that the client got; 0 for none.
    pub(crate) status: u16,
    /// The status that the target gave.
    pub(crate) target_status: Option<u16>,
    /// The bytes from and to the client.
    pub(crate) bytes: [u64; 2],
    /// The method, the path with the query, and the version.
    pub(crate) request: [String; 3],
    /// The `Host` header.
    pub(crate) host: Option<String>,
    /// The `User-Agent` header.
    pub(crate) agent: Option<String>,
    /// The `X-Amzn-Trace-Id` that the target got.
    pub(crate) trace: Option<String>,
    /// The rule's priority, 0 for the default one; nothing when the request came to none.
    pub(crate) priority: Option<u32>,
    /// `forward`, `redirect` or `fixed-response`.
    pub(crate) action: Option<&'static str>,
    /// Where the client was sent.
    pub(crate) location: Option<String>,
    /// Whether others may read the request differently.
    pub(crate) ambiguous: bool,
    /// The connection's id.
    pub(crate) connection: String,
    /// The host and the path that a rule made of the request's.
    pub(crate) rewritten: [Option<String>; 2],
}

impl Entry {
    /// Returns the line.
    pub(crate) fn line(&self) -> String {
        let mut line = String::with_capacity(512);
        // A string takes all that is written.
        let _ = self.write(&mut line);
        line
    }

    fn kind(&self) -> &'static str {
        match (self.tls.as_deref(), self.upgraded) {
            (None, false) => "http",
            (None, true) => "ws",
            (Some(Secured { http2: true, .. }), _) if self.calls => "grpcs",
            (Some(Secured { http2: true, .. }), _) => "h2",
            (Some(_), false) => "https",
            (Some(_), true) => "wss",
        }
    }

    fn write(&self, line: &mut String) -> std::fmt::Result {
        let or_dash = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), escaped);
        write!(
            line,
            "{} {} {} {}",
            self.kind(),
            timestamp(self.done),
            load_balancer(&self.listener.arn.resource),
            self.client
        )?;
        let target = self.target.as_ref().map(|(address, _)| address.to_string());
        write!(line, " {}", target.as_deref().unwrap_or("-"))?;
        match self.times {
            Some(times) => times.iter().try_for_each(|time| write!(line, " {:.3}", time.as_secs_f64()))?,
            None => line.push_str(" -1 -1 -1"),
        }
        match self.status {
            0 => line.push_str(" -"),
            status => write!(line, " {status}")?,
        }
        match self.target_status {
            Some(status) => write!(line, " {status}")?,
            None => line.push_str(" -"),
        }
        let [received, sent] = self.bytes;
        write!(line, " {received} {sent}")?;
        let [method, path, version] = &self.request;
        let host = self.host.as_deref().unwrap_or(&self.listener.dns_name);
        write!(
            line,
            " \"{} {}://{}:{}{} {version}\"",
            escaped(method),
            if self.tls.is_some() { "https" } else { "http" },
            escaped(host::bare(host)),
            self.listener.port,
            escaped(path)
        )?;
        write!(line, " \"{}\"", or_dash(&self.agent))?;
        match &self.tls {
            Some(tls) => write!(line, " {} {}", tls.agreed.cipher.as_str(), tls.agreed.version.as_str())?,
            None => line.push_str(" - -"),
        }
        write!(line, " {}", self.target.as_ref().map_or("-", |(_, group)| group))?;
        let named = self.tls.as_ref().and_then(|tls| tls.host.as_deref()).map_or("-".to_owned(), escaped);
        write!(line, " \"{}\" \"{named}\" \"-\"", or_dash(&self.trace))?;
        match self.priority {
            Some(priority) => write!(line, " {priority}")?,
            None => line.push_str(" -1"),
        }
        write!(line, " {} \"{}\"", timestamp(self.came), self.action.unwrap_or("-"))?;
        write!(line, " \"{}\" \"-\"", or_dash(&self.location))?;
        write!(line, " \"{}\"", target.as_deref().unwrap_or("-"))?;
        match self.target_status {
            Some(status) => write!(line, " \"{status}\"")?,
            None => line.push_str(" \"-\""),
        }
        line.push_str(if self.ambiguous { " \"Ambiguous\" \"-\"" } else { " \"-\" \"-\"" });
        let [host, path] = &self.rewritten;
        let rewritten = if host.is_some() || path.is_some() { "TransformSuccess" } else { "-" };
        writeln!(line, " {} \"{}\" \"{}\" \"{rewritten}\"", self.connection, or_dash(host), or_dash(path))
    }
}

/// Returns the line of a connection.
pub(crate) fn connection_line(
    came: SystemTime,
    client: SocketAddr,
    port: u16,
    tls: Option<&Secured>,
    id: &str,
) -> String {
    let agreed = match tls {
        Some(Secured { agreed, took, .. }) => {
            format!("{} {} {:.3}", agreed.version.as_str(), agreed.cipher.as_str(), took.as_secs_f64())
        }
        None => "- - -".to_owned(),
    };
    format!("{} {} {} {port} {agreed} \"-\" - - - {id}\n", timestamp(came), client.ip(), client.port())
}

/// Returns the load balancer's name in logs, `app/name/id`, by the resource of a listener's ARN.
pub(crate) fn load_balancer(listener: &str) -> &str {
    let name = listener.strip_prefix("listener/").unwrap_or(listener);
    name.rsplit_once('/').map_or(name, |(name, _)| name)
}

/// Returns a time as logs have it.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    OffsetDateTime::from(time).format(&format).unwrap_or_default()
}

/// Returns a text that cannot end its field: quotes, backslashes and what cannot be seen are written as `\xXX`.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| (b' '..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        return text.to_owned();
    }
    text.bytes().fold(String::with_capacity(text.len() + 8), |mut out, byte| {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "\\x{byte:02x}");
        }
        out
    })
}

#[cfg(test)]
mod tests;

//! Heads on the short way: copied line by line, with what the load balancer changes in them.

use crate::{
    forwarded::{client, forwarded_for},
    group::Keeping,
    rule::Headers,
    sticky,
    tls::Agreed,
};
use httparse::{ParserConfig, Response, Status};
use std::{io::Write, mem::MaybeUninit, net::SocketAddr, ops::Range};
use wharf_model::attributes::{ForwardedFor, ListenerAttributes, LoadBalancerAttributes};

/// The longest head of an answer.
const ANSWER_HEAD_MAX: usize = 64 << 10;
/// The most header lines of an answer.
const ANSWER_LINES_MAX: usize = 256;

/// The headers that tell a target what was agreed on.
pub(crate) const TLS_VERSION: &str = "x-amzn-tls-version";
pub(crate) const TLS_CIPHER: &str = "x-amzn-tls-cipher-suite";

/// What both sides are told of a connection that becomes a WebSocket's.
const UPGRADE: &[u8] = b"Connection: Upgrade\r\nUpgrade: websocket\r\n";

/// What matters of a request's head.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// The method.
    pub(crate) method: &'a [u8],
    /// The path and the query.
    pub(crate) url: &'a [u8],
    /// Where these are in the copy.
    url_at: Range<usize>,
    /// The `Host` header.
    pub(crate) host: Option<&'a str>,
    /// Where its value is in the copy.
    host_at: Range<usize>,
    /// The `Cookie` headers.
    pub(crate) cookies: Vec<&'a str>,
    /// The name of a header has other characters than letters, digits and hyphens.
    pub(crate) odd_names: bool,
    /// It has a header that only the load balancer may set, if it is to.
    pub(crate) tells_tls: bool,
    /// The `X-Forwarded-For` headers.
    pub(crate) forwarded_for: Vec<&'a str>,
    /// The `X-Amzn-Trace-Id` header.
    pub(crate) trace: Option<&'a str>,
    /// The client wants its connection closed.
    pub(crate) close: bool,
    /// The answer will have no body.
    pub(crate) head_only: bool,
    /// The connection is to become a WebSocket's.
    pub(crate) upgrade: bool,
    /// It may be sent twice.
    pub(crate) idempotent: bool,
}

/// How far an answer's body goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// So many bytes.
    Length(u64),
    /// As its chunks say.
    Chunked,
    /// Until the connection ends.
    Close,
}

/// What the bytes of an answer are, up to now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Too few.
    Partial,
    /// So many of a preliminary answer.
    Interim(usize),
    /// The connection is a WebSocket's after so many.
    Switched(usize),
    /// The head of the answer.
    Final {
        /// Its status.
        status: u16,
        /// Its length.
        head: usize,
        /// Its body.
        body: Extent,
        /// Whether the target keeps the connection.
        reuse: bool,
        /// Whether the client's connection is kept.
        keep: bool,
    },
}

/// The target does not speak HTTP/1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Nonsense;

/// Copies a request's head that was found good, without its end and what [`finish`] adds. Nothing for requests that
/// need more than passing on.
pub(crate) fn request<'a>(head: &'a [u8], out: &mut Vec<u8>) -> Option<Asked<'a>> {
    let mut lines = head.strip_suffix(b"\r\n\r\n")?.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let first = first.strip_suffix(b"\r").unwrap_or(first);
    let method = &first[..first.iter().position(|byte| *byte == b' ')?];
    if first.get(method.len() + 1) != Some(&b'/') || !first.ends_with(b" HTTP/1.1") {
        return None;
    }
    let mut asked = Asked {
        method,
        url: &first[method.len() + 1..first.len() - b" HTTP/1.1".len()],
        head_only: method == b"HEAD",
        idempotent: matches!(method, b"GET" | b"HEAD" | b"PUT" | b"DELETE" | b"OPTIONS"),
        ..Asked::default()
    };
    let url_from = out.len() + method.len() + 1;
    asked.url_at = url_from..url_from + asked.url.len();
    put(out, &[first, b"\r\n"]);
    let (mut named, mut wanted) = (false, false);
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // Only ASCII is looked at, as elsewhere.
        let text = || std::str::from_utf8(value).ok().filter(|text| text.is_ascii());
        asked.odd_names |= !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        asked.tells_tls |= is(name, TLS_VERSION) || is(name, TLS_CIPHER);
        match name.len() {
            4 if is(name, "host") => {
                asked.host = text();
                put(out, &[b"Host: ", value, b"\r\n"]);
                asked.host_at = out.len() - 2 - value.len()..out.len() - 2;
            }
            6 if is(name, "cookie") => {
                asked.cookies.extend(text());
                put(out, &[line, b"\r\n"]);
            }
            10 if is(name, "connection") => {
                for token in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    match token {
                        token if is(token, "close") => asked.close = true,
                        token if is(token, "keep-alive") => {}
                        token if is(token, "upgrade") => named = true,
                        _ => return None,
                    }
                }
            }
            7 if is(name, "upgrade") && is(value, "websocket") => wanted = true,
            10 if is(name, "keep-alive") => return None,
            15 if is(name, "x-forwarded-for") => asked.forwarded_for.extend(text()),
            15 if is(name, "x-amzn-trace-id") => asked.trace = asked.trace.or_else(text),
            16 if is(name, "x-forwarded-port") => {}
            17 if is(name, "x-forwarded-proto") => {}
            2 | 6 | 7 | 14 | 16 | 17 | 18 | 19
                if [
                    "te",
                    "expect",
                    "upgrade",
                    "trailer",
                    "http2-settings",
                    "proxy-connection",
                    "transfer-encoding",
                    "proxy-authenticate",
                    "proxy-authorization",
                ]
                .iter()
                .any(|other| is(name, other)) =>
            {
                return None;
            }
            _ => put(out, &[line, b"\r\n"]),
        }
    }
    asked.upgrade = named && wanted && method == b"GET";
    (asked.upgrade || !named && !wanted).then_some(asked)
}

impl<'a> Asked<'a> {
    /// Returns the path, and the query without its question mark.
    pub(crate) fn path_and_query(&self) -> (&'a [u8], &'a [u8]) {
        match self.url.iter().position(|byte| *byte == b'?') {
            Some(at) => (&self.url[..at], &self.url[at + 1..]),
            None => (self.url, b""),
        }
    }
}

/// A request's head as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

impl Headers for Raw<'_> {
    fn any(&self, name: &str, wanted: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let lines = self.0.split(|byte| *byte == b'\n').skip(1);
        lines.map(<[u8]>::trim_ascii).any(|line| {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
            is(&line[..colon], name) && wanted(line[colon + 1..].trim_ascii())
        })
    }
}

/// Puts another path or host into the copy of a request, before it is finished.
pub(crate) fn change(out: &mut Vec<u8>, asked: &Asked<'_>, url: Option<&[u8]>, host: Option<&str>) {
    // The host first: it comes after the path, whose place must not move.
    if let (Some(host), false) = (host, asked.host_at.is_empty()) {
        out.splice(asked.host_at.clone(), host.bytes());
    }
    if let Some(url) = url {
        out.splice(asked.url_at.clone(), url.iter().copied());
    }
}

/// What the load balancer tells a target of the client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    /// The client.
    pub(crate) from: SocketAddr,
    /// The listener's port.
    pub(crate) port: u16,
    /// The `X-Amzn-Trace-Id` header.
    pub(crate) trace: &'a str,
    /// What is set of the load balancer.
    pub(crate) settings: &'a LoadBalancerAttributes,
    /// What was agreed on, with TLS.
    pub(crate) tls: Option<Agreed>,
}

/// Adds what the load balancer says of the client, and the end of the head.
pub(crate) fn finish(out: &mut Vec<u8>, asked: &Asked<'_>, told: &Told<'_>) {
    let Told { from, port, trace, settings, tls } = told;
    let proto = if tls.is_some() { "https" } else { "http" };
    let done = match settings.forwarded_for {
        ForwardedFor::Append if asked.forwarded_for.is_empty() && !settings.forwarded_for_port => {
            write!(out, "X-Forwarded-For: {}\r\n", from.ip())
        }
        ForwardedFor::Append => {
            let came = asked.forwarded_for.join(", ");
            let client = client(*from, settings.forwarded_for_port);
            write!(out, "X-Forwarded-For: {}\r\n", forwarded_for(Some(&came), &client))
        }
        ForwardedFor::Preserve if !asked.forwarded_for.is_empty() => {
            write!(out, "X-Forwarded-For: {}\r\n", asked.forwarded_for.join(", "))
        }
        ForwardedFor::Preserve | ForwardedFor::Remove => Ok(()),
    };
    let done = done.and_then(|()| {
        write!(out, "X-Forwarded-Proto: {proto}\r\nX-Forwarded-Port: {port}\r\nX-Amzn-Trace-Id: {trace}\r\n")
    });
    done.expect("a vector takes all that is written");
    if let Some(agreed) = tls.filter(|_| settings.tls_headers) {
        let (version, cipher) = (agreed.version.as_str().as_bytes(), agreed.cipher.as_str().as_bytes());
        put(
            out,
            &[TLS_VERSION.as_bytes(), b": ", version, b"\r\n", TLS_CIPHER.as_bytes(), b": ", cipher, b"\r\n"],
        );
    }
    put(out, &[if asked.upgrade { UPGRADE } else { b"" }, b"\r\n"]);
}

/// What the load balancer changes in an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dress<'a> {
    /// What is set of the listener.
    pub(crate) attributes: &'a ListenerAttributes,
    /// What keeps the client with its target.
    pub(crate) keeping: &'a Keeping,
}

impl Dress<'_> {
    /// Returns whether a header of a target's answer is left out, because another takes its place or none is to be.
    pub(crate) fn hides(&self, name: &[u8]) -> bool {
        (!self.attributes.server_header && is(name, "server"))
            || self.attributes.response_headers.iter().any(|(other, _)| is(name, other))
    }
}

/// Copies the head of an answer; `keep` is whether the client's connection may be kept, `date` what to say when the
/// target does not tell the time.
pub(crate) fn answer(
    bytes: &[u8],
    asked: &Asked<'_>,
    keep: bool,
    date: impl FnOnce() -> http::HeaderValue,
    dress: &Dress<'_>,
    out: &mut Vec<u8>,
) -> Result<Answer, Nonsense> {
    let mut lines = [const { MaybeUninit::uninit() }; ANSWER_LINES_MAX];
    let mut parsed = Response::new(&mut []);
    let head =
        match ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, bytes, &mut lines) {
            Ok(Status::Complete(head)) => head,
            Ok(Status::Partial) if bytes.len() < ANSWER_HEAD_MAX => return Ok(Answer::Partial),
            Ok(Status::Partial) | Err(_) => return Err(Nonsense),
        };
    let (status, version) = (parsed.code.ok_or(Nonsense)?, parsed.version.ok_or(Nonsense)?);
    match status {
        101 if asked.upgrade => {}
        // Nobody asked for it.
        ..100 | 101 => return Err(Nonsense),
        102..200 => {
            put(out, &[&bytes[..head]]);
            return Ok(Answer::Interim(head));
        }
        // Nobody waits for it.
        100 => return Ok(Answer::Interim(head)),
        _ => {}
    }
    let digits = [b'0' + digit(status / 100), b'0' + digit(status / 10), b'0' + digit(status)];
    put(out, &[b"HTTP/1.1 ", &digits, b" ", parsed.reason.unwrap_or_default().as_bytes(), b"\r\n"]);
    let (mut length, mut chunked, mut dated, mut reuse) = (None, false, false, version == 1);
    let plain = dress.attributes.server_header && dress.attributes.response_headers.is_empty();
    let mut beside = None;
    for line in parsed.headers.iter() {
        let (name, value) = (line.name.as_bytes(), line.value);
        match name.len() {
            4 if is(name, "date") => dated = true,
            7 if is(name, "upgrade") => continue,
            10 if is(name, "keep-alive") => continue,
            10 if is(name, "connection") => {
                for token in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    reuse = !is(token, "close") && (reuse || is(token, "keep-alive"));
                }
                continue;
            }
            14 if is(name, "content-length") => {
                let digits =
                    std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
                let told = digits.and_then(|digits| digits.parse::<u64>().ok()).ok_or(Nonsense)?;
                if length.is_some_and(|before| before != told) {
                    return Err(Nonsense);
                }
                length = Some(told);
                // Written below, unless the chunks say it.
                continue;
            }
            10 if is(name, "set-cookie") => {
                if let Some((cookie, header)) = &dress.keeping.beside
                    && sticky::sets(value, cookie)
                {
                    beside = Some(header);
                }
            }
            16 if is(name, "proxy-connection") => continue,
            17 if is(name, "transfer-encoding") => {
                if chunked || version == 0 || !is(value, "chunked") {
                    return Err(Nonsense);
                }
                chunked = true;
            }
            _ => {}
        }
        if plain || !dress.hides(name) {
            put(out, &[name, b": ", value, b"\r\n"]);
        }
    }
    for (name, value) in &dress.attributes.response_headers {
        put(out, &[name.as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
    }
    for header in dress.keeping.always.iter().chain(beside) {
        put(out, &[b"Set-Cookie: ", header.as_bytes(), b"\r\n"]);
    }
    if status == 101 {
        put(out, &[UPGRADE, b"\r\n"]);
        return if chunked { Err(Nonsense) } else { Ok(Answer::Switched(head)) };
    }
    let body = match (status, length) {
        _ if asked.head_only => Extent::Length(0),
        (204 | 304, _) => Extent::Length(0),
        _ if chunked => Extent::Chunked,
        (_, Some(length)) => Extent::Length(length),
        (_, None) => Extent::Close,
    };
    // Both at once: the length is not to be believed, nor what follows.
    reuse &= body != Extent::Close && !(chunked && length.is_some());
    let keep = keep && body != Extent::Close;
    if let (Some(length), false) = (length, chunked) {
        write!(out, "Content-Length: {length}\r\n").expect("a vector takes all that is written");
    }
    if !dated {
        put(out, &[b"Date: ", date().as_bytes(), b"\r\n"]);
    }
    put(out, &[if keep { b"Connection: keep-alive\r\n\r\n" } else { b"Connection: close\r\n\r\n" }]);
    Ok(Answer::Final { status, head, body, reuse, keep })
}

fn put(out: &mut Vec<u8>, pieces: &[&[u8]]) {
    for piece in pieces {
        out.extend_from_slice(piece);
    }
}

fn is(name: &[u8], other: &str) -> bool {
    name.eq_ignore_ascii_case(other.as_bytes())
}

fn digit(number: u16) -> u8 {
    u8::try_from(number % 10).unwrap_or_default()
}

#[cfg(test)]
mod tests;

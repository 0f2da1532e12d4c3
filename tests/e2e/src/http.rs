//! A small HTTP/1.1 client over one connection, which says exactly what went wrong.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Why a request got no answer.
#[derive(Debug)]
pub enum Failure {
    /// No connection was made.
    Connect(std::io::Error),
    /// The connection broke before the whole answer.
    Broken(std::io::Error),
    /// The server closed an idle connection before it could have seen the request: a client may send it again.
    ClosedIdle,
}

/// A client that keeps its connection.
pub struct Client {
    address: SocketAddr,
    host: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// Returns a client of `host:port`, reached at an address given or found by name.
    pub fn new(address: &str, host: &str) -> Client {
        let address = address.to_socket_addrs().ok().and_then(|mut found| found.next());
        Client {
            address: address.unwrap_or_else(|| panic!("{host} has no address")),
            host: host.to_owned(),
            stream: None,
        }
    }

    /// Sends a request and reads its answer.
    pub fn send(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Answer, Failure> {
        let reused = self.stream.is_some();
        if self.stream.is_none() {
            let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))
                .map_err(Failure::Connect)?;
            stream.set_nodelay(true).map_err(Failure::Connect)?;
            stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(Failure::Connect)?;
            self.stream = Some(BufReader::new(stream));
        }
        let answer = self.exchange(method, path, body);
        match answer {
            Ok((answer, true)) => Ok(answer),
            Ok((answer, false)) => {
                self.stream = None;
                Ok(answer)
            }
            Err(error) => {
                self.stream = None;
                let idle =
                    error.kind() == std::io::ErrorKind::UnexpectedEof && error.to_string() == NOTHING_READ;
                if reused && idle { Err(Failure::ClosedIdle) } else { Err(Failure::Broken(error)) }
            }
        }
    }

    fn exchange(&mut self, method: &str, path: &str, body: &[u8]) -> std::io::Result<(Answer, bool)> {
        let stream = self.stream.as_mut().expect("the caller connected");
        let length = if body.is_empty() && method == "GET" {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{length}\r\n", self.host).into_bytes();
        request.extend_from_slice(body);
        stream.get_mut().write_all(&request)?;
        read_answer(stream)
    }
}

const NOTHING_READ: &str = "closed before the answer began";

fn read_answer(stream: &mut BufReader<TcpStream>) -> std::io::Result<(Answer, bool)> {
    let eof = |what: &str| std::io::Error::new(std::io::ErrorKind::UnexpectedEof, what.to_owned());
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(eof(NOTHING_READ));
    }
    let status =
        line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| eof("no status line"))?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err(eof("closed within the headers"));
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
            None => break,
        };
    }
    let mut body = Vec::new();
    if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(|_| eof("no chunk size"))?;
            let start = body.len();
            body.resize(start + size, 0);
            stream.read_exact(&mut body[start..])?;
            line.clear();
            stream.read_line(&mut line)?;
            if size == 0 {
                break;
            }
        }
    } else {
        let length = headers.get("content-length").and_then(|length| length.parse().ok());
        match length {
            Some(length) => {
                body.resize(length, 0);
                stream.read_exact(&mut body)?;
            }
            None => {
                stream.read_to_end(&mut body)?;
            }
        }
    }
    let keep = headers.get("connection").is_none_or(|connection| !connection.eq_ignore_ascii_case("close"));
    Ok((Answer { status, headers, body }, keep))
}

/// Sends one request to `http://host[:port]/path` on a connection of its own.
pub fn request(method: &str, url: &str, body: &[u8]) -> Result<Answer, Failure> {
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (host, path) =
        rest.split_once('/').map_or((rest, "/".to_owned()), |(host, path)| (host, format!("/{path}")));
    let name = host.split(':').next().unwrap_or(host);
    let port = host.split_once(':').map_or("80", |(_, port)| port);
    // What browsers and curl do by themselves.
    let address =
        if name.ends_with(".localhost") { format!("127.0.0.1:{port}") } else { format!("{name}:{port}") };
    Client::new(&address, host).send(method, &path, body)
}

/// Gets a URL.
pub fn get(url: &str) -> Result<Answer, Failure> {
    request("GET", url, b"")
}

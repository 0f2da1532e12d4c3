//! Requests that two programs may read differently, in every mode of desync mitigation. The target records every byte;
//! whoever reads these, however sloppily, finds one request for one that was meant, and never the one inside.

use crate::world::{World, send, status, target};
use std::{
    net::SocketAddrV4,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use wharf_model::{attributes::DesyncMitigation, target_group::TargetAddress};

const INSIDE: &str = "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n";

/// What each connection to the target brought.
type Recorded = Arc<Mutex<Vec<Vec<u8>>>>;

/// Starts a target that records, and answers each request with its path.
async fn recording() -> (TargetAddress, Recorded) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, recorded) = (target(&listener), Recorded::default());
    let record = recorded.clone();
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let number = {
                let mut record = record.lock().unwrap();
                record.push(Vec::new());
                record.len() - 1
            };
            let record = record.clone();
            tokio::spawn(async move {
                let (mut bytes, mut answered) = (vec![0; 8192], 0);
                while let Ok(count @ 1..) = connection.read(&mut bytes).await {
                    let paths = {
                        let mut record = record.lock().unwrap();
                        record[number].extend_from_slice(&bytes[..count]);
                        Reader::default().paths(&record[number])
                    };
                    for path in &paths[answered..] {
                        let answer =
                            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len());
                        if connection.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                    answered = paths.len();
                }
            });
        }
    });
    (address, recorded)
}

/// A way to read requests; the default one is right.
#[derive(Debug, Clone, Copy, Default)]
struct Reader {
    /// The length counts, even beside chunks.
    length_first: bool,
    /// Lines may end without a carriage return.
    bare_newlines: bool,
    /// Names are taken for others that look like them.
    sloppy_names: bool,
    /// Any coding with `chunked` in it is chunked.
    sloppy_coding: bool,
    /// The last of several lengths counts.
    last_length: bool,
}

impl Reader {
    /// Returns the paths of the whole requests in a stream.
    fn paths(&self, mut stream: &[u8]) -> Vec<String> {
        let mut paths = Vec::new();
        while let Some((path, length)) = self.one(stream) {
            paths.push(path);
            stream = &stream[length..];
        }
        paths
    }

    fn one(&self, stream: &[u8]) -> Option<(String, usize)> {
        let ends: &[&[u8]] =
            if self.bare_newlines { &[b"\r\n\r\n", b"\n\n", b"\n\r\n"] } else { &[b"\r\n\r\n"] };
        let end_of =
            |end: &&[u8]| stream.windows(end.len()).position(|at| at == *end).map(|at| at + end.len());
        let head = ends.iter().filter_map(end_of).min()?;
        let text = String::from_utf8_lossy(&stream[..head]).into_owned();
        let (mut length, mut chunked) = (None, false);
        for line in text.split('\n').skip(1) {
            let Some((name, value)) = line.split_once(':') else { continue };
            let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            let name = if self.sloppy_names { plain } else { name.replace('-', "") }.to_ascii_lowercase();
            let value = value.trim().to_ascii_lowercase();
            if name == "contentlength" && (length.is_none() || self.last_length) {
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                length = digits.parse::<usize>().ok().or(length);
            }
            if name == "transferencoding" {
                chunked |= if self.sloppy_coding { value.contains("chunked") } else { value == "chunked" };
            }
        }
        let body = if chunked && !(self.length_first && length.is_some()) {
            chunks(&stream[head..])?
        } else {
            length.unwrap_or(0)
        };
        let path = text.split([' ', '\t']).nth(1).unwrap_or_default().to_owned();
        (stream.len() >= head + body).then_some((path, head + body))
    }
}

/// Returns how long a chunked body is that is all there.
fn chunks(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = body[at..].windows(2).position(|end| end == b"\r\n")?;
        let size = String::from_utf8_lossy(&body[at..at + line]).split(';').next()?.trim().to_owned();
        let size = usize::from_str_radix(&size, 16).ok()?;
        at += line + 2;
        if size == 0 {
            let rest = body[at..].windows(2).position(|end| end == b"\r\n")?;
            if rest == 0 {
                return Some(at + 2);
            }
            return body[at..].windows(4).position(|end| end == b"\r\n\r\n").map(|end| at + end + 4);
        }
        at += size + 2;
        if body.len() < at {
            return None;
        }
    }
}

fn readers() -> Vec<Reader> {
    (0..32)
        .map(|bits| {
            let has = |bit: u32| bits >> bit & 1 == 1;
            Reader {
                length_first: has(0),
                bare_newlines: has(1),
                sloppy_names: has(2),
                sloppy_coding: has(3),
                last_length: has(4),
            }
        })
        .collect()
}

/// Returns requests with another inside, by the kinds that are known.
fn payloads() -> Vec<String> {
    let chunked_end = format!("0\r\n\r\n{INSIDE}");
    let inside_chunk = format!("{:x}\r\n{INSIDE}\r\n0\r\n\r\n", INSIDE.len());
    let all = chunked_end.len();
    let mut payloads = Vec::new();
    let mut add = |lines: &str, body: &str| {
        payloads.push(format!("POST /outer HTTP/1.1\r\nHost: t\r\n{lines}\r\n\r\n{body}"));
    };
    // A length and chunks, the coding written in every way that somebody takes for `chunked`.
    for coding in [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\tchunked",
        "Transfer-Encoding:chunked",
        "Transfer-Encoding: Chunked",
        "transfer-encoding: CHUNKED",
        "Transfer-Encoding: chunked ",
        "Transfer-Encoding:  chunked\t",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: 'chunked'",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: \x0cchunked",
        "Transfer-Encoding: chunked\x0b",
        "Transfer-Encoding: ch\u{212a}unked",
        "Transfer_Encoding: chunked",
        "TransferEncoding: chunked",
        "Transfer.Encoding: chunked",
        "Transfer Encoding: chunked",
        " Transfer-Encoding: chunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "X: y\r\n\tTransfer-Encoding: chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-encoding: cow",
        "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "Transfer-Encoding\x00: chunked",
        "Transfer-Encoding: \x00chunked",
        "\"Transfer-Encoding\": chunked",
        "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
        "Connection: close, Content-Length\r\nTransfer-Encoding: chunked",
    ] {
        add(&format!("Content-Length: {all}\r\n{coding}"), &chunked_end);
        add(&format!("{coding}\r\nContent-Length: 4"), &inside_chunk);
        add(coding, &chunked_end);
    }
    // Lengths that are not quite.
    for length in [
        format!("Content-Length: 0\r\nContent-Length: {}", INSIDE.len()),
        format!("Content-Length: {}\r\nContent-Length: 0", INSIDE.len()),
        "Content-Length: 0, 0".to_owned(),
        format!("Content-Length: 0,{}", INSIDE.len()),
        "Content-Length: +0".to_owned(),
        "Content-Length: -0".to_owned(),
        "Content-Length: 0x0".to_owned(),
        "Content-Length: 0 0".to_owned(),
        "Content-Length: ".to_owned(),
        "Content-Length: 00000000000000000000000000000".to_owned(),
        "Content-Length: 18446744073709551616".to_owned(),
        format!("Content_Length: {}", INSIDE.len()),
        format!("Content-Length : {}", INSIDE.len()),
        format!("Content-Length: {}\r\n", INSIDE.len()),
        format!("X: y\nContent-Length: {}", INSIDE.len()),
        format!("Content-Length:\r\n {}", INSIDE.len()),
    ] {
        add(&length, INSIDE);
    }
    // Chunks that are not quite.
    for body in [
        format!("0\n\n{INSIDE}"),
        format!("0x0\r\n\r\n{INSIDE}"),
        format!("+0\r\n\r\n{INSIDE}"),
        format!("0 ;a=\n{INSIDE}\r\n\r\n"),
        format!("1\r\nab\r\n0\r\n\r\n{INSIDE}"),
        format!("ffffffffffffffff1\r\na\r\n0\r\n\r\n{INSIDE}"),
        format!("0\r\nContent-Length: 5\r\n\r\n{INSIDE}"),
    ] {
        add("Transfer-Encoding: chunked", &body);
    }
    // Others.
    let lines = |first: &str, lines: &str| format!("{first}\r\n{lines}\r\n\r\n{chunked_end}");
    payloads.push(lines("POST /outer HTTP/1.0", "Host: t\r\nTransfer-Encoding: chunked"));
    payloads.push(lines("POST /outer HTTP/1.1", "Transfer-Encoding: chunked"));
    payloads.push(lines("POST /outer HTTP/1.1\nX: y", "Host: t\r\nTransfer-Encoding: chunked"));
    payloads.push(lines("POST /outer HTTP/1.1", "Host: t\r\nHost: u\r\nTransfer-Encoding: chunked"));
    payloads.push(lines("POST /outer  HTTP/1.1", "Host: t\r\nTransfer-Encoding: chunked"));
    payloads.push(lines("POST /outer x HTTP/1.1", "Host: t\r\nTransfer-Encoding: chunked"));
    payloads.push(lines("POST /outer\x0bHTTP/1.1", "Host: t\r\nTransfer-Encoding: chunked"));
    payloads
        .push(format!("GET /outer HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n{INSIDE}", INSIDE.len()));
    payloads.push(format!("GET /outer HTTP/1.1\nHost: t\nContent-Length: {}\n\n{INSIDE}", INSIDE.len()));
    payloads.push(format!(
        "GET /outer HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: {}\r\n\r\n{INSIDE}",
        INSIDE.len()
    ));
    payloads
}

async fn answer(at: SocketAddrV4, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(at).await.unwrap();
    connection.write_all(request).await.unwrap();
    let (mut answer, mut bytes) = (Vec::new(), [0; 4096]);
    // Some payloads wait for more; the answer, if any, is there soon.
    while let Ok(Ok(count @ 1..)) = timeout(Duration::from_millis(60), connection.read(&mut bytes)).await {
        answer.extend_from_slice(&bytes[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

async fn try_all(mode: DesyncMitigation) -> (usize, usize) {
    let mut world = World::new().await;
    let (address, recorded) = recording().await;
    let at = world.balance("web", &[address]);
    world.table.target_groups[0].health_check.enabled = false;
    world.table.load_balancers[0].attributes.desync_mitigation = mode;
    world.apply().await;
    let (mut passed, mut refused) = (0, 0);
    for payload in payloads() {
        let before: Vec<usize> = recorded.lock().unwrap().iter().map(Vec::len).collect();
        let said = answer(at, payload.as_bytes()).await;
        match said.split(' ').nth(1) {
            Some("400" | "501") => refused += 1,
            Some("200") => passed += 1,
            _ => {}
        }
        // Bytes beyond a mended or refused request are nobody's; a good request may be followed by another, which
        // is one of its own: then all readers agree on both.
        let streams = recorded.lock().unwrap().clone();
        for (number, stream) in streams.iter().enumerate() {
            let stream = &stream[before.get(number).copied().unwrap_or(0)..];
            let right = Reader::default().paths(stream);
            for reader in readers() {
                let read = reader.paths(stream);
                let text = String::from_utf8_lossy(stream);
                assert_eq!(read, right, "{mode:?} {reader:?}\nsent {payload:?}\ngot {text:?}");
            }
        }
        let victim = send(at, "GET /victim HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").await;
        assert!(status(&victim) == 200 && victim.ends_with("/victim"), "{payload:?}: {victim}");
    }
    (passed, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_smuggled_in_the_defensive_mode() {
    let (passed, refused) = try_all(DesyncMitigation::Defensive).await;
    assert!(passed >= 10 && refused >= 100, "{passed} passed, {refused} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_smuggled_in_the_strictest_mode() {
    let (passed, refused) = try_all(DesyncMitigation::Strictest).await;
    assert!(passed >= 5 && refused >= 100, "{passed} passed, {refused} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_smuggled_in_the_monitor_mode() {
    let (passed, refused) = try_all(DesyncMitigation::Monitor).await;
    assert!(passed >= 40 && refused >= 20, "{passed} passed, {refused} refused");
}

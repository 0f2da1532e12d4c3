//! Requests by HTTP/2, frame by frame, that a target which speaks HTTP/1 could read as another or as two.

use crate::{
    tls::{offer, set, tls},
    world::{Server, World},
};
use std::{net::SocketAddrV4, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_rustls::rustls::version::TLS13;

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const GO_AWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

type Field<'a> = (&'a str, &'a str);

/// A request as it should be, but for its last fields.
const GOOD: [Field<'static>; 4] =
    [(":method", "GET"), (":scheme", "https"), (":authority", "shop.example"), (":path", "/")];

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Writes fields as they are, neither indexed nor compressed.
fn block(fields: &[Field<'_>]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let literal = |(name, value): &Field<'_>| [vec![0], text(name), text(value)].concat();
    fields.iter().flat_map(literal).collect()
}

/// Returns the kind of the frame that a request is answered with, and its payload; nothing when the connection ends.
async fn ask(at: SocketAddrV4, fields: &[Field<'_>]) -> Option<(u8, Vec<u8>)> {
    let exchange = async {
        let mut stream = offer(at, "shop.example", &[&TLS13], &[b"h2"]).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
        stream.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block(fields))).await.unwrap();
        stream.flush().await.unwrap();
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            stream.read_exact(&mut payload).await.ok()?;
            if matches!(head[3], HEADERS | RESET | GO_AWAY) {
                return Some((head[3], payload));
            }
        }
    };
    timeout(Duration::from_secs(10), exchange).await.expect("an answer or an end")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_could_be_read_as_another_request_reaches_a_target() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].health_check.enabled = false;
    set(&mut world, Some(tls()));
    world.apply().await;

    let (kind, payload) = ask(at, &GOOD).await.unwrap();
    // The status 200 is the eighth of the fields that everybody knows.
    assert_eq!((kind, payload[0], a.requests()), (HEADERS, 0x88, 1));

    let with = |more: &[Field<'static>]| [&GOOD[..], more].concat();
    let instead = |name: &str, value: &'static str| {
        GOOD.map(|field| if field.0 == name { (field.0, value) } else { field }).to_vec()
    };
    let smuggled = "/ HTTP/1.1\r\nHost: t\r\n\r\nGET /two";
    for fields in [
        with(&[("transfer-encoding", "chunked")]),
        with(&[("connection", "close")]),
        with(&[("upgrade", "websocket")]),
        with(&[("te", "chunked")]),
        with(&[("content-length", "5")]),
        with(&[("content-length", "0"), ("content-length", "5")]),
        with(&[("content-length", "+0")]),
        with(&[("x", "a\r\nHost: t")]),
        with(&[("x", "a\nb")]),
        with(&[("x", "a\0b")]),
        with(&[("x y", "a")]),
        with(&[("x: a\r\ny", "b")]),
        with(&[("X", "a")]),
        with(&[("", "a")]),
        with(&[("host", "other.example")]),
        with(&[("host", "shop.example"), ("host", "shop.example")]),
        with(&[(":path", "/two")]),
        with(&[(":other", "x")]),
        instead(":path", smuggled),
        instead(":path", "/a b"),
        instead(":path", "x"),
        instead(":path", ""),
        instead(":path", "http://other.example/"),
        instead(":method", "GET / HTTP/1.1\r\n"),
        instead(":method", "TRACE"),
        instead(":authority", "shop.example\r\nX: y"),
        instead(":authority", "user@shop.example"),
        GOOD[..3].to_vec(),
        [GOOD[0], GOOD[1], GOOD[3]].to_vec(),
        [GOOD[0], GOOD[1], GOOD[2], ("x", "y"), GOOD[3]].to_vec(),
    ] {
        let answer = ask(at, &fields).await;
        let refused = !matches!(&answer, Some((HEADERS, payload)) if payload.first() == Some(&0x88));
        assert!(refused && a.requests() == 1, "{fields:?}: {answer:?}, {} requests", a.requests());
    }
    assert!(matches!(ask(at, &GOOD).await, Some((HEADERS, _))), "the others go on");
}

//! Clients that speak HTTP/2: many requests on one connection, and what HTTP/1 has no words for.

use crate::{
    tls::{offer, set, tls},
    world::{Server, World},
};
use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request,
    client::conn::http2::{SendRequest, handshake},
    header::HeaderValue,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    net::SocketAddrV4,
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::timeout};
use tokio_rustls::rustls::version::TLS13;

const LONG: Duration = Duration::from_secs(10);

pub(crate) struct Client {
    to: SendRequest<Full<Bytes>>,
    over: JoinHandle<()>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Client {
    pub(crate) async fn new(at: SocketAddrV4) -> Client {
        let stream = offer(at, "shop.example", &[&TLS13], &[b"h2", b"http/1.1"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let (to, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        let over = tokio::spawn(async move {
            let _ = connection.await;
        });
        Client { to, over }
    }

    pub(crate) async fn ask(&self, request: Request<Full<Bytes>>) -> Answer {
        let mut to = self.to.clone();
        let asked = async move {
            let answer = to.send_request(request).await.unwrap();
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap();
            let trailers = body.trailers().cloned();
            Answer { status, body: String::from_utf8_lossy(&body.to_bytes()).into_owned(), trailers }
        };
        timeout(LONG, asked).await.expect("an answer")
    }

    /// Waits until the connection has ended.
    async fn ended(self) {
        timeout(LONG, self.over).await.expect("an end").unwrap();
    }
}

pub(crate) fn request(method: &str, path: &str, body: &str) -> Request<Full<Bytes>> {
    let uri = format!("https://shop.example{path}");
    Request::builder().method(method).uri(uri).body(Full::from(body.to_owned())).unwrap()
}

impl Answer {
    fn from(&self) -> &str {
        self.body.lines().next().unwrap_or_default()
    }
}

async fn serving(targets: &[&Server]) -> (World, SocketAddrV4) {
    let mut world = World::new().await;
    let addresses: Vec<_> = targets.iter().map(|target| target.address).collect();
    let at = world.balance("web", &addresses);
    world.table.target_groups[0].health_check.enabled = false;
    set(&mut world, Some(tls()));
    assert_eq!(world.apply().await, []);
    (world, at)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_connection_are_served_side_by_side_by_all_targets() {
    let (a, b) = (Server::new("a").await, Server::new("b").await);
    let (_world, at) = serving(&[&a, &b]).await;
    let client = Client::new(at).await;
    let began = Instant::now();
    let answers = join_all((0..20).map(|_| client.ask(request("GET", "/?ms=300", "")))).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(answers.iter().all(|answer| answer.status == 200));
    let from_a = answers.iter().filter(|answer| answer.from() == "a").count();
    assert_eq!((from_a, a.requests(), b.requests()), (10, 10, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_are_told_what_they_would_hear_by_http_1() {
    let a = Server::new("a").await;
    let (_world, at) = serving(&[&a]).await;
    let client = Client::new(at).await;
    let mut asked = request("POST", "/x?y=z", &"x".repeat(300_000));
    for cookie in ["one=1", "two=2"] {
        asked.headers_mut().append("cookie", HeaderValue::from_static(cookie));
    }
    let answer = client.ask(asked).await;
    assert_eq!((answer.status, answer.from()), (200, "a"));
    let (head, body) = answer.body.split_once("\n\n").unwrap();
    assert_eq!(body.len(), 300_000);
    for line in [
        "POST /x?y=z",
        "host: shop.example",
        "cookie: one=1; two=2",
        "x-forwarded-proto: https",
        "x-forwarded-for: 127.",
    ] {
        assert!(head.contains(&format!("\n{line}")), "{line}: {head}");
    }
    assert_eq!(head.matches("\nhost: ").count(), 1, "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_for_a_target_is_refused_and_the_others_go_on() {
    let a = Server::new("a").await;
    let (_world, at) = serving(&[&a]).await;
    let client = Client::new(at).await;
    assert_eq!(client.ask(request("TRACE", "/", "")).await.status, 405);
    let mut far = request("GET", "/", "");
    far.headers_mut().insert("x-forwarded-for", HeaderValue::from_str(&"9.9.9.9,".repeat(40)).unwrap());
    assert_eq!(client.ask(far).await.status, 463);
    assert_eq!(a.requests(), 0);
    assert_eq!(client.ask(request("GET", "/", "")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_in_peace_with_its_listener_or_its_time() {
    let a = Server::new("a").await;
    let (mut world, at) = serving(&[&a]).await;
    world.table.load_balancers[0].attributes.client_keep_alive_secs = 1;
    world.apply().await;
    let client = Client::new(at).await;
    assert_eq!(client.ask(request("GET", "/?ms=1500", "")).await.status, 200);
    client.ended().await;

    world.table.load_balancers[0].attributes.client_keep_alive_secs = 3600;
    world.apply().await;
    let client = Client::new(at).await;
    let slow = client.ask(request("GET", "/?ms=1000", ""));
    let remove = async {
        while a.requests() < 2 {
            tokio::task::yield_now().await;
        }
        world.table.load_balancers[0].listeners.clear();
        world.apply().await;
    };
    let (answer, ()) = tokio::join!(slow, remove);
    assert_eq!((answer.status, answer.from()), (200, "a"));
    client.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_ends_and_a_late_target_is_told_of() {
    let a = Server::new("a").await;
    let (mut world, at) = serving(&[&a]).await;
    world.table.load_balancers[0].idle_timeout_secs = 1;
    world.apply().await;
    let client = Client::new(at).await;
    assert_eq!(client.ask(request("GET", "/?ms=4000", "")).await.status, 504);
    let began = Instant::now();
    client.ended().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_spoken_only_where_it_is_wanted() {
    let a = Server::new("a").await;
    let (mut world, at) = serving(&[&a]).await;
    let both: &[&[u8]] = &[b"h2", b"http/1.1"];
    world.table.load_balancers[0].attributes.http2 = false;
    world.apply().await;
    let stream = offer(at, "shop.example", &[&TLS13], both).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
    world.table.load_balancers[0].attributes.http2 = true;
    world.apply().await;
    let stream = offer(at, "shop.example", &[&TLS13], both).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    // Nobody speaks what was not offered.
    let stream = offer(at, "shop.example", &[&TLS13], &[b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
}

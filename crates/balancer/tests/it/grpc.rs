//! Target groups whose targets speak HTTP/2 without TLS, and those that take calls of gRPC.

use crate::{
    http2::{Client, request},
    tls::{set, tls},
    world::{Server, World, send, status, target},
};
use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    HeaderMap, Request, Response,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http2::Builder,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    convert::Infallible,
    net::SocketAddrV4,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::AbortHandle, time::sleep};
use wharf_model::target_group::{HealthCheck, ProtocolVersion, TargetAddress, TargetState};

/// A server of calls: each is answered with what it says and 0, unknown ones with 12.
struct Calls {
    address: TargetAddress,
    answered: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

impl Calls {
    async fn new() -> Calls {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, answered) = (target(&listener), Arc::<AtomicUsize>::default());
        let counter = answered.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let counter = counter.clone();
                let service = service_fn(move |call| answer(call, counter.clone()));
                let builder = Builder::new(TokioExecutor::new());
                tokio::spawn(builder.serve_connection(TokioIo::new(connection), service));
            }
        });
        Calls { address, answered, accepting: accepting.abort_handle() }
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(
    call: Request<Incoming>,
    counter: Arc<AtomicUsize>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let (path, version) = (call.uri().path().to_owned(), call.version());
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(if path == "/Say/it" { "0" } else { "12" }));
    let said = match path.as_str() {
        "/Say/it" => {
            counter.fetch_add(1, SeqCst);
            sleep(Duration::from_millis(50)).await;
            call.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default()
        }
        _ => Bytes::from(format!("{version:?}")),
    };
    let body = Full::from(said).with_trailers(async move { Some(Ok(trailers)) }).boxed();
    let mut answer = Response::new(body);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    Ok(answer)
}

async fn serving(version: ProtocolVersion, targets: &[TargetAddress]) -> (World, SocketAddrV4) {
    let mut world = World::new().await;
    let at = world.balance("web", targets);
    set(&mut world, Some(tls()));
    let group = &mut world.table.target_groups[0];
    group.protocol_version = version;
    group.health_check = HealthCheck { interval_secs: 1, timeout_secs: 1, ..HealthCheck::of(version) };
    assert_eq!(world.apply().await, []);
    (world, at)
}

fn call(path: &str, body: &str) -> Request<Full<Bytes>> {
    let mut call = request("POST", path, body);
    call.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    call.headers_mut().insert("te", HeaderValue::from_static("trailers"));
    call
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_one_connection_go_to_all_targets_and_their_outcome_comes_back() {
    let (a, b) = (Calls::new().await, Calls::new().await);
    let (world, at) = serving(ProtocolVersion::Grpc, &[a.address, b.address]).await;
    for target in [&a, &b] {
        world.until(target.address, TargetState::Healthy).await;
    }
    let client = Client::new(at).await;
    let answers =
        join_all((0..20).map(|number| client.ask(call("/Say/it", &format!("call {number}"))))).await;
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!((answer.status, answer.body.clone()), (200, format!("call {number}")));
        assert_eq!(answer.trailers.as_ref().unwrap()["grpc-status"], "0");
    }
    assert_eq!((a.answered.load(SeqCst), b.answered.load(SeqCst)), (10, 10));
    assert_eq!(client.ask(call("/Say/nothing", "")).await.trailers.unwrap()["grpc-status"], "12");
    assert_eq!(client.ask(request("GET", "/Say/it", "")).await.status, 464);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_healthy_by_the_codes_of_its_calls() {
    let a = Calls::new().await;
    let (mut world, _) = serving(ProtocolVersion::Grpc, &[a.address]).await;
    world.until(a.address, TargetState::Healthy).await;
    world.forget();
    world.table.target_groups[0].health_check.matcher = "0-11,13".to_owned();
    world.apply().await;
    world.until(a.address, TargetState::Unhealthy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_that_speak_http_2_get_requests_by_it_and_no_others() {
    let a = Calls::new().await;
    let (mut world, at) = serving(ProtocolVersion::Http2, &[a.address]).await;
    world.until(a.address, TargetState::Healthy).await;
    let answer = Client::new(at).await.ask(request("GET", "/", "")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "HTTP/2.0"));
    set(&mut world, None);
    world.apply().await;
    for request in [
        "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        assert_eq!(status(&send(at, request).await), 464);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_do_not_go_where_nobody_takes_them() {
    let a = Server::new("a").await;
    let (world, at) = serving(ProtocolVersion::Http1, &[a.address]).await;
    world.until(a.address, TargetState::Healthy).await;
    let client = Client::new(at).await;
    assert_eq!(client.ask(call("/Say/it", "x")).await.status, 464);
    assert_eq!(client.ask(request("GET", "/", "")).await.status, 200);
}

//! What attributes change in requests and answers, on the short way and on pingora's.

use crate::world::{Server, World, get, name, send, status};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};
use wharf_model::{
    attributes::{Algorithm, DesyncMitigation, ForwardedFor},
    routing::TargetRoute,
    target_group::TargetState,
};

/// Returns what a target is told on both ways: a chunked body needs the long one.
async fn told(world: &mut World, a: &Server, headers: &str) -> [String; 2] {
    if world.table.load_balancers.is_empty() {
        world.balance("web", &[a.address]);
        world.table.target_groups[0].health_check.enabled = false;
    }
    world.apply().await;
    let balancer = &world.table.load_balancers[0];
    let at = std::net::SocketAddrV4::new(balancer.addresses[0], balancer.listeners[0].port);
    let head = format!("/ HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n{headers}");
    [
        send(at, &format!("GET {head}\r\n")).await,
        send(at, &format!("GET {head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_are_told_of_the_client_as_the_load_balancer_is_set() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    told(&mut world, &a, "").await;
    let port = world.table.load_balancers[0].listeners[0].port;
    let came = "X-Forwarded-For: 203.0.113.7\r\nodd_name: 1\r\n";
    for answer in told(&mut world, &a, came).await {
        assert!(answer.contains("x-forwarded-for: 203.0.113.7, 127.0.0.1\n"), "{answer}");
        assert!(
            answer.contains(&format!("host: shop:{port}\n")) && answer.contains("odd_name: 1\n"),
            "{answer}"
        );
    }
    let attributes = &mut world.table.load_balancers[0].attributes;
    (attributes.forwarded_for_port, attributes.preserve_host_header) = (true, true);
    attributes.drop_invalid_header_fields = true;
    for answer in told(&mut world, &a, came).await {
        assert!(answer.contains("x-forwarded-for: 203.0.113.7, 127.0.0.1:"), "{answer}");
        assert!(answer.contains("host: shop\n") && !answer.contains("odd_name"), "{answer}");
    }
    world.table.load_balancers[0].attributes.forwarded_for = ForwardedFor::Preserve;
    for answer in told(&mut world, &a, came).await {
        assert!(answer.contains("x-forwarded-for: 203.0.113.7\n"), "{answer}");
    }
    for answer in told(&mut world, &a, "").await {
        assert!(!answer.contains("x-forwarded-for"), "{answer}");
    }
    world.table.load_balancers[0].attributes.forwarded_for = ForwardedFor::Remove;
    for answer in told(&mut world, &a, came).await {
        assert!(!answer.contains("x-forwarded-for"), "{answer}");
    }
    let many = format!("X-Forwarded-For: {}\r\n", vec!["10.0.0.1"; 31].join(", "));
    for answer in told(&mut world, &a, &many).await {
        assert_eq!(status(&answer), 463, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_headers_that_the_listener_sets() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    told(&mut world, &a, "").await;
    let attributes = &mut world.table.load_balancers[0].listeners[0].attributes;
    attributes.response_headers = vec![("x-frame-options".to_owned(), "DENY".to_owned())];
    for answer in told(&mut world, &a, "").await {
        assert!(answer.to_lowercase().contains("\r\nx-frame-options: deny\r\n"), "{answer}");
    }
    world.table.load_balancers[0].listeners[0].attributes.server_header = false;
    world.table.target_groups[0].targets.clear();
    for answer in told(&mut world, &a, "").await {
        assert_eq!(status(&answer), 503);
        let lower = answer.to_lowercase();
        assert!(lower.contains("\r\nx-frame-options: deny\r\n") && !lower.contains("server:"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_with_its_first_answer_after_the_keep_alive_time() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].health_check.enabled = false;
    world.table.load_balancers[0].attributes.client_keep_alive_secs = 1;
    world.apply().await;
    let mut connection = TcpStream::connect(at).await.unwrap();
    let mut bytes = vec![0; 4096];
    for (wait, expected) in [(0, "keep-alive"), (1100, "close")] {
        sleep(Duration::from_millis(wait)).await;
        connection.write_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n").await.unwrap();
        let count = connection.read(&mut bytes).await.unwrap();
        let answer = String::from_utf8_lossy(&bytes[..count]).to_lowercase();
        assert!(answer.contains(&format!("connection: {expected}\r\n")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doubtful_requests_pass_mended_are_refused_or_must_be_spotless() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].health_check.enabled = false;
    let doubtful = "POST /a b HTTP/1.1\nHost: t\nContent-Length: 2\nContent-Length: 2\n\nok";
    let unusual = "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    for (mode, of_doubtful, of_unusual) in [
        (DesyncMitigation::Monitor, 200, 200),
        (DesyncMitigation::Defensive, 400, 200),
        (DesyncMitigation::Strictest, 400, 400),
    ] {
        world.table.load_balancers[0].attributes.desync_mitigation = mode;
        world.apply().await;
        let answer = send(at, doubtful).await;
        assert_eq!(status(&answer), of_doubtful, "{mode:?}: {answer}");
        if of_doubtful == 200 {
            assert!(answer.contains("POST /a%20b\n") && answer.ends_with("\n\nok"), "{answer}");
        }
        assert_eq!(status(&send(at, unusual).await), of_unusual, "{mode:?}");
        assert_eq!(status(&get(at, "/").await), 200, "{mode:?}");
    }
}

async fn counts(at: std::net::SocketAddrV4, requests: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..requests {
        *counts.entry(name(&get(at, "/").await).to_owned()).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_busy_gets_fewer_requests() {
    let mut world = World::new().await;
    let (a, b) = (Server::new("a").await, Server::new("b").await);
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].health_check.enabled = false;
    world.table.target_groups[0].attributes.algorithm = Algorithm::LeastOutstandingRequests;
    world.apply().await;
    let slow: Vec<_> = (0..4).map(|_| tokio::spawn(async move { get(at, "/?ms=3000").await })).collect();
    while a.requests() < 4 {
        sleep(Duration::from_millis(5)).await;
    }
    world.table.target_groups[0].targets.push(TargetRoute { address: b.address, draining: false });
    world.apply().await;
    // The busy one is only chosen when both draws fall on it.
    let counts = counts(at, 200).await;
    assert!(counts["b"] > 120 && counts.get("a").is_none_or(|a| *a < 80), "{counts:?}");
    slow.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_target_starts_slowly_with_every_algorithm() {
    for algorithm in [Algorithm::RoundRobin, Algorithm::LeastOutstandingRequests, Algorithm::WeightedRandom] {
        let mut world = World::new().await;
        let (a, b) = (Server::new("a").await, Server::new("b").await);
        let at = world.balance("web", &[a.address]);
        world.table.target_groups[0].attributes.algorithm = algorithm;
        world.apply().await;
        world.until(a.address, TargetState::Healthy).await;
        world.table.target_groups[0].attributes.slow_start_secs = 30;
        // The first has been healthy for two seconds, and the other has just become so.
        sleep(Duration::from_millis(2000)).await;
        world.table.target_groups[0].targets.push(TargetRoute { address: b.address, draining: false });
        world.apply().await;
        world.until(b.address, TargetState::Healthy).await;
        let start = Instant::now();
        let counts = counts(at, 100).await;
        assert!(start.elapsed() < Duration::from_secs(3), "too slow a machine to tell");
        assert!(counts["a"] > counts.get("b").copied().unwrap_or_default(), "{algorithm:?}: {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_targets_get_requests_when_fewer_are_healthy_than_must_be() {
    let mut world = World::new().await;
    let (a, b) = (Server::new("a").await, Server::new("b").await);
    let at = world.balance("web", &[a.address, b.address]);
    world.apply().await;
    world.until(a.address, TargetState::Healthy).await;
    world.until(b.address, TargetState::Healthy).await;
    b.fail_checks();
    world.until(b.address, TargetState::Unhealthy).await;
    assert_eq!(counts(at, 10).await, BTreeMap::from([("a".to_owned(), 10)]));
    world.table.target_groups[0].attributes.healthy_min_percent = Some(60);
    world.apply().await;
    assert_eq!(counts(at, 10).await, BTreeMap::from([("a".to_owned(), 5), ("b".to_owned(), 5)]));
}

use crate::world::{Server, World, get, name, status};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddrV4,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};
use wharf_model::{routing::TargetRoute, target_group::TargetState};
use wharf_nodelink::balancer::FromBalancer;

#[tokio::test(flavor = "multi_thread")]
async fn draining_waits_for_the_request_in_flight() {
    let mut world = World::new().await;
    let (a, b) = (Server::new("a").await, Server::new("b").await);
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    world.until(a.address, TargetState::Healthy).await;
    let slow = tokio::spawn(async move { get(at, "/?ms=700").await });
    while a.requests() == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    world.drain(a.address);
    world.table.target_groups[0].targets.push(TargetRoute { address: b.address, draining: false });
    world.apply().await;
    assert_eq!(name(&get(at, "/").await), "b");
    let early = world.heard().iter().any(|message| matches!(message, FromBalancer::Drained { .. }));
    assert!(!early && !slow.is_finished(), "drained before the request had ended");
    let answer = slow.await.unwrap();
    let ended = Instant::now();
    assert_eq!((status(&answer), name(&answer)), (200, "a"));
    world.drained(a.address).await;
    assert!(ended.elapsed() < Duration::from_millis(300), "{:?}", ended.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_target_is_drained_at_once() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    assert_eq!(status(&get(at, "/").await), 200);
    world.drain(a.address);
    let start = Instant::now();
    world.apply().await;
    world.drained(a.address).await;
    assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
    assert_eq!(status(&get(at, "/").await), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_left_after_the_delay_are_cut() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].deregistration_delay_secs = 1;
    world.apply().await;
    let slow = tokio::spawn(async move { get(at, "/?ms=15000").await });
    while a.requests() == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    world.drain(a.address);
    world.apply().await;
    world.drained(a.address).await;
    assert_eq!(status(&slow.await.unwrap()), 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_target_is_said_again_after_a_reconnect() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    world.balance("web", &[a.address]);
    world.apply().await;
    world.drain(a.address);
    world.apply().await;
    world.drained(a.address).await;
    world.stop_control().await;
    world.start_control();
    world.drained(a.address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_registered_again_serves_again() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    world.drain(a.address);
    world.apply().await;
    world.drained(a.address).await;
    world.table.target_groups[0].targets[0].draining = false;
    world.forget();
    world.apply().await;
    world.until(a.address, TargetState::Healthy).await;
    assert_eq!(status(&get(at, "/").await), 200);
}

/// Sends requests over one connection at a time until told to stop; every second one is a POST.
async fn load(at: SocketAddrV4, stop: Arc<AtomicBool>, sent: Arc<AtomicUsize>, failed: Arc<AtomicUsize>) {
    while !stop.load(SeqCst) {
        let connection = TcpStream::connect(at).await.unwrap();
        let (mut sender, driving) = http1::handshake(TokioIo::new(connection)).await.unwrap();
        let driving = tokio::spawn(driving);
        for number in 0..50 {
            let builder = Request::builder().uri("/?ms=1").header("Host", "test");
            let request = match number % 2 {
                0 => builder.method("GET").body(Full::<Bytes>::default()),
                _ => builder.method("POST").body(Full::from(Bytes::from_static(b"some body"))),
            };
            let fine = match sender.send_request(request.unwrap()).await {
                Ok(answer) => answer.status() == 200 && answer.into_body().collect().await.is_ok(),
                Err(_) => false,
            };
            sent.fetch_add(1, SeqCst);
            if !fine {
                failed.fetch_add(1, SeqCst);
                break;
            }
        }
        driving.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn targets_replaced_twenty_times_under_load_fail_no_request() {
    let mut world = World::new().await;
    let mut servers = vec![Server::new("0").await, Server::new("0").await, Server::new("0").await];
    let at = world.balance("web", &servers.iter().map(|server| server.address).collect::<Vec<_>>());
    world.apply().await;
    for server in &servers {
        world.until(server.address, TargetState::Healthy).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let (sent, failed) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let clients: Vec<_> =
        (0..8).map(|_| tokio::spawn(load(at, stop.clone(), sent.clone(), failed.clone()))).collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let fresh = Server::new("n").await;
        world.table.target_groups[0].targets.push(TargetRoute { address: fresh.address, draining: false });
        world.apply().await;
        world.until(fresh.address, TargetState::Healthy).await;
        let old = servers.remove(0);
        world.drain(old.address);
        let start = Instant::now();
        world.apply().await;
        slowest = slowest.max(start.elapsed());
        world.drained(old.address).await;
        let at_end = old.requests();
        sleep(Duration::from_millis(20)).await;
        assert_eq!(old.requests(), at_end, "a request reached a drained target");
        world.table.target_groups[0].targets.retain(|target| target.address != old.address);
        drop(old);
        world.apply().await;
        servers.push(fresh);
        world.forget();
    }
    stop.store(true, SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    assert!(sent.load(SeqCst) > 500, "only {} requests", sent.load(SeqCst));
    assert_eq!(failed.load(SeqCst), 0, "of {}", sent.load(SeqCst));
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

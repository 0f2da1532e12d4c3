use crate::world::{Server, World, get, name, send, status, target};
use std::{net::Ipv4Addr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wharf_model::target_group::{TargetAddress, TargetState};
use wharf_nodelink::balancer::FromBalancer;

/// Starts a target that reads a request, says this, and closes.
async fn saying(answer: &'static str, wait: Duration) -> TargetAddress {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = target(&listener);
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                let _ = connection.read(&mut bytes).await;
                tokio::time::sleep(wait).await;
                let _ = connection.write_all(answer.as_bytes()).await;
            });
        }
    });
    address
}

fn nobody() -> TargetAddress {
    TargetAddress { ip: Ipv4Addr::LOCALHOST, port: crate::world::free_port(Ipv4Addr::LOCALHOST).port() }
}

async fn answer_of(target: Option<TargetAddress>, request: &str) -> String {
    let mut world = World::new().await;
    let at = world.balance("web", target.as_slice());
    if let Some(routes) = world.table.load_balancers.first_mut() {
        routes.idle_timeout_secs = 1;
    }
    world.table.target_groups[0].health_check.enabled = false;
    world.apply().await;
    send(at, request).await
}

const GET: &str = "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn without_targets_the_answer_is_503_in_the_form_of_an_alb() {
    let answer = answer_of(None, GET).await;
    assert_eq!(status(&answer), 503);
    assert!(answer.contains("awselb/2.0") && answer.contains("Content-Length: 162\r\n"), "{answer}");
    let page = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n";
    assert!(answer.contains(page), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_refuses_resets_or_talks_nonsense_is_502() {
    assert_eq!(status(&answer_of(Some(nobody()), GET).await), 502);
    assert_eq!(status(&answer_of(Some(saying("", Duration::ZERO).await), GET).await), 502);
    assert_eq!(status(&answer_of(Some(saying("nonsense\r\n\r\n", Duration::ZERO).await), GET).await), 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_answer_in_time_is_504() {
    let silent = saying("", Duration::from_secs(10)).await;
    assert_eq!(status(&answer_of(Some(silent), GET).await), 504);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_answered_early_still_gets_the_answer() {
    let body = "x".repeat(200_000);
    let post = format!("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 200000\r\n\r\n{body}");
    assert_eq!(status(&answer_of(None, &post).await), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_requests_are_400_and_reach_no_target() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET / HTTP/1.1\nHost: t\n\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = send(at, request).await;
        assert_eq!(status(&answer), 400, "{request:?}: {answer}");
        assert!(answer.contains("awselb/2.0"), "{answer}");
    }
    let coded = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(status(&send(at, coded).await), 501);
    let long = format!("GET /{} HTTP/1.1\r\nHost: t\r\n\r\n", "x".repeat(17 << 10));
    assert_eq!(status(&send(at, &long).await), 414);
    assert_eq!(a.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_refuses_connections_is_passed_over_even_for_posts() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[nobody(), a.address, nobody()]);
    world.table.target_groups[0].health_check.enabled = false;
    world.apply().await;
    for _ in 0..10 {
        let answer =
            send(at, "POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").await;
        assert_eq!((status(&answer), name(&answer)), (200, "a"), "{answer}");
    }
    assert_eq!(a.requests(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_never_sent_twice() {
    let mut world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = target(&listener);
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = count.clone();
    // Answers the first request of a connection and closes on the second.
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let counter = counter.clone();
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                for turn in 0..2 {
                    if connection.read(&mut bytes).await.unwrap_or(0) == 0 {
                        return;
                    }
                    counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    if turn == 0 {
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                        connection.write_all(answer).await.unwrap();
                    }
                }
            });
        }
    });
    let at = world.balance("web", &[address]);
    world.table.target_groups[0].health_check.enabled = false;
    world.apply().await;
    let post = "POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(status(&send(at, post).await), 200);
    assert_eq!(status(&send(at, post).await), 502);
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 2);
    assert_eq!(status(&send(at, post).await), 200);
    assert_eq!(status(&get(at, "/").await), 200, "a GET is sent again on a new connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_targets_are_used_when_none_is_healthy() {
    let mut world = World::new().await;
    let (a, b) = (Server::new("a").await, Server::new("b").await);
    let at = world.balance("web", &[a.address, b.address]);
    world.table.target_groups[0].health_check.matcher = "201".to_owned();
    world.apply().await;
    let said = world
        .hear(|message| match message {
            FromBalancer::Health { health, .. } if health.state == TargetState::Unhealthy => {
                Some(health.clone())
            }
            _ => None,
        })
        .await;
    assert_eq!(said.reason.as_deref(), Some("Target.ResponseCodeMismatch"));
    assert_eq!(said.description.as_deref(), Some("Health checks failed with these codes: [200]"));
    for _ in 0..4 {
        assert_eq!(status(&get(at, "/").await), 200);
    }
    assert_eq!((a.requests(), b.requests()), (2, 2));
}

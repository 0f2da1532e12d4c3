use crate::world::{Server, World, free_port, get, name, send, status};
use futures_util::{SinkExt, StreamExt};
use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};
use tokio_tungstenite::{accept_async, client_async, tungstenite::Message};
use wharf_model::{
    routing::Action,
    target_group::{TargetAddress, TargetState},
};

#[tokio::test(flavor = "multi_thread")]
async fn healthy_targets_take_turns() {
    let mut world = World::new().await;
    let (a, b) = (Server::new("a").await, Server::new("b").await);
    let at = world.balance("web", &[a.address, b.address]);
    world.apply().await;
    world.until(a.address, TargetState::Healthy).await;
    world.until(b.address, TargetState::Healthy).await;
    let mut counts = BTreeMap::<String, usize>::new();
    for _ in 0..20 {
        *counts.entry(name(&get(at, "/").await).to_owned()).or_default() += 1;
    }
    assert_eq!(counts, BTreeMap::from([("a".to_owned(), 10), ("b".to_owned(), 10)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_target_is_healthy_in_well_under_a_second() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    world.balance("web", &[a.address]);
    let start = Instant::now();
    world.apply().await;
    world.until(a.address, TargetState::Healthy).await;
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_see_the_client_and_the_balancers_address() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    world.until(a.address, TargetState::Healthy).await;
    let request = "GET /x?y=1 HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: gopher\r\n\
                   Connection: close, x-secret\r\nX-Secret: 1\r\n\r\n";
    let answer = send(at, request).await;
    for expected in [
        "GET /x?y=1\n",
        &format!("host: shop:{}\n", at.port()),
        "x-forwarded-for: 203.0.113.7, 127.0.0.1\n",
        "x-forwarded-proto: http\n",
        &format!("x-forwarded-port: {}\n", at.port()),
        "x-amzn-trace-id: Root=1-",
    ] {
        assert!(answer.contains(expected), "{expected} in {answer}");
    }
    assert!(!answer.contains("x-secret"), "{answer}");
    let own = std::net::IpAddr::from(*at.ip());
    assert!(a.sources.lock().unwrap().iter().all(|source| source.ip() == own));
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_0_gets_an_answer_and_the_target_a_host() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    let answer = send(at, "GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(answer.contains("host: web-1234567890.us-east-1.elb.localhost\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_all_answered() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    let one = "POST /1 HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
    let two = "GET /2 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    let answer = send(at, &format!("{one}{two}")).await;
    assert!(answer.contains("POST /1\n") && answer.contains("GET /2\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_only_stops_sending_gets_its_answer() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    let mut connection = TcpStream::connect(at).await.unwrap();
    connection.write_all(b"GET /?ms=200 HTTP/1.1\r\nHost: t\r\n\r\n").await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_100_is_told_to_continue() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    let mut connection = TcpStream::connect(at).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n";
    connection.write_all(head).await.unwrap();
    let mut bytes = vec![0; 4096];
    let count = connection.read(&mut bytes).await.unwrap();
    assert!(bytes[..count].starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&bytes[..count]));
    connection.write_all(b"body").await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(status(&answer) == 200 && answer.ends_with("body"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_of_http_2_is_answered_over_http_1() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    let offer = "GET /1 HTTP/1.1\r\nHost: t\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
                 HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nGET /2 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    let answer = send(at, offer).await;
    assert!(answer.contains("GET /1\n") && answer.contains("GET /2\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_passes_both_ways() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    let body = "x".repeat(3 << 20);
    let head =
        format!("POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = send(at, &format!("{head}{body}")).await;
    assert!(answer.ends_with(&body), "{} bytes", answer.len());
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let head = "POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = send(at, &format!("{head}{chunk}")).await;
    assert!(answer.ends_with(&body), "{} bytes", answer.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_response_and_a_redirect_need_no_target() {
    let mut world = World::new().await;
    let (fixed, redirect) =
        (free_port(Ipv4Addr::new(127, 77, 0, 2)), free_port(Ipv4Addr::new(127, 77, 0, 3)));
    let action = Action::FixedResponse {
        status_code: 418,
        content_type: Some("text/plain".to_owned()),
        message_body: Some("teapot".to_owned()),
    };
    world.listen("fixed", fixed, action);
    let action = Action::Redirect {
        status_code: 301,
        protocol: "HTTPS".to_owned(),
        host: "#{host}".to_owned(),
        port: "443".to_owned(),
        path: "/#{path}".to_owned(),
        query: "#{query}".to_owned(),
    };
    world.listen("redirect", redirect, action);
    world.apply().await;
    let answer = get(fixed, "/").await;
    assert!(answer.starts_with("HTTP/1.1 418") && answer.ends_with("\r\n\r\nteapot"), "{answer}");
    let answer = get(redirect, "/a?b=c").await;
    assert_eq!(status(&answer), 301);
    assert!(answer.to_lowercase().contains("location: https://test:443/a?b=c\r\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_messages_pass_a_websocket() {
    let mut world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = crate::world::target(&listener);
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(connection).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    });
    let at = world.balance("ws", &[target]);
    world.table.target_groups[0].health_check.enabled = false;
    // The time between two bytes, not for the whole: half of it passes in silence below.
    world.table.load_balancers[0].idle_timeout_secs = 3;
    world.apply().await;
    let connection = TcpStream::connect(at).await.unwrap();
    let (mut socket, _) = client_async("ws://test/ws", connection).await.unwrap();
    for number in 0..200 {
        let said = Message::text(format!("message {number}"));
        socket.send(said.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), said);
        if number % 100 == 99 {
            tokio::time::sleep(Duration::from_millis(1_600)).await;
        }
    }
    let silent = timeout(Duration::from_secs(8), socket.next()).await.expect("an idle socket is ended");
    assert!(silent.is_none_or(|ended| ended.is_err()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_balancer_serves_its_saved_table_without_control() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let gone = TargetAddress { ip: Ipv4Addr::LOCALHOST, port: free_port(Ipv4Addr::LOCALHOST).port() };
    let at = world.balance("web", &[a.address, gone]);
    world.apply().await;
    world.until(a.address, TargetState::Healthy).await;
    // Until the health is saved, too.
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.stop_control().await;
    assert_eq!(status(&get(at, "/").await), 200, "control is away");
    world.kill_balancer();
    while TcpStream::connect(at).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.start_balancer();
    while TcpStream::connect(at).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..4 {
        assert_eq!(status(&get(at, "/").await), 200);
    }
    world.start_control();
    assert_eq!(world.hello().await, world.table.version);
    world.until(a.address, TargetState::Healthy).await;
}

//! What passes between target and client on the short way, byte for byte.

use crate::world::{Server, World, get, send, status, target};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wharf_model::target_group::TargetAddress;

const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n";
const HINTED: &str =
    "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
const OLD: &str = "HTTP/1.0 200 OK\r\n\r\nuntil the end";
const BROKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
const BODILESS: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
const TOO_MUCH: &str =
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";

/// Starts a target that has an answer for each path, given byte by byte or at once, and closes after some.
async fn saying() -> TargetAddress {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = target(&listener);
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let mut bytes = vec![0; 4096];
                loop {
                    let count = connection.read(&mut bytes).await.unwrap_or(0);
                    let request = String::from_utf8_lossy(&bytes[..count]).into_owned();
                    let path = request.split(' ').nth(1).unwrap_or_default();
                    let (answer, close) = match path.split('?').next().unwrap_or_default() {
                        "/chunked" => (CHUNKED, false),
                        "/hinted" => (HINTED, false),
                        "/old" => (OLD, true),
                        "/broken" => (BROKEN, true),
                        "/bodiless" => (BODILESS, false),
                        "/too-much" => (TOO_MUCH, false),
                        _ => return,
                    };
                    if path.ends_with("?slowly") {
                        for byte in answer.as_bytes() {
                            connection.write_all(&[*byte]).await.unwrap();
                            tokio::time::sleep(Duration::from_micros(300)).await;
                        }
                    } else if connection.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                    if close {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Returns what a client gets that sends these requests over one connection.
async fn answers(requests: &[&str]) -> String {
    let mut world = World::new().await;
    let at = world.balance("web", &[saying().await]);
    world.table.target_groups[0].health_check.enabled = false;
    world.apply().await;
    send(at, &requests.concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_every_extent_pass_one_after_the_other() {
    let got = answers(&[
        "GET /chunked HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /chunked?slowly HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /hinted HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /hinted?slowly HTTP/1.1\r\nHost: t\r\n\r\n",
        "HEAD /bodiless HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /old HTTP/1.1\r\nHost: t\r\n\r\n",
    ])
    .await;
    let bodies: Vec<_> = got.split("\r\n\r\n").collect();
    assert_eq!(got.matches("\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n").count(), 2, "{got}");
    assert_eq!(
        got.matches("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK").count(),
        2,
        "{got}"
    );
    assert_eq!(got.matches("\r\n\r\nabcHTTP/1.1 ").count(), 2, "{got}");
    assert_eq!(got.matches("Connection: keep-alive").count(), 5, "{got}");
    assert_eq!(bodies.last(), Some(&"until the end"));
    assert_eq!(got.matches("Connection: close").count(), 1, "{got}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_breaks_off_for_the_client() {
    let got = answers(&["GET /broken HTTP/1.1\r\nHost: t\r\n\r\n"]).await;
    assert!(got.contains("Content-Length: 10\r\n") && got.ends_with("\r\n\r\nabc"), "{got}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_target_says_unasked_is_nobodys_answer() {
    let requests = [
        "GET /too-much HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /chunked HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
    ];
    let got = answers(&requests).await;
    assert!(!got.contains("poison") && got.contains("hello"), "{got}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_to_a_target_serves_many_clients() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].health_check.enabled = false;
    world.apply().await;
    for _ in 0..5 {
        assert_eq!(status(&get(at, "/").await), 200);
    }
    assert_eq!(a.sources.lock().unwrap().len(), 1);
}

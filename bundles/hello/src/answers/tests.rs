use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use crate::connections::serve;
use crate::identity::Identity;

#[test]
fn a_number_is_read_from_the_query_and_has_a_default() {
    assert_eq!(number("a=1&ms=250", "ms", 1_000, 3_600_000), Ok(250));
    assert_eq!(number("", "ms", 1_000, 3_600_000), Ok(1_000));
}

#[test]
fn a_number_that_does_not_fit_is_refused_by_name() {
    let refused = number("code=256", "code", 0, 255).unwrap_err();
    assert_eq!(refused.to_string(), r#"code is "256": a whole number up to 255 is wanted"#);
}

#[tokio::test]
async fn a_request_in_flight_when_the_end_is_asked_for_gets_its_answer() {
    let (address, server) = start().await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /slow?ms=300 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let exit = ask(address, "GET /exit?code=7 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(exit.ends_with("exits with 7\n"), "{exit}");
    let mut heard = String::new();
    slow.read_to_string(&mut heard).await.unwrap();
    assert!(heard.ends_with("slept 300 ms\n"), "{heard}");
    assert_eq!(server.await.unwrap(), 7);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_open_websocket_is_told_goodbye() {
    let (address, server) = start().await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    let handshake = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(handshake.as_bytes()).await.unwrap();
    let mut heard = vec![0; 1_024];
    let length = socket.read(&mut heard).await.unwrap();
    let heard = String::from_utf8_lossy(&heard[..length]).into_owned();
    assert!(heard.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{heard}");
    // "hi", masked with a key of zeros.
    socket.write_all(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i']).await.unwrap();
    let mut echoed = [0; 4];
    socket.read_exact(&mut echoed).await.unwrap();
    assert_eq!(echoed, [0x81, 2, b'h', b'i']);
    ask(address, "GET /exit HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut goodbye = [0; 4];
    socket.read_exact(&mut goodbye).await.unwrap();
    assert_eq!(goodbye, [0x88, 8, 0x03, 0xe9]);
    drop(socket);
    assert_eq!(server.await.unwrap(), 0);
}

#[tokio::test]
async fn what_a_proxy_added_can_be_read_in_the_answer() {
    let (address, _server) = start().await;
    let request = "POST /any HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 10.0.0.9\r\n\
        connection: close\r\ncontent-length: 3\r\n\r\nabc";
    let heard = ask(address, request).await;
    let body = heard.split_once("\r\n\r\n").unwrap().1;
    let said: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(said["request"]["headers"]["x-forwarded-for"], "10.0.0.9");
    assert_eq!(said["request"]["body_bytes"], 3);
}

async fn start() -> (SocketAddr, JoinHandle<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ending, _) = watch::channel(None);
    let identity = Identity::of_this_process();
    (address, tokio::spawn(serve(listener, Arc::new(Application { identity, ending }))))
}

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    heard
}

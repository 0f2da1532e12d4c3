//! What is promised of many requests, with clients and targets that count.

use crate::world::{Server, World, get, name, status, target};
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddrV4,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use wharf_model::{
    routing::{Action, TargetRoute},
    rule::{Condition, Patterns},
    target_group::{TargetAddress, TargetState},
};

/// A client's kept connection.
struct Client {
    at: SocketAddrV4,
    stream: Option<TcpStream>,
}

impl Client {
    /// Sends a request and returns the status of its answer, whose body has a length.
    async fn ask(&mut self, request: &str) -> Option<u16> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.at).await.ok()?,
        };
        stream.write_all(request.as_bytes()).await.ok()?;
        let (mut answer, mut bytes) = (Vec::new(), [0; 4096]);
        let text = loop {
            let count = stream.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
            answer.extend_from_slice(&bytes[..count]);
            let text = String::from_utf8_lossy(&answer).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length =
                    head.to_lowercase().split("content-length: ").nth(1)?.split('\r').next()?.to_owned();
                if body.len() >= length.parse().ok()? {
                    break text;
                }
            }
        };
        if !text.to_lowercase().contains("connection: close") {
            self.stream = Some(stream);
        }
        text.split(' ').nth(1)?.parse().ok()
    }
}

/// Starts a target that ends its connections at the worst of times: after a few answers, sometimes at once, sometimes
/// a little later, when the next request may be under way. Returns how often it saw each request.
async fn fickle() -> (TargetAddress, Arc<Mutex<HashMap<String, usize>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = target(&listener);
    let seen = Arc::<Mutex<HashMap<String, usize>>>::default();
    let record = seen.clone();
    tokio::spawn(async move {
        for number in 0_u64.. {
            let (mut connection, _) = listener.accept().await.unwrap();
            let record = record.clone();
            tokio::spawn(async move {
                let mut bytes = vec![0; 4096];
                for turn in 0..1 + number % 7 {
                    let Ok(count @ 1..) = connection.read(&mut bytes).await else { return };
                    let request = String::from_utf8_lossy(&bytes[..count]).into_owned();
                    let line = request.lines().next().unwrap_or_default().to_owned();
                    *record.lock().unwrap().entry(line).or_default() += 1;
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                    if connection.write_all(answer).await.is_err() {
                        return;
                    }
                    if turn == number % 7 {
                        sleep(Duration::from_micros(number % 5 * 200)).await;
                    }
                }
            });
        }
    });
    (address, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_closes_kept_connections_fails_no_idempotent_request_and_gets_no_post_twice() {
    let mut world = World::new().await;
    let (address, seen) = fickle().await;
    let at = world.balance("web", &[address]);
    world.table.target_groups[0].health_check.enabled = false;
    world.apply().await;
    let posts_failed = Arc::<AtomicUsize>::default();
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let posts_failed = posts_failed.clone();
            tokio::spawn(async move {
                let mut connection = Client { at, stream: None };
                for number in 0..1500 {
                    let method = if number % 4 == 3 { "POST" } else { "GET" };
                    let request = format!(
                        "{method} /{client}-{number} HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n"
                    );
                    match (method, connection.ask(&request).await) {
                        (_, Some(200)) => {}
                        // It may have reached the target, so it is not sent again.
                        ("POST", Some(502)) => {
                            posts_failed.fetch_add(1, SeqCst);
                        }
                        (method, other) => panic!("{method} {client}-{number}: {other:?}"),
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let seen = seen.lock().unwrap();
    let twice: Vec<_> = seen.iter().filter(|(line, count)| line.starts_with("POST") && **count > 1).collect();
    assert_eq!(twice, Vec::<(&String, &usize)>::new());
    assert!(posts_failed.load(SeqCst) < 1500, "some posts got through");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_targets_have_their_fair_share_at_once() {
    let mut world = World::new().await;
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut servers = Vec::new();
    for name in names {
        servers.push(Server::new(name).await);
    }
    let first: Vec<_> = servers[..4].iter().map(|server| server.address).collect();
    let at = world.balance("web", &first);
    world.apply().await;
    for address in &first {
        world.until(*address, TargetState::Healthy).await;
    }
    for _ in 0..40 {
        assert_eq!(status(&get(at, "/").await), 200);
    }
    let more = servers[4..].iter().map(|server| TargetRoute { address: server.address, draining: false });
    world.table.target_groups[0].targets.extend(more);
    world.apply().await;
    for server in &servers[4..] {
        world.until(server.address, TargetState::Healthy).await;
    }
    let start = Instant::now();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async move {
                let mut counts = BTreeMap::<String, usize>::new();
                for _ in 0..200 {
                    *counts.entry(name(&get(at, "/").await).to_owned()).or_default() += 1;
                }
                counts
            })
        })
        .collect();
    let mut counts = BTreeMap::<String, usize>::new();
    for client in clients {
        for (name, count) in client.await.unwrap() {
            *counts.entry(name).or_default() += count;
        }
    }
    assert!(counts.len() == 8 && counts.values().all(|count| (190..=210).contains(count)), "{counts:?}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Returns the memory that the process holds, in KiB.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4
}

/// Opens a connection that was upgraded; what is said on it comes back.
async fn upgraded(at: SocketAddrV4) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let offer = "GET /ws HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(offer.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

/// Starts a target that takes every connection for a WebSocket's and sends back what it gets.
async fn echoing() -> TargetAddress {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = target(&listener);
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match connection.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => return,
                    }
                }
                let answer =
                    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                               Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
                connection.write_all(answer).await.unwrap();
                let mut bytes = [0; 256];
                while let Ok(count @ 1..) = connection.read(&mut bytes).await {
                    if connection.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_drop_no_websocket_and_cost_no_memory() {
    let mut world = World::new().await;
    let echo = echoing().await;
    let at = world.balance("web", &[echo]);
    world.table.target_groups[0].health_check.enabled = false;
    world.apply().await;
    let mut sockets = Vec::new();
    for _ in 0..100 {
        sockets.push(upgraded(at).await);
    }
    let spare = Server::new("spare").await;
    let change = |world: &mut World, number: u32| {
        let path = Condition::PathPattern(Patterns::Wildcards(vec![format!("/{number}/*")]));
        let action = Action::FixedResponse { status_code: 200, content_type: None, message_body: None };
        world.rule(vec![path], action);
        let rules = &mut world.table.load_balancers[0].listeners[0].rules;
        if rules.len() > 50 {
            rules.remove(0);
        }
        let targets = &mut world.table.target_groups[0].targets;
        match targets.len() {
            1 => targets.push(TargetRoute { address: spare.address, draining: false }),
            _ => targets.truncate(1),
        }
    };
    let mut before = 0;
    for number in 0..1300 {
        // The first few hundred let the allocator find its size.
        if number == 300 {
            before = memory();
        }
        change(&mut world, number);
        world.apply().await;
        world.forget();
        if number % 100 == 0 {
            assert_eq!(status(&get(at, &format!("/{number}/x")).await), 200);
        }
    }
    let after = memory();
    assert!(after < before + before / 20, "{before} KiB before, {after} KiB after");
    for (number, socket) in sockets.iter_mut().enumerate() {
        let said = format!("socket {number}");
        socket.write_all(said.as_bytes()).await.unwrap();
        let mut heard = vec![0; said.len()];
        let came = timeout(Duration::from_secs(5), socket.read_exact(&mut heard)).await;
        assert!(matches!(came, Ok(Ok(_))), "socket {number}: {came:?}");
        assert_eq!(heard, said.as_bytes());
    }
}

//! What the load balancer does besides passing requests on: WebSockets, headers, draining, and errors of its own.

use crate::hello::{Hello, deploy, text};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};
use wharf_e2e::{Wharf, get, request, run, within};

#[test]
fn a_websocket_and_the_forwarded_headers_reach_the_application() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let hello = deploy(&wharf, 2);
    let (host, port) = address(&hello);

    let mut socket = WebSocket::open(&host, port);
    for words in ["hello", "again"] {
        socket.say(words);
        assert_eq!(socket.hear(), (0x1, words.as_bytes().to_vec()));
    }

    let headers = |sent: &[&str]| -> Value {
        let mut curl = Command::new("curl");
        curl.args(["-s", "--resolve", &format!("{host}:{port}:127.0.0.1")]);
        for header in sent {
            curl.args(["-H", header]);
        }
        let said = run(curl.arg(&hello.url));
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("not JSON: {said}"));
        said["request"]["headers"].clone()
    };
    let seen = headers(&[]);
    assert_eq!(seen["x-forwarded-for"], "127.0.0.1");
    assert_eq!(seen["x-forwarded-proto"], "http");
    assert_eq!(seen["x-forwarded-port"], port.to_string());
    assert_eq!(seen["host"], format!("{host}:{port}"));
    assert!(text(&seen["x-amzn-trace-id"]).starts_with("Root=1-"), "{seen}");
    // What a client claims is added to, or replaced where only the balancer can know.
    let seen = headers(&["X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Port: 1"]);
    assert_eq!(seen["x-forwarded-for"], "203.0.113.9, 127.0.0.1");
    assert_eq!(seen["x-forwarded-proto"], "http");
    assert_eq!(seen["x-forwarded-port"], port.to_string());

    // The socket outlives changes of the table: another task comes and goes.
    for count in [3, 2] {
        hello.aws.json(&format!("ecs update-service --service hello --desired-count {count}"));
        within(Duration::from_secs(40), "scaled", || hello.is_stable(count).then_some(()));
        if count == 3 {
            socket.say("still there");
            assert_eq!(socket.hear(), (0x1, b"still there".to_vec()));
        }
    }
    wharf.down();
}

#[test]
fn a_request_in_flight_ends_before_its_task_is_stopped() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let hello = deploy(&wharf, 1);
    let arn = text(&hello.tasks()[0]["taskArn"]);
    let url = format!("{}/slow?ms=6000", hello.url);
    let slow = std::thread::spawn(move || get(&url).map(|answer| (answer.status, answer.text())));
    std::thread::sleep(Duration::from_millis(500));
    hello.aws.json("ecs update-service --service hello --desired-count 0");
    // New requests find no target while that one is still answered.
    within(Duration::from_secs(4), "503", || {
        get(&hello.url).is_ok_and(|answer| answer.status == 503).then_some(())
    });
    assert!(!slow.is_finished(), "the slow request was to be under way still");
    let answer = slow.join().expect("a client does not panic");
    assert_eq!(answer.expect("an answer"), (200, "slept 6000 ms\n".to_owned()));
    let task = crate::hello::until(&hello.aws, &arn, "STOPPED");
    assert_eq!(task["containers"][0]["exitCode"], 0, "{task:#}");
    assert_eq!(get(&hello.url).expect("an answer").status, 503);
    wharf.down();
}

#[test]
fn a_target_that_is_late_or_dies_is_answered_for() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let hello = deploy(&wharf, 1);
    let balancers = hello.aws.json("elbv2 describe-load-balancers --names hello");
    let arn = text(&balancers["LoadBalancers"][0]["LoadBalancerArn"]);
    hello.aws.json(&format!(
        "elbv2 modify-load-balancer-attributes --load-balancer-arn {arn} --attributes \
         Key=idle_timeout.timeout_seconds,Value=2"
    ));
    within(Duration::from_secs(5), "the time-out is in force", || {
        let (began, answer) = (Instant::now(), get(&format!("{}/slow?ms=4000", hello.url)));
        let late = answer.is_ok_and(|answer| answer.status == 504);
        (late && began.elapsed() < Duration::from_millis(3500)).then_some(())
    });
    assert!(hello.answers(), "the target is not blamed for being late");

    // It dies with a request in its hands: nothing is sent twice, the caller learns at once.
    for method in ["POST", "GET"] {
        within(Duration::from_secs(30), "a task answers", || hello.answers().then_some(()));
        let task = hello.tasks().into_iter().find(|task| task["lastStatus"] == "RUNNING").expect("one runs");
        let pid = main_process(&text(&task["taskArn"]));
        let url = format!("{}/slow?ms=1900", hello.url);
        let dying = std::thread::spawn(move || request(method, &url, b"").map(|answer| answer.status));
        std::thread::sleep(Duration::from_millis(300));
        run(Command::new("kill").args(["-9", &pid]));
        let answer = dying.join().expect("a client does not panic").expect("an answer");
        assert_eq!(answer, 502, "{method}");
    }
    // `/exit` is answered, and the application ends.
    within(Duration::from_secs(30), "a task answers", || hello.answers().then_some(()));
    let arn = text(&hello.tasks()[0]["taskArn"]);
    assert_eq!(get(&format!("{}/exit?code=3", hello.url)).expect("an answer").status, 200);
    let task = crate::hello::until(&hello.aws, &arn, "STOPPED");
    assert_eq!(task["containers"][0]["exitCode"], 3);
    wharf.down();
}

fn address(hello: &Hello) -> (String, u16) {
    let (host, port) = hello.url.trim_start_matches("http://").split_once(':').expect("a port of its own");
    (host.to_owned(), port.parse().expect("a number"))
}

/// Returns the process of a hello task.
fn main_process(arn: &str) -> String {
    let id = arn.rsplit('/').next().expect("an ARN ends with an id");
    let pids = run(Command::new("pgrep").args(["-x", "hello"]));
    let in_task = |pid: &&str| {
        std::fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|group| group.contains(id))
    };
    pids.lines().find(in_task).unwrap_or_else(|| panic!("no process of {arn} in {pids}")).to_owned()
}

/// A WebSocket, with just what an echo needs of RFC 6455.
struct WebSocket(TcpStream);

impl WebSocket {
    fn open(host: &str, port: u16) -> WebSocket {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the listener answers");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out can be set");
        let handshake = format!(
            "GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(handshake.as_bytes()).expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        assert!(head.starts_with("http/1.1 101"), "{head}");
        // The answer to that key in the RFC.
        assert!(head.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        WebSocket(stream)
    }

    /// Sends a short text, masked as clients must.
    fn say(&mut self, words: &str) {
        let mask = [1, 2, 3, 4];
        let length = u8::try_from(words.len()).expect("short");
        let mut frame = vec![0x81, 0x80 | length];
        frame.extend(mask);
        frame.extend(words.bytes().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.0.write_all(&frame).expect("sent");
    }

    /// Receives a short frame: its kind and content.
    fn hear(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).expect("a frame");
        let mut content = vec![0; usize::from(head[1])];
        self.0.read_exact(&mut content).expect("its content");
        (head[0] & 0x0f, content)
    }
}

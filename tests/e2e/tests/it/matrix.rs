//! Well-known servers and languages as ordinary images, each run with the defaults of a task definition: it must
//! answer as itself, and end well when it is told to.

use crate::allowed::start;
use crate::hello::{container, log, private_address, until};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};
use wharf_e2e::{Wharf, bundle, run};

/// An image, and what a client of it sees.
struct Server {
    name: &'static str,
    port: u16,
    ask: Vec<u8>,
    answer: &'static str,
    /// What it exits with after the image's stop signal.
    exit: i32,
}

fn server(name: &'static str, port: u16, ask: impl Into<Vec<u8>>, answer: &'static str) -> Server {
    Server { name, port, ask: ask.into(), answer, exit: 0 }
}

fn servers() -> Vec<Server> {
    let page = "GET / HTTP/1.0\r\n\r\n";
    vec![
        server("nginx", 80, page, "Welcome to nginx"),
        server("apache2", 80, page, "Apache2 Debian Default Page"),
        server("postgresql", 5432, postgresql_query("select 6 * 7"), "42"),
        server("mariadb", 3306, "", "MariaDB"),
        server("redis", 6379, "SET a b\r\nGET a\r\n", "$1\r\nb\r\n"),
        server("rabbitmq", 5672, *b"AMQP\0\0\x09\x01", "RabbitMQ"),
        server("memcached", 11211, "set a 0 0 1\r\nb\r\nget a\r\n", "VALUE a 0 1\r\nb\r\n"),
        server("haproxy", 80, page, "haproxy"),
        server("python", 80, page, "Directory listing"),
        server("node", 80, page, "node v"),
        server("php-fpm", 9000, fastcgi_get("/ping"), "pong"),
        Server { exit: 143, ..server("openjdk", 80, page, "java 17") },
        server("busybox", 80, page, "busybox"),
        server("hello", 80, page, "task_arn"),
    ]
}

/// The start-up message of PostgreSQL's protocol 3.0 and one simple query.
fn postgresql_query(sql: &str) -> Vec<u8> {
    let message = |kind: &[u8], body: &[u8]| {
        let length = u32::try_from(body.len() + 4).expect("short messages");
        [kind, &length.to_be_bytes(), body].concat()
    };
    let hello = [&196_608_u32.to_be_bytes()[..], b"user\0postgres\0database\0postgres\0\0"].concat();
    [message(b"", &hello), message(b"Q", format!("{sql}\0").as_bytes())].concat()
}

/// One GET as FastCGI's records: begin, parameters, no input.
fn fastcgi_get(path: &str) -> Vec<u8> {
    let byte = |length: usize| u8::try_from(length).expect("short records");
    let record = |kind: u8, body: &[u8]| [&[1, kind, 0, 1, 0, byte(body.len()), 0, 0][..], body].concat();
    let pairs = [("SCRIPT_NAME", path), ("SCRIPT_FILENAME", path), ("REQUEST_METHOD", "GET")];
    let parameters: Vec<u8> = pairs
        .iter()
        .flat_map(|(name, value)| {
            [&[byte(name.len()), byte(value.len())][..], name.as_bytes(), value.as_bytes()].concat()
        })
        .collect();
    let begin = [0, 1, 0, 0, 0, 0, 0, 0];
    [record(1, &begin), record(4, &parameters), record(4, &[]), record(5, &[])].concat()
}

/// Asks once, and returns whether the answer came.
fn answers(server: &Server, address: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((address, server.port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(&server.ask)?;
    let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer)?;
        said.extend_from_slice(&buffer[..count]);
        if String::from_utf8_lossy(&said).contains(server.answer) {
            return Ok(true);
        }
        if count == 0 {
            return Ok(false);
        }
    }
}

#[test]
#[ignore = "its images take minutes to build: scripts/test matrix builds them and runs it"]
fn f40_ordinary_images_run_with_the_defaults_and_end_well() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let mut running = Vec::new();
    for server in servers() {
        let layout = bundle(server.name).trim_start_matches("oci:").trim_end_matches(":latest").to_owned();
        let mut import = wharf.command("image");
        let imported = run(import.args(["import", &layout, &format!("--as={}", server.name)]));
        let image = imported.lines().next().expect("the name that it got");
        let definition = container(server.name, image, json!({"memory": 512}));
        let arn = start(&aws, server.name, json!({"containerDefinitions": [definition]}));
        running.push((server, arn));
    }
    let mut failed = Vec::new();
    for (server, arn) in &running {
        let address = private_address(&until(&aws, arn, "RUNNING"));
        let deadline = Instant::now() + Duration::from_secs(60);
        let last = loop {
            match answers(server, &address) {
                Ok(true) => break None,
                other if Instant::now() > deadline => break Some(other),
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        };
        if let Some(last) = last {
            failed.push(format!("{} does not answer with {:?}: {last:?}", server.name, server.answer));
        }
    }
    for (_, arn) in &running {
        aws.json(&format!("ecs stop-task --task {arn}"));
    }
    for (server, arn) in &running {
        let task = until(&aws, arn, "STOPPED");
        let code = &task["containers"][0]["exitCode"];
        if *code != server.exit {
            failed.push(format!("{} ended with {code} instead of {}", server.name, server.exit));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}\n{}", log(&aws));
    wharf.down();
}

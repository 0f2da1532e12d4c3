//! What rules do with requests, on the short way and on pingora's.

use crate::world::{Server, World, get, name, send, status};
use tokio::time::Instant;
use wharf_model::{
    routing::Action,
    rule::{Condition, Patterns, QueryPattern, RewrittenPart, Transform},
};

fn path(pattern: &str) -> Condition {
    Condition::PathPattern(Patterns::Wildcards(vec![pattern.to_owned()]))
}

fn saying(text: &str) -> Action {
    Action::FixedResponse { status_code: 200, content_type: None, message_body: Some(text.to_owned()) }
}

fn rewrite(part: RewrittenPart, regex: &str, replace: &str) -> Transform {
    Transform { part, regex: regex.to_owned(), replace: replace.to_owned() }
}

/// Returns the answers on both ways: a chunked body needs the long one.
async fn both(at: std::net::SocketAddrV4, path: &str, host: &str, headers: &str) -> [String; 2] {
    let head = format!("{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}");
    [
        send(at, &format!("GET {head}\r\n")).await,
        send(at, &format!("GET {head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_condition_leads_to_its_action_on_both_ways() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].health_check.enabled = false;
    let text = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let host = Condition::HostHeader(Patterns::Wildcards(text(&["*.example.com", "shop.test"])));
    world.rule(vec![host, path("/only/here")], saying("host and path"));
    let regex = Condition::HostHeader(Patterns::Regexes(text(&["^v[0-9]+[.]test$"])));
    world.rule(vec![regex], saying("host by expression"));
    let patterns = Patterns::Wildcards(text(&["*Chrome*"]));
    let header = Condition::HttpHeader { name: "User-Agent".to_owned(), patterns };
    world.rule(vec![header], saying("header"));
    let pair = QueryPattern { key: Some("version".to_owned()), value: "v1".to_owned() };
    world.rule(vec![Condition::QueryString(vec![pair])], saying("query"));
    world.rule(vec![Condition::HttpRequestMethod(text(&["PURGE"]))], saying("method"));
    let elsewhere = Condition::SourceIp(vec!["203.0.113.0/24".parse().unwrap()]);
    world.rule(vec![elsewhere], saying("elsewhere"));
    let here = Condition::SourceIp(vec!["127.0.0.0/8".parse().unwrap()]);
    world.rule(vec![here, path("/source")], saying("source"));
    world.apply().await;
    for (url, host, headers, expected) in [
        ("/only/here", "www.Example.com:81", "", "host and path"),
        ("/only/here", "other", "", "a"),
        ("/", "v12.test", "", "host by expression"),
        ("/", "x", "user-agent: Mozilla chrome/9\r\n", "header"),
        ("/?a=b&version=V1", "x", "", "query"),
        ("/source", "x", "", "source"),
        ("/", "x", "", "a"),
    ] {
        for answer in both(at, url, host, headers).await {
            assert_eq!((status(&answer), name(&answer)), (200, expected), "{url} {host} {headers}: {answer}");
        }
    }
    let purge = "PURGE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(name(&send(at, purge).await), "method");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_load_balancers_own_keep_the_connection() {
    let mut world = World::new().await;
    let at = world.balance("web", &[]);
    world.rule(vec![path("/fixed")], saying("fixed"));
    world.apply().await;
    let two =
        "GET /fixed HTTP/1.1\r\nHost: t\r\n\r\nHEAD /fixed HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    let answer = send(at, two).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{answer}");
    assert_eq!(answer.matches("\r\n\r\nfixed").count(), 1, "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_rewrites_path_and_host_on_both_ways() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].health_check.enabled = false;
    let forward = world.table.load_balancers[0].listeners[0].default_action.clone();
    world.rule(vec![path("/api/*")], forward.clone()).transforms = vec![
        rewrite(RewrittenPart::Url, "^/api/(.*)$", "/v2/$1"),
        rewrite(RewrittenPart::HostHeader, "^www[.](.*)$", "internal.$1"),
    ];
    world.rule(vec![path("/broken")], forward).transforms = vec![rewrite(RewrittenPart::Url, "^/", "")];
    world.table.load_balancers[0].attributes.preserve_host_header = true;
    world.apply().await;
    for answer in both(at, "/api/x?y=1", "www.test", "").await {
        assert!(answer.contains("GET /v2/x?y=1\n") && answer.contains("host: internal.test\n"), "{answer}");
    }
    for answer in both(at, "/other", "www.test", "").await {
        assert!(answer.contains("GET /other\n") && answer.contains("host: www.test\n"), "{answer}");
    }
    for answer in both(at, "/broken", "t", "").await {
        assert_eq!(status(&answer), 500, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_of_a_rules_group_is_checked_and_drained() {
    let mut world = World::new().await;
    let (a, b) = (Server::new("a").await, Server::new("b").await);
    let at = world.balance("web", &[a.address]);
    let other = world.group("other", &[b.address]);
    world.rule(vec![path("/b/*")], other);
    world.apply().await;
    world.until(b.address, wharf_model::target_group::TargetState::Healthy).await;
    assert_eq!(name(&get(at, "/b/1").await), "b");
    world.table.target_groups[1].targets[0].draining = true;
    world.apply().await;
    world.drained(b.address).await;
    assert_eq!(status(&get(at, "/b/1").await), 503);
    assert_eq!(name(&get(at, "/").await), "a");
}

/// Returns the time of so many requests over one connection.
async fn time(at: std::net::SocketAddrV4, requests: usize) -> std::time::Duration {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut connection = tokio::net::TcpStream::connect(at).await.unwrap();
    let mut bytes = vec![0; 4096];
    let start = Instant::now();
    for _ in 0..requests {
        connection.write_all(b"GET /last HTTP/1.1\r\nHost: t\r\n\r\n").await.unwrap();
        let count = connection.read(&mut bytes).await.unwrap();
        assert!(bytes[..count].ends_with(b"here"), "{}", String::from_utf8_lossy(&bytes[..count]));
    }
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_rules_do_not_cost_much_more_than_one() {
    let mut world = World::new().await;
    let at = world.balance("web", &[]);
    world.rule(vec![path("/last")], saying("here"));
    world.apply().await;
    let one = time(at, 2000).await;
    let rules = &mut world.table.load_balancers[0].listeners[0].rules;
    rules[0].priority = 1000;
    for number in 0..99 {
        let mut rule = rules[0].clone();
        (rule.priority, rule.conditions) = (number + 1, vec![path(&format!("/service/{number}/*"))]);
        rules.insert(number as usize, rule);
    }
    world.apply().await;
    let hundred = time(at, 2000).await;
    // The clock of a busy machine is no better than this; the benchmark has the share.
    assert!(hundred < one * 2, "{one:?} with one, {hundred:?} with a hundred");
}

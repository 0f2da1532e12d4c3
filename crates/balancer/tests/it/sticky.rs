//! Clients that stay with their target or group.

use crate::world::{Server, World, name, send};
use std::{collections::BTreeSet, net::SocketAddrV4};
use wharf_model::{
    attributes::{StickinessType, TargetGroupAttributes},
    routing::Action,
    target_group::TargetState,
};

/// Asks with these cookies; returns who answered, and the cookies that were set.
async fn ask(at: SocketAddrV4, cookies: &str, chunked: bool) -> (String, Vec<(String, String)>) {
    ask_for(at, "/", cookies, chunked).await
}

async fn ask_for(
    at: SocketAddrV4,
    path: &str,
    cookies: &str,
    chunked: bool,
) -> (String, Vec<(String, String)>) {
    let body = if chunked { "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" } else { "\r\n" };
    let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {cookies}\r\n") };
    let answer =
        send(at, &format!("GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{cookies}{body}")).await;
    let set = answer.lines().filter_map(|line| {
        let (header, rest) = line.split_once(": ")?;
        let (cookie, _) = rest.split_once(';')?;
        let (name, value) = cookie.split_once('=')?;
        header.eq_ignore_ascii_case("set-cookie").then(|| (name.to_owned(), value.to_owned()))
    });
    (name(&answer).to_owned(), set.collect())
}

fn header(cookies: &[(String, String)]) -> String {
    cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_stays_with_its_target_over_a_restart_of_the_balancer() {
    let mut world = World::new().await;
    let (a, b) = (Server::new("a").await, Server::new("b").await);
    let at = world.balance("web", &[a.address, b.address]);
    world.table.target_groups[0].attributes = TargetGroupAttributes { sticky: true, ..Default::default() };
    world.apply().await;
    world.until(a.address, TargetState::Healthy).await;
    world.until(b.address, TargetState::Healthy).await;
    let (first, set) = ask(at, "", false).await;
    let names: Vec<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["AWSALB", "AWSALBCORS"]);
    let cookies = header(&set);
    for turn in 0..10 {
        let (again, set) = ask(at, &cookies, turn % 2 == 1).await;
        assert_eq!((again, set.len()), (first.clone(), 2), "turn {turn}");
    }
    let all: BTreeSet<String> = [ask(at, "", true).await.0, ask(at, "", false).await.0].into();
    assert_eq!(all.len(), 2, "without a cookie targets take turns");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    world.forget();
    world.kill_balancer();
    while tokio::net::TcpStream::connect(at).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.start_balancer();
    while tokio::net::TcpStream::connect(at).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for _ in 0..4 {
        assert_eq!(ask(at, &cookies, false).await.0, first);
    }
    // Its target goes: it gets another one, and stays with that.
    let gone = if first == "a" { a.address } else { b.address };
    world.hello().await;
    world.drain(gone);
    world.apply().await;
    let (other, set) = ask(at, &cookies, false).await;
    assert_ne!(other, first);
    assert_eq!(ask(at, &header(&set), false).await.0, other);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_cookie_keeps_a_client_only_with_its_own_beside() {
    let mut world = World::new().await;
    let (a, b) = (Server::new("a").await, Server::new("b").await);
    let at = world.balance("web", &[a.address, b.address]);
    world.table.target_groups[0].health_check.enabled = false;
    world.table.target_groups[0].attributes = TargetGroupAttributes {
        sticky: true,
        stickiness: StickinessType::AppCookie,
        app_cookie_name: "sid".to_owned(),
        ..Default::default()
    };
    world.apply().await;
    for chunked in [false, true] {
        let (first, set) = ask_for(at, "/?set=sid", "", chunked).await;
        let names: Vec<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["sid", "AWSALBAPP-0"]);
        for _ in 0..4 {
            assert_eq!(ask(at, &header(&set), chunked).await.0, first);
        }
        let alone = header(&set[1..]);
        let seen: BTreeSet<String> =
            [ask(at, &alone, chunked).await.0, ask(at, &alone, chunked).await.0].into();
        assert_eq!(seen.len(), 2, "the application's cookie is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_stays_with_its_group() {
    let mut world = World::new().await;
    let (a, b) = (Server::new("a").await, Server::new("b").await);
    let at = world.balance("one", &[a.address]);
    let other = world.group("two", &[b.address]);
    let groups = [world.table.load_balancers[0].listeners[0].default_action.clone(), other];
    let groups = groups.iter().flat_map(Action::forwards_to).map(|arn| (arn.clone(), 50)).collect();
    world.table.load_balancers[0].listeners[0].default_action =
        Action::Forward { target_groups: groups, sticky_secs: Some(60) };
    for group in &mut world.table.target_groups {
        group.health_check.enabled = false;
    }
    world.apply().await;
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        let (first, set) = ask(at, "", false).await;
        let names: Vec<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["AWSALBTG", "AWSALBTGCORS"]);
        for turn in 0..8 {
            assert_eq!(ask(at, &header(&set), turn % 2 == 1).await.0, first);
        }
        seen.insert(first);
    }
}

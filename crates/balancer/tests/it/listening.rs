use crate::world::{Server, World, arn, free_port, get, name, send, status};
use std::{
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};
use wharf_model::{routing::Action, target_group::TargetState};
use wharf_nodelink::balancer::FromBalancer;

fn saying(text: &str) -> Action {
    Action::FixedResponse { status_code: 200, content_type: None, message_body: Some(text.to_owned()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_reported_and_served_once_it_is_free() {
    let mut world = World::new().await;
    let holder = std::net::TcpListener::bind("127.77.0.4:0").unwrap();
    let at = SocketAddrV4::new(Ipv4Addr::new(127, 77, 0, 4), holder.local_addr().unwrap().port());
    world.listen("web", at, saying("served"));
    let problems = world.apply().await;
    assert_eq!(problems.len(), 1);
    assert_eq!(
        (&problems[0].listener, &problems[0].address),
        (&arn("listener/app/web/1/2"), &at.to_string())
    );
    assert!(problems[0].reason.contains("taken"), "{problems:?}");
    world.forget();
    drop(holder);
    world
        .hear(|message| match message {
            FromBalancer::Applied { problems, .. } if problems.is_empty() => Some(()),
            _ => None,
        })
        .await;
    assert_eq!(name(&get(at, "/").await), "served");
}

#[tokio::test(flavor = "multi_thread")]
async fn load_balancers_on_one_port_are_told_apart_by_host() {
    let mut world = World::new().await;
    let at = free_port(Ipv4Addr::new(127, 77, 0, 5));
    world.listen("one", at, saying("one"));
    world.listen("two", at, saying("two"));
    world.apply().await;
    let ask = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let two = send(at, &ask("TWO-1234567890.us-east-1.elb.localhost:80")).await;
    assert_eq!(name(&two), "two");
    assert_eq!(name(&send(at, &ask("localhost")).await), "one");
    world.table.load_balancers.remove(0);
    world.apply().await;
    assert_eq!(name(&send(at, &ask("localhost")).await), "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_listener_lets_its_requests_end_and_closes_idle_connections() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.apply().await;
    world.until(a.address, TargetState::Healthy).await;
    let slow = tokio::spawn(async move { get(at, "/?ms=500").await });
    while a.requests() == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let mut idle = TcpStream::connect(at).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n").await.unwrap();
    let mut bytes = vec![0; 4096];
    let count = idle.read(&mut bytes).await.unwrap();
    assert_eq!(status(&String::from_utf8_lossy(&bytes[..count])), 200);
    world.table.load_balancers.clear();
    world.apply().await;
    assert_eq!(idle.read(&mut bytes).await.unwrap(), 0);
    while TcpStream::connect(at).await.is_ok() {
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(status(&slow.await.unwrap()), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_there_yet_is_no_problem() {
    let mut world = World::new().await;
    world.listen("web", SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 7), 8080), saying("x"));
    assert_eq!(world.apply().await, []);
}

use super::both;
use crate::patience::Patience;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::{Instant, sleep},
};

/// Returns both ends of a relayed connection that holds little, and what ends when the relay does.
fn relayed(idle: Duration) -> (DuplexStream, DuplexStream, JoinHandle<()>) {
    let (client, mut near) = duplex(64);
    let (target, mut far) = duplex(64);
    let relay = tokio::spawn(async move { both(&mut near, &mut far, &mut Patience::new(idle)).await });
    (client, target, relay)
}

#[tokio::test]
async fn both_sides_are_heard_whoever_speaks_first() {
    let (mut client, mut target, _relay) = relayed(Duration::from_secs(60));
    let mut heard = [0; 5];
    for _ in 0..3 {
        target.write_all(b"hello").await.unwrap();
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
        client.write_all(b"there").await.unwrap();
        target.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"there");
    }
}

#[tokio::test]
async fn what_was_said_before_the_end_is_heard_and_the_other_side_may_go_on() {
    let (mut client, mut target, relay) = relayed(Duration::from_secs(60));
    let long = vec![7; 10_000];
    let (said, mut heard) = (long.clone(), Vec::new());
    let speaking = tokio::spawn(async move {
        client.write_all(&said).await.unwrap();
        client.shutdown().await.unwrap();
        client
    });
    target.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, long);
    let mut client = speaking.await.unwrap();
    target.write_all(b"bye").await.unwrap();
    drop(target);
    heard.clear();
    client.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"bye");
    relay.await.unwrap();
}

#[tokio::test]
async fn it_ends_when_nothing_passes_for_too_long_and_not_before() {
    let idle = Duration::from_secs(1);
    let (mut client, mut target, relay) = relayed(idle);
    let mut heard = [0; 1];
    for _ in 0..3 {
        sleep(idle / 2).await;
        client.write_all(b"x").await.unwrap();
        target.read_exact(&mut heard).await.unwrap();
    }
    let silent = Instant::now();
    relay.await.unwrap();
    assert!(silent.elapsed() > idle / 2, "{:?}", silent.elapsed());
    assert_eq!(client.read(&mut heard).await.unwrap(), 0);
}

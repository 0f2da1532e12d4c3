use super::*;
use crate::message::tests::ask;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn names() -> Names {
    Names {
        region: "us-east-1".to_owned(),
        public: "198.18.0.0/16".parse().unwrap(),
        vpcs: BTreeMap::new(),
        balancers: BTreeMap::from([(
            "web-1.us-east-1.elb.localhost".to_owned(),
            vec![Ipv4Addr::new(10, 0, 0, 9)],
        )]),
    }
}

/// A resolver without others to ask, and its address.
fn serving() -> (SocketAddr, AbortHandle, watch::Sender<Arc<Names>>) {
    let (udp, tcp) = (UdpSocket::bind((LOCAL, 0)).unwrap(), TcpListener::bind((LOCAL, 0)).unwrap());
    udp.set_nonblocking(true).unwrap();
    tcp.set_nonblocking(true).unwrap();
    let address = udp.local_addr().unwrap();
    let (sender, names) = watch::channel(Arc::new(names()));
    let upstreams = Upstreams::of("/nonexistent");
    (address, serve(udp, tcp, None, names, upstreams).unwrap(), sender)
}

async fn answer(server: SocketAddr, question: &[u8]) -> Option<Vec<u8>> {
    let socket = tokio::net::UdpSocket::bind((LOCAL, 0)).await.unwrap();
    socket.send_to(question, server).await.unwrap();
    let mut buffer = vec![0; 512];
    let length = timeout(Duration::from_millis(500), socket.recv(&mut buffer)).await.ok()?.unwrap();
    Some(buffer[..length].to_vec())
}

#[tokio::test]
async fn own_names_are_answered_and_follow_their_changes() {
    let (server, task, names_now) = serving();
    let question = ask("web-1.us-east-1.elb.localhost", 1);
    assert!(answer(server, &question).await.unwrap().ends_with(&[10, 0, 0, 9]));
    names_now.send_modify(|names| Arc::make_mut(names).balancers.clear());
    assert_eq!(answer(server, &question).await.unwrap()[3] & 0x0f, Code::NoName as u8);
    task.abort();
}

#[tokio::test]
async fn a_name_that_nobody_can_be_asked_for_is_a_failure() {
    let (server, task, _names) = serving();
    assert_eq!(answer(server, &ask("example.com", 1)).await.unwrap()[3] & 0x0f, Code::Failure as u8);
    task.abort();
}

#[tokio::test]
async fn f72_garbage_does_not_keep_it_from_answering() {
    let (server, task, _names) = serving();
    for length in 0..200 {
        let noise: Vec<u8> = (0..length).map(|place| (place * 37 % 251) as u8 | 0x80).collect();
        let socket = tokio::net::UdpSocket::bind((LOCAL, 0)).await.unwrap();
        socket.send_to(&noise, server).await.unwrap();
    }
    assert!(answer(server, &ask("web-1.us-east-1.elb.localhost", 1)).await.is_some());
    task.abort();
}

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Instant;

use super::{
    Balancer, Firewall, FirewallConfig, FirewallError, Member, Permission, Protocol, Ruleset, SecurityGroup,
};
use crate::network::tests::{address, config, greet, serve_once};
use crate::network::{Cidr, Network, Slot};
use crate::testbed::in_own_host;

const EVERYWHERE: Cidr = Cidr { address: Ipv4Addr::UNSPECIFIED, prefix: 0 };

fn firewall() -> Firewall {
    Firewall::open(FirewallConfig { table: "wharf".to_owned(), veth_prefix: "wh".to_owned() }).unwrap()
}

fn group(id: &str, ingress: Vec<Permission>) -> SecurityGroup {
    SecurityGroup { id: id.to_owned(), ingress, egress: vec![anything()] }
}

fn anything() -> Permission {
    Permission { protocol: Protocol::Any, cidrs: vec![EVERYWHERE], groups: vec![] }
}

fn from_group(id: &str, port: u16) -> Permission {
    let protocol = Protocol::Tcp { from: port, to: port };
    Permission { protocol, cidrs: vec![], groups: vec![id.to_owned()] }
}

fn member(slot: &Slot, last: u8, groups: &[&str]) -> Member {
    Member {
        ip: address(last).ip,
        veth: slot.veth().to_owned(),
        groups: groups.iter().map(|id| (*id).to_owned()).collect(),
        public_ip: None,
    }
}

async fn task(network: &Network, last: u8) -> Slot {
    let slot = network.prepare().await.unwrap();
    network.assign(&slot, &address(last)).await.unwrap();
    slot
}

fn at(last: u8, port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(address(last).ip, port)
}

/// Says whether one task gets an answer from another's port.
fn passes(from: &Slot, to: &Slot, last: u8, port: u16) -> bool {
    let server = serve_once(to, at(last, port));
    let answered = greet(Some(from), at(last, port)).is_ok();
    if !answered {
        // The host is always let through, so the server ends.
        greet(None, at(last, port)).unwrap();
    }
    server.join().unwrap();
    answered
}

#[test]
fn groups_decide_which_task_reaches_which_and_membership_changes_take_effect_at_once() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let (web, db) = (task(&network, 20).await, task(&network, 21).await);
        let mut firewall = firewall();
        let rules = Ruleset {
            groups: vec![
                group("sg-web", vec![]),
                group("sg-db", vec![from_group("sg-web", 5432)]),
                group("sg-other", vec![]),
            ],
            members: vec![member(&db, 21, &["sg-db"])],
            balancers: vec![],
        };
        firewall.apply(&rules).unwrap();
        assert!(!passes(&web, &db, 21, 5432), "a task that is not in the table has no address");
        firewall.add(&member(&web, 20, &["sg-other", "sg-web"])).unwrap();
        assert!(passes(&web, &db, 21, 5432));
        assert!(!passes(&web, &db, 21, 5433), "another port");
        assert!(!passes(&db, &web, 20, 5432), "the other direction");
        firewall.remove(&member(&web, 20, &["sg-other", "sg-web"])).unwrap();
        firewall.remove(&member(&web, 20, &["sg-other", "sg-web"])).unwrap();
        firewall.add(&member(&web, 20, &["sg-other"])).unwrap();
        assert!(!passes(&web, &db, 21, 5432), "no longer of the group");
        firewall.tear_down().unwrap();
    });
}

#[test]
fn established_connections_survive_a_new_rule_set() {
    in_own_host(|dir| async move {
        use std::io::{Read, Write};
        let network = Network::open(config(&dir)).await.unwrap();
        let (a, b) = (task(&network, 20).await, task(&network, 21).await);
        let mut firewall = firewall();
        let members = vec![member(&a, 20, &["sg-a"]), member(&b, 21, &["sg-a"])];
        let rules = Ruleset { groups: vec![group("sg-a", vec![anything()])], members, balancers: vec![] };
        firewall.apply(&rules).unwrap();
        let listener = crate::network::within(b.namespace(), || TcpListener::bind(at(21, 80))).unwrap();
        let mut there = crate::network::within(a.namespace(), || TcpStream::connect(at(21, 80))).unwrap();
        let (mut here, _) = listener.accept().unwrap();
        for _ in 0..5 {
            firewall.apply(&rules).unwrap();
            there.write_all(b"x").unwrap();
            here.read_exact(&mut [0]).unwrap();
        }
    });
}

#[test]
fn f62_task_cannot_speak_with_an_address_that_is_not_its_own() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let (a, b) = (task(&network, 20).await, task(&network, 21).await);
        let mut firewall = firewall();
        let members = vec![member(&a, 20, &["sg-a"]), member(&b, 21, &["sg-a"])];
        firewall
            .apply(&Ruleset { groups: vec![group("sg-a", vec![anything()])], members, balancers: vec![] })
            .unwrap();
        let heard = crate::network::within(b.namespace(), || std::net::UdpSocket::bind(at(21, 53))).unwrap();
        heard.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
        let say = |source: Ipv4Addr| {
            crate::network::within(a.namespace(), || {
                let add = ["addr", "replace", &format!("{source}/32"), "dev", "lo"];
                std::process::Command::new("ip").args(add).status()?;
                std::net::UdpSocket::bind(SocketAddrV4::new(source, 0))?.send_to(b"x", at(21, 53))
            })
        };
        say(Ipv4Addr::new(172, 31, 0, 99)).unwrap();
        assert!(heard.recv(&mut [0; 8]).is_err(), "a spoofed packet came through");
        say(address(20).ip).unwrap();
        assert!(heard.recv(&mut [0; 8]).is_ok());
    });
}

#[test]
fn f63_task_reaches_nothing_of_the_host_but_a_balancer_that_lets_it() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let (inside, outside) = (task(&network, 20).await, task(&network, 21).await);
        let balancer = Ipv4Addr::new(172, 31, 0, 10);
        network.set_balancer_addresses(&[balancer]).await.unwrap();
        let mut firewall = firewall();
        firewall
            .apply(&Ruleset {
                groups: vec![
                    group("sg-in", vec![]),
                    group("sg-out", vec![]),
                    group("sg-lb", vec![from_group("sg-in", 80)]),
                ],
                members: vec![member(&inside, 20, &["sg-in"]), member(&outside, 21, &["sg-out"])],
                balancers: vec![Balancer { ip: balancer, groups: vec!["sg-lb".to_owned()] }],
            })
            .unwrap();
        let host = TcpListener::bind("0.0.0.0:80").unwrap();
        let reaches = |slot: &Slot, ip: Ipv4Addr| {
            crate::network::within(slot.namespace(), || {
                let to = SocketAddrV4::new(ip, 80).into();
                TcpStream::connect_timeout(&to, std::time::Duration::from_millis(200))
            })
            .is_ok()
        };
        assert!(reaches(&inside, balancer));
        assert!(!reaches(&outside, balancer));
        assert!(!reaches(&inside, Ipv4Addr::new(172, 31, 0, 1)));
        assert!(TcpStream::connect((balancer, 80)).is_ok(), "the host itself reaches it");
        drop(host);
    });
}

#[test]
fn connection_from_a_balancers_address_is_judged_and_the_hosts_own_is_not() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let target = task(&network, 20).await;
        let balancer = Ipv4Addr::new(172, 31, 0, 10);
        network.set_balancer_addresses(&[balancer]).await.unwrap();
        let mut firewall = firewall();
        firewall
            .apply(&Ruleset {
                groups: vec![group("sg-t", vec![from_group("sg-lb", 80)]), group("sg-lb", vec![])],
                members: vec![member(&target, 20, &["sg-t"])],
                balancers: vec![Balancer { ip: balancer, groups: vec!["sg-lb".to_owned()] }],
            })
            .unwrap();
        let _listeners = [80, 81].map(|port| {
            crate::network::within(target.namespace(), || TcpListener::bind(at(20, port))).unwrap()
        });
        let from_balancer = |port: u16| connect_from(balancer, at(20, port)).is_ok();
        assert!(from_balancer(80));
        assert!(!from_balancer(81));
        assert!(TcpStream::connect(at(20, 81)).is_ok());
    });
}

fn connect_from(source: Ipv4Addr, to: SocketAddrV4) -> std::io::Result<()> {
    use nix::sys::socket::{
        AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt,
    };
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None)?;
    setsockopt(&socket, sockopt::SendTimeout, &nix::sys::time::TimeVal::new(0, 200_000))?;
    bind(std::os::fd::AsRawFd::as_raw_fd(&socket.as_fd()), &SockaddrIn::from(SocketAddrV4::new(source, 0)))?;
    Ok(connect(std::os::fd::AsRawFd::as_raw_fd(&socket.as_fd()), &SockaddrIn::from(to))?)
}

#[test]
fn public_address_leads_to_its_task_from_the_host_and_from_another_task() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let public = Ipv4Addr::new(198, 18, 0, 5);
        let served = network.prepare().await.unwrap();
        let mut served_address = address(20);
        served_address.public_ip = Some(public);
        network.assign(&served, &served_address).await.unwrap();
        let other = task(&network, 21).await;
        let mut firewall = firewall();
        firewall
            .apply(&Ruleset {
                groups: vec![group("sg-a", vec![anything()])],
                members: vec![],
                balancers: vec![],
            })
            .unwrap();
        let mut member_served = member(&served, 20, &["sg-a"]);
        member_served.public_ip = Some(public);
        firewall.add(&member_served).unwrap();
        firewall.add(&member(&other, 21, &["sg-a"])).unwrap();
        for from in [None, Some(&other)] {
            let server = serve_once(&served, at(20, 80));
            assert_eq!(greet(from, SocketAddrV4::new(public, 80)).unwrap(), "hello");
            server.join().unwrap();
        }
        firewall.remove(&member_served).unwrap();
        assert!(greet(Some(&other), SocketAddrV4::new(public, 80)).is_err());
    });
}

#[test]
fn rule_set_that_names_an_unknown_group_or_a_strange_name_is_refused() {
    in_own_host(|_| async move {
        let mut firewall = firewall();
        let rules =
            Ruleset { groups: vec![group("sg-a", vec![from_group("sg-b", 80)])], ..Ruleset::default() };
        assert!(matches!(firewall.apply(&rules), Err(FirewallError::UnknownGroup(id)) if id == "sg-b"));
        let rules = Ruleset { groups: vec![group("sg a; flush", vec![])], ..Ruleset::default() };
        assert!(matches!(firewall.apply(&rules), Err(FirewallError::Name { .. })));
    });
}

#[test]
fn every_kind_of_permission_is_understood_by_nft() {
    in_own_host(|_| async move {
        let mut firewall = firewall();
        let kinds = [
            Protocol::Any,
            Protocol::Tcp { from: 0, to: 65_535 },
            Protocol::Udp { from: 53, to: 53 },
            Protocol::Icmp { kind: None, code: None },
            Protocol::Icmp { kind: Some(8), code: None },
            Protocol::Icmp { kind: Some(8), code: Some(0) },
            Protocol::Number(47),
        ];
        let cidrs = vec![EVERYWHERE, Cidr { address: Ipv4Addr::new(10, 0, 0, 0), prefix: 8 }];
        let permission =
            |protocol| Permission { protocol, cidrs: cidrs.clone(), groups: vec!["sg-a".to_owned()] };
        let all: Vec<_> = kinds.into_iter().map(permission).collect();
        let one = SecurityGroup { id: "sg-a".to_owned(), ingress: all.clone(), egress: all };
        firewall.apply(&Ruleset { groups: vec![one], ..Ruleset::default() }).unwrap();
        let clock = Instant::now();
        let member = Member {
            ip: address(20).ip,
            veth: "wh12345678".to_owned(),
            groups: vec!["sg-a".to_owned()],
            public_ip: None,
        };
        for _ in 0..100 {
            firewall.add(&member).unwrap();
            firewall.remove(&member).unwrap();
        }
        println!("add and remove a task: {} µs", clock.elapsed().as_micros() / 100);
    });
}

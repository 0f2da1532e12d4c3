use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Instant;

use super::{
    Balancer, Firewall, FirewallConfig, FirewallError, HostPort, Member, Permission, Place, Protocol,
    Ruleset, SecurityGroup, Subnet, Way,
};
use crate::network::tests::{address, config, greet, serve_once};
use crate::network::{Cidr, Network, Slot};
use crate::testbed::in_own_host;

const EVERYWHERE: Cidr = Cidr { address: Ipv4Addr::UNSPECIFIED, prefix: 0 };

pub(super) fn firewall() -> Firewall {
    Firewall::open(FirewallConfig { table: "wharf".to_owned(), veth_prefix: "wh".to_owned() }).unwrap()
}

pub(super) fn group(id: &str, ingress: Vec<Permission>) -> SecurityGroup {
    SecurityGroup { id: id.to_owned(), ingress, egress: vec![anything()] }
}

pub(super) fn anything() -> Permission {
    Permission { protocol: Protocol::Any, cidrs: vec![EVERYWHERE], groups: vec![] }
}

pub(super) fn from_group(id: &str, port: u16) -> Permission {
    let protocol = Protocol::Tcp { from: port, to: port };
    Permission { protocol, cidrs: vec![], groups: vec![id.to_owned()] }
}

pub(super) fn member(slot: &Slot, last: u8, groups: &[&str]) -> Member {
    placed(slot, address(last).ip, "vpc-a", "subnet-a", groups, None)
}

fn placed(
    slot: &Slot,
    ip: Ipv4Addr,
    vpc: &str,
    subnet: &str,
    groups: &[&str],
    public_ip: Option<Ipv4Addr>,
) -> Member {
    let place = Place::Vpc {
        vpc: vpc.to_owned(),
        subnet: Some(subnet.to_owned()),
        groups: groups.iter().map(|id| (*id).to_owned()).collect(),
        public_ip,
    };
    Member { ip, veth: slot.veth().to_owned(), place }
}

/// One VPC with one subnet, which leads nowhere.
pub(super) fn ruleset(groups: Vec<SecurityGroup>, members: Vec<Member>, balancers: Vec<Balancer>) -> Ruleset {
    Ruleset {
        host_address: Some(Ipv4Addr::new(172, 31, 0, 1)),
        groups,
        vpcs: vec!["vpc-a".to_owned()],
        subnets: vec![Subnet { id: "subnet-a".to_owned(), ways: Vec::new() }],
        members,
        balancers,
    }
}

fn lb(ip: Ipv4Addr, group: &str) -> Balancer {
    Balancer { ip, vpc: "vpc-a".to_owned(), groups: vec![group.to_owned()] }
}

pub(super) async fn task(network: &Network, last: u8) -> Slot {
    let slot = network.prepare().await.unwrap();
    network.assign(&slot, &address(last)).await.unwrap();
    slot
}

pub(super) fn at(last: u8, port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(address(last).ip, port)
}

/// Says whether one task gets an answer from another's port.
pub(super) fn passes(from: &Slot, to: &Slot, last: u8, port: u16) -> bool {
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
        let rules = ruleset(
            vec![
                group("sg-web", vec![]),
                group("sg-db", vec![from_group("sg-web", 5432)]),
                group("sg-other", vec![]),
            ],
            vec![member(&db, 21, &["sg-db"])],
            vec![],
        );
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
        let rules = ruleset(vec![group("sg-a", vec![anything()])], members, vec![]);
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
        firewall.apply(&ruleset(vec![group("sg-a", vec![anything()])], members, vec![])).unwrap();
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
            .apply(&ruleset(
                vec![
                    group("sg-in", vec![]),
                    group("sg-out", vec![]),
                    group("sg-lb", vec![from_group("sg-in", 80)]),
                ],
                vec![member(&inside, 20, &["sg-in"]), member(&outside, 21, &["sg-out"])],
                vec![lb(balancer, "sg-lb")],
            ))
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
            .apply(&ruleset(
                vec![group("sg-t", vec![from_group("sg-lb", 80)]), group("sg-lb", vec![])],
                vec![member(&target, 20, &["sg-t"])],
                vec![lb(balancer, "sg-lb")],
            ))
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
        firewall.apply(&ruleset(vec![group("sg-a", vec![anything()])], vec![], vec![])).unwrap();
        let member_served = placed(&served, address(20).ip, "vpc-a", "subnet-a", &["sg-a"], Some(public));
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
        assert!(matches!(firewall.apply(&rules), Err(FirewallError::Unknown(id)) if id == "sg-b"));
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
        firewall.apply(&ruleset(vec![one], vec![], vec![])).unwrap();
        let clock = Instant::now();
        let place = Place::Vpc {
            vpc: "vpc-a".to_owned(),
            subnet: Some("subnet-a".to_owned()),
            groups: vec!["sg-a".to_owned()],
            public_ip: Some(Ipv4Addr::new(198, 18, 0, 5)),
        };
        let member = Member { ip: address(20).ip, veth: "wh12345678".to_owned(), place };
        for _ in 0..100 {
            firewall.add(&member).unwrap();
            firewall.remove(&member).unwrap();
        }
        println!("add and remove a task: {} µs", clock.elapsed().as_micros() / 100);
    });
}

#[test]
fn f64_connection_ends_when_the_rule_that_let_it_in_is_taken_away() {
    in_own_host(|dir| async move {
        use std::io::{Read, Write};
        let network = Network::open(config(&dir)).await.unwrap();
        let (a, b) = (task(&network, 20).await, task(&network, 21).await);
        let mut firewall = firewall();
        let members = vec![member(&a, 20, &["sg-a"]), member(&b, 21, &["sg-b"])];
        // The other way is open: so a packet of the server could begin the connection anew.
        let rules = |ingress: Vec<Permission>| {
            ruleset(vec![group("sg-a", vec![anything()]), group("sg-b", ingress)], members.clone(), vec![])
        };
        let (both, one) = (
            rules(vec![from_group("sg-a", 80), from_group("sg-a", 81)]),
            rules(vec![from_group("sg-a", 81)]),
        );
        firewall.apply(&both).unwrap();
        let pair = |port: u16| {
            let listener = crate::network::within(b.namespace(), || TcpListener::bind(at(21, port))).unwrap();
            let there = crate::network::within(a.namespace(), || TcpStream::connect(at(21, port))).unwrap();
            let here = listener.accept().unwrap().0;
            there.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
            here.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
            (there, here)
        };
        let ((mut lost, mut lost_server), (mut kept, mut kept_server)) = (pair(80), pair(81));
        let idle = pair(80);
        let clock = Instant::now();
        firewall.apply(&one).unwrap();
        assert_eq!(firewall.cut(&one).unwrap(), 2);
        println!("a changed rule set with its cut: {} µs", clock.elapsed().as_micros());
        lost_server.write_all(b"x").unwrap();
        assert!(lost.read(&mut [0]).is_err(), "the server's packets came through");
        lost.write_all(b"x").unwrap();
        assert!(lost_server.read(&mut [0]).is_err(), "the client's packets came through");
        kept.write_all(b"x").unwrap();
        kept_server.read_exact(&mut [0]).unwrap();
        kept_server.write_all(b"y").unwrap();
        kept.read_exact(&mut [0]).unwrap();
        // Neither end waits for the other, which would keep the namespace for minutes.
        drop(idle);
        std::thread::sleep(std::time::Duration::from_millis(300));
        for slot in [&a, &b] {
            let sockets = crate::network::within(slot.namespace(), || {
                std::fs::read_to_string("/proc/thread-self/net/tcp")
            });
            let waiting =
                sockets.unwrap().lines().filter(|line| line.split_whitespace().nth(3) == Some("04")).count();
            assert_eq!(waiting, 0, "a socket waits for the answer to its end");
        }
    });
}

#[test]
fn f60_connections_of_a_task_that_is_gone_are_forgotten() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let (a, b) = (task(&network, 20).await, task(&network, 21).await);
        let mut firewall = firewall();
        let members = vec![member(&a, 20, &["sg-a"]), member(&b, 21, &["sg-a"])];
        firewall.apply(&ruleset(vec![group("sg-a", vec![anything()])], members, vec![])).unwrap();
        assert!(passes(&a, &b, 21, 80));
        let gone = [address(21).ip];
        assert_eq!(firewall.forget(&gone).unwrap(), 1);
        assert_eq!(firewall.forget(&gone).unwrap(), 0);
    });
}

/// A namespace beyond the host, at 198.51.100.1; the host is 198.51.100.2 there.
fn world(network_of: &str) -> std::process::Command {
    let script = format!(
        "ip netns add {network_of} && ip link add world0 type veth peer name eth0 netns {network_of} && \
         ip addr add 198.51.100.2/30 dev world0 && ip link set world0 up && \
         ip -n {network_of} addr add 198.51.100.1/30 dev eth0 && ip -n {network_of} link set eth0 up && \
         ip -n {network_of} link set lo up && ip -n {network_of} route add default via 198.51.100.2"
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]);
    command
}

#[test]
fn the_world_is_reached_only_by_a_way_that_the_subnet_has() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        // `ip netns` keeps its names under /run, which this test's mounts hide from the machine.
        let hidden = nix::mount::MsFlags::empty();
        nix::mount::mount(Some("none"), "/run", Some("tmpfs"), hidden, None::<&str>).unwrap();
        assert!(world("world").status().unwrap().success());
        let beyond = std::fs::File::open("/run/netns/world").unwrap();
        let listener =
            crate::network::within(beyond.as_fd(), || TcpListener::bind("198.51.100.1:80")).unwrap();
        let slots = [task(&network, 20).await, task(&network, 21).await, task(&network, 22).await];
        let public = Ipv4Addr::new(198, 18, 0, 5);
        let groups = || vec![group("sg-a", vec![anything()])];
        let mut rules = ruleset(groups(), vec![], vec![]);
        let everything = |way| vec![(EVERYWHERE, way)];
        let narrow = Cidr { address: Ipv4Addr::new(198, 51, 100, 0), prefix: 24 };
        rules.subnets = vec![
            Subnet { id: "inside".to_owned(), ways: everything(Way::Internet) },
            Subnet { id: "nat".to_owned(), ways: everything(Way::Nat) },
            Subnet { id: "hole".to_owned(), ways: vec![(narrow, Way::Nowhere), (EVERYWHERE, Way::Nat)] },
        ];
        let mut firewall = firewall();
        let reach = |slot: &Slot| {
            crate::network::within(slot.namespace(), || {
                let to = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 1), 80).into();
                TcpStream::connect_timeout(&to, std::time::Duration::from_millis(300))
            })
            .is_ok()
        };
        let at = |slot: &Slot, last, subnet, public| {
            placed(slot, address(last).ip, "vpc-a", subnet, &["sg-a"], public)
        };
        rules.members = vec![
            at(&slots[0], 20, "inside", None),
            at(&slots[1], 21, "nat", None),
            at(&slots[2], 22, "hole", None),
        ];
        firewall.apply(&rules).unwrap();
        assert!(!reach(&slots[0]), "a gateway without a public address");
        assert!(reach(&slots[1]), "NAT");
        assert_eq!(
            listener.accept().unwrap().1.ip().to_string(),
            "198.51.100.2",
            "the host's address is seen"
        );
        assert!(!reach(&slots[2]), "a hole before the default route");
        rules.members[0] = at(&slots[0], 20, "inside", Some(public));
        firewall.apply(&rules).unwrap();
        assert!(reach(&slots[0]), "a gateway and a public address");
    });
}

#[test]
fn vpcs_do_not_reach_each_other_however_open_their_groups_are() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let (a, b) = (task(&network, 20).await, task(&network, 21).await);
        let mut firewall = firewall();
        let mut rules = ruleset(vec![group("sg-a", vec![anything()])], vec![], vec![]);
        rules.vpcs.push("vpc-b".to_owned());
        let other = |vpc| placed(&b, address(21).ip, vpc, "subnet-a", &["sg-a"], None);
        rules.members = vec![member(&a, 20, &["sg-a"]), other("vpc-b")];
        firewall.apply(&rules).unwrap();
        assert!(!passes(&a, &b, 21, 80));
        assert!(!passes(&b, &a, 20, 80));
        rules.members[1] = other("vpc-a");
        firewall.apply(&rules).unwrap();
        assert!(passes(&a, &b, 21, 80));
    });
}

#[test]
fn port_of_the_host_leads_to_a_bridged_task_from_the_host_its_loopback_and_other_tasks() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let (bridged, other) = (task(&network, 20).await, task(&network, 21).await);
        let ports = vec![HostPort { protocol: 6, host: 8080, task: 80 }];
        network.open_loopback(&bridged).unwrap();
        let mut firewall = firewall();
        firewall.apply(&ruleset(vec![group("sg-a", vec![anything()])], vec![], vec![])).unwrap();
        let place = Place::Bridge { ports };
        let served = Member { ip: address(20).ip, veth: bridged.veth().to_owned(), place };
        firewall.add(&served).unwrap();
        firewall.add(&member(&other, 21, &["sg-a"])).unwrap();
        for (from, host) in [
            (None, "127.0.0.1"),
            (None, "172.31.0.1"),
            (Some(&other), "172.31.0.1"),
            (Some(&bridged), "172.31.0.1"),
        ] {
            let server = serve_once(&bridged, at(20, 80));
            let to = SocketAddrV4::new(host.parse().unwrap(), 8080);
            assert_eq!(greet(from, to).unwrap(), "hello", "{host} from {from:?}");
            let peer = server.join().unwrap().unwrap();
            assert!(!peer.starts_with("127."), "{peer}");
        }
        assert!(greet(Some(&other), at(20, 80)).is_err(), "its own address is nobody's");
        // The task's veth takes packets for 127.0.0.0/8 back, but not from the task.
        let host = TcpListener::bind("127.0.0.1:9000").unwrap();
        let to_loopback = crate::network::within(bridged.namespace(), || {
            let add =
                ["route", "add", "127.0.0.1/32", "via", "172.31.0.1", "dev", "eth0", "onlink", "table", "9"];
            std::process::Command::new("ip").args(add).status()?;
            std::process::Command::new("ip")
                .args(["rule", "add", "pref", "0", "to", "127.0.0.1", "lookup", "9"])
                .status()?;
            std::process::Command::new("ip")
                .args(["rule", "del", "pref", "0", "lookup", "local"])
                .status()?;
            std::fs::write("/proc/sys/net/ipv4/conf/eth0/route_localnet", "1")?;
            TcpStream::connect_timeout(&host.local_addr()?, std::time::Duration::from_millis(300))
        });
        assert!(to_loopback.is_err(), "the task reached the host's loopback");
        firewall.remove(&served).unwrap();
        assert!(greet(None, SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8080)).is_err());
    });
}

#[test]
fn a_table_that_was_flushed_is_missed() {
    in_own_host(|_| async move {
        let mut firewall = firewall();
        assert!(!firewall.is_there().unwrap());
        firewall.apply(&Ruleset::default()).unwrap();
        assert!(firewall.is_there().unwrap());
        crate::nft::load("flush ruleset\n").unwrap();
        assert!(!firewall.is_there().unwrap());
    });
}

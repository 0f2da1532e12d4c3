use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use super::super::tests::{anything, at, firewall, from_group, group, member, passes, ruleset, task};
use super::super::{FirewallConfig, netlink::NESTED};
use super::*;
use crate::network::Network;
use crate::network::tests::{address, config};
use crate::testbed::in_own_host;

fn meter() -> Meter {
    Meter::beside(&FirewallConfig { table: "wharf".to_owned(), veth_prefix: "wh".to_owned() })
}

/// Packets between two addresses at a point, to a port of the receiver.
fn packets(reading: &Reading, point: Point, from: u8, to: u8, port: u16) -> u64 {
    let same = |counted: &&Counted| {
        counted.point == point
            && (counted.from, counted.to) == (address(from).ip, address(to).ip)
            && counted.to_port == port
    };
    reading.counted.iter().filter(same).map(|counted| counted.packets).sum()
}

#[test]
fn what_passes_and_what_is_refused_is_counted_where_it_is_judged() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let (web, db) = (task(&network, 20).await, task(&network, 21).await);
        let mut firewall = firewall();
        let groups = vec![group("sg-web", vec![]), group("sg-db", vec![from_group("sg-web", 5432)])];
        let members = vec![member(&web, 20, &["sg-web"]), member(&db, 21, &["sg-db"])];
        let rules = ruleset(groups, members, vec![]);
        firewall.apply(&rules).unwrap();
        let meter = meter();
        assert!(!meter.is_there().unwrap());
        meter.start(&[address(20).ip]).unwrap();
        meter.add(address(21).ip).unwrap();
        assert!(meter.is_there().unwrap());

        assert!(passes(&web, &db, 21, 5432));
        assert!(!passes(&web, &db, 21, 5433));
        // The counters stay when the firewall is made anew.
        firewall.apply(&rules).unwrap();
        let reading = meter.read().unwrap();
        let count = |point, port| packets(&reading, point, 20, 21, port);
        assert!(count(Point::SentTried, 5432) >= 1);
        assert_eq!(count(Point::SentTried, 5432), count(Point::SentPassed, 5432));
        assert!(count(Point::SentKept, 5432) >= 2);
        assert_eq!(count(Point::ReceivedTried, 5432), count(Point::ReceivedPassed, 5432));
        assert_eq!(
            count(Point::ReceivedKept, 5432),
            count(Point::SentKept, 5432) + count(Point::SentPassed, 5432)
        );
        // The sender's rules let it through, the receiver's do not.
        let tried = count(Point::SentTried, 5433);
        assert!(tried >= 1);
        assert_eq!(count(Point::SentPassed, 5433), tried);
        assert_eq!(count(Point::ReceivedTried, 5433), tried);
        assert_eq!((count(Point::ReceivedPassed, 5433), count(Point::ReceivedKept, 5433)), (0, 0));
        assert!(reading.counted.iter().all(|counted| counted.protocol == 6 && counted.bytes >= 40));
        assert!(reading.counted.iter().all(|counted| counted.idle < LIFE));
        assert_eq!(reading.lost, []);

        meter.remove(address(20).ip).unwrap();
        meter.remove(address(20).ip).unwrap();
        assert!(passes(&web, &db, 21, 5432));
        let after = meter.read().unwrap();
        assert_eq!(packets(&after, Point::SentTried, 20, 21, 5432), count(Point::SentTried, 5432));
        assert!(packets(&after, Point::ReceivedKept, 20, 21, 5432) > count(Point::ReceivedKept, 5432));
        meter.tear_down().unwrap();
        meter.tear_down().unwrap();
        assert!(!meter.is_there().unwrap());
    });
}

#[test]
fn datagrams_are_counted_whole_and_what_has_no_ports_has_none() {
    in_own_host(|dir| async move {
        let network = Network::open(config(&dir)).await.unwrap();
        let (a, b) = (task(&network, 20).await, task(&network, 21).await);
        let mut firewall = firewall();
        let members = vec![member(&a, 20, &["sg-a"]), member(&b, 21, &["sg-a"])];
        firewall.apply(&ruleset(vec![group("sg-a", vec![anything()])], members, vec![])).unwrap();
        let meter = meter();
        meter.start(&[address(20).ip, address(21).ip]).unwrap();
        crate::network::within(a.namespace(), || {
            let socket = UdpSocket::bind(at(20, 4000))?;
            (0..3).try_for_each(|_| socket.send_to(b"0123456789", at(21, 53)).map(drop))
        })
        .unwrap();
        // Nobody listens there, and the receiver says so.
        std::thread::sleep(Duration::from_millis(200));
        let reading = meter.read().unwrap();
        let sent = reading.counted.iter().find(|counted| counted.point == Point::SentPassed).unwrap();
        assert_eq!((sent.protocol, sent.from_port, sent.to_port), (17, 4000, 53));
        assert_eq!((sent.packets, sent.bytes), (3, 3 * (20 + 8 + 10)));
        let told = reading.counted.iter().find(|counted| counted.protocol == 1).unwrap();
        assert_eq!((told.from, told.to), (address(21).ip, address(20).ip));
        assert_eq!((told.from_port, told.to_port), (0, 0));
        meter.tear_down().unwrap();
    });
}

#[test]
fn an_element_of_the_kernel_is_a_flow() {
    let mut element = Vec::new();
    attribute(&mut element, ELEMENT_KEY | NESTED, |out| {
        attribute(out, DATA_VALUE, |out| {
            out.extend([172, 31, 0, 20, 172, 31, 0, 21, 6, 0, 0, 0, 0x9c, 0x40, 0, 0, 0x15, 0x38, 0, 0]);
        });
    });
    attribute(&mut element, ELEMENT_EXPIRATION, |out| out.extend(27_500_u64.to_be_bytes()));
    attribute(&mut element, ELEMENT_EXPRESSION | NESTED, |out| {
        attribute(out, 1, |out| text(out, "counter"));
        attribute(out, EXPRESSION_DATA | NESTED, |out| {
            attribute(out, COUNTER_BYTES, |out| out.extend(420_u64.to_be_bytes()));
            attribute(out, COUNTER_PACKETS, |out| out.extend(7_u64.to_be_bytes()));
        });
    });
    assert_eq!(
        counted(Point::SentKept, &found(&element).unwrap()),
        Some(Counted {
            point: Point::SentKept,
            from: Ipv4Addr::new(172, 31, 0, 20),
            to: Ipv4Addr::new(172, 31, 0, 21),
            protocol: 6,
            from_port: 40_000,
            to_port: 5_432,
            packets: 7,
            bytes: 420,
            idle: Duration::from_millis(2_500),
        })
    );
}

#[test]
fn script_counts_between_the_senders_rules_and_the_receivers() {
    let script = script::render("wharf_flows", "wh", &[Ipv4Addr::new(172, 31, 0, 20)]);
    for line in [
        "add element inet wharf_flows logged { 172.31.0.20 }",
        "type filter hook forward priority -1; policy accept;",
        "iifname \"wh*\" ip saddr @logged ct state new goto count_sent_passed",
        "update @lost { ip saddr counter }",
    ] {
        assert!(script.contains(line), "{script}");
    }
    assert!(!script.contains("drop"), "it only counts");
}

use super::{Addresses, ForeignRoute, rules, servable};
use std::{collections::HashSet, net::Ipv4Addr};
use wharf_model::network::{Cidr, IpProtocol, Peer, Permission};
use wharf_nodelink::agent::{BalancerAddress, GroupRules, NodeSettings, ServedVpc};
use wharf_sandbox::firewall::Protocol;

fn settings(protocol: IpProtocol, ports: Option<(u16, u16)>, peer: Peer) -> NodeSettings {
    let ingress = vec![Permission { protocol, ports, peer }];
    let group = GroupRules { id: "sg-00000001".parse().unwrap(), ingress, egress: Vec::new() };
    NodeSettings {
        region: "us-east-1".to_owned(),
        account: "123456789012".to_owned(),
        registry: "127.0.0.1:4566".to_owned(),
        registry_password: String::new(),
        host_address: Some("172.31.0.1".parse().unwrap()),
        vpcs: vec![ServedVpc {
            id: "vpc-00000001".parse().unwrap(),
            cidr: "172.31.0.0/16".parse().unwrap(),
            dns_support: true,
        }],
        subnets: Vec::new(),
        public_cidr: "198.18.0.0/16".parse().unwrap(),
        security_groups: vec![group],
        balancers: vec![BalancerAddress {
            name: "web-1.us-east-1.elb.localhost".to_owned(),
            ip: "172.31.0.9".parse().unwrap(),
            vpc: "vpc-00000001".parse().unwrap(),
            interface: None,
            groups: vec!["sg-00000001".parse().unwrap(), "sg-00000009".parse().unwrap()],
        }],
        flow_logs: Vec::new(),
    }
}

fn anywhere() -> Peer {
    Peer::Cidr(Cidr { address: [0, 0, 0, 0].into(), prefix: 0 })
}

fn ingress(protocol: IpProtocol, ports: Option<(u16, u16)>) -> Vec<Protocol> {
    let ruleset = rules::ruleset(&settings(protocol, ports, anywhere()), std::iter::empty());
    ruleset.groups[0].ingress.iter().map(|permission| permission.protocol).collect()
}

#[test]
fn rule_without_ports_means_all_of_them() {
    assert_eq!(ingress(IpProtocol::Tcp, None), [Protocol::Tcp { from: 0, to: 65535 }]);
    assert_eq!(ingress(IpProtocol::All, None), [Protocol::Any]);
}

#[test]
fn icmp_type_and_code_of_minus_one_mean_any() {
    assert_eq!(ingress(IpProtocol::Icmp, Some((8, 65535))), [Protocol::Icmp { kind: Some(8), code: None }]);
    assert_eq!(ingress(IpProtocol::Icmp, None), [Protocol::Icmp { kind: None, code: None }]);
}

#[test]
fn ports_in_reverse_allow_nothing() {
    assert_eq!(ingress(IpProtocol::Udp, Some((9, 8))), []);
}

#[test]
fn load_balancers_are_in_the_rule_set_with_the_groups_that_are_known() {
    let ruleset = rules::ruleset(&settings(IpProtocol::All, None, anywhere()), std::iter::empty());
    assert_eq!(ruleset.balancers[0].groups, ["sg-00000001"]);
}

#[test]
fn what_is_for_ipv6_or_names_no_group_that_is_known_allows_nothing() {
    let rules = |peer| {
        let ruleset = rules::ruleset(&settings(IpProtocol::All, None, peer), std::iter::empty());
        ruleset.groups[0].ingress.len()
    };
    assert_eq!(rules(Peer::Cidr6("::/0".parse().unwrap())), 0);
    assert_eq!(rules(Peer::Group("sg-00000009".parse().unwrap())), 0);
    assert_eq!(rules(Peer::Group("sg-00000001".parse().unwrap())), 1);
}

#[test]
fn bridged_tasks_get_addresses_in_turn_until_all_are_taken() {
    let mut addresses = Addresses::default();
    let mut taken = HashSet::new();
    let first = addresses.next(&taken).unwrap();
    assert_eq!(first, Ipv4Addr::new(169, 254, 172, 2));
    // An address that was given back is not the next one.
    assert_eq!(addresses.next(&taken), Some(Ipv4Addr::new(169, 254, 172, 3)));
    while let Some(address) = addresses.next(&taken) {
        assert!(taken.insert(address), "{address} was given twice");
    }
    assert_eq!(taken.len(), 1021);
    taken.remove(&first);
    assert_eq!(addresses.next(&taken), Some(first));
}

#[test]
fn a_network_that_the_host_has_a_route_to_is_not_taken_from_it() {
    let cidr = |text: &str| rules::cidr(&text.parse().unwrap());
    let foreign = [ForeignRoute { cidr: cidr("10.0.0.0/8"), device: Some("eth0".to_owned()) }];
    let wanted = vec![cidr("172.31.0.0/16"), cidr("10.1.0.0/16")];
    assert_eq!(servable(wanted, &foreign), [cidr("172.31.0.0/16")]);
}

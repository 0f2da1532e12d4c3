use super::rules;
use wharf_model::network::{Cidr, IpProtocol, Peer, Permission, SecurityGroup};
use wharf_nodelink::agent::NodeSettings;
use wharf_sandbox::firewall::Protocol;

fn settings(protocol: IpProtocol, ports: Option<(u16, u16)>, peer: Peer) -> NodeSettings {
    let group = SecurityGroup {
        id: "sg-00000001".parse().unwrap(),
        name: "web".to_owned(),
        description: String::new(),
        vpc: "vpc-00000001".parse().unwrap(),
        ingress: vec![Permission { protocol, ports, peer }],
        egress: Vec::new(),
        tags: Vec::new(),
    };
    NodeSettings {
        region: "us-east-1".to_owned(),
        account: "123456789012".to_owned(),
        registry: "127.0.0.1:4566".to_owned(),
        registry_password: String::new(),
        vpc_cidrs: vec!["172.31.0.0/16".parse().unwrap()],
        public_cidr: "198.18.0.0/16".parse().unwrap(),
        security_groups: vec![group],
        balancer_addresses: vec![("172.31.0.9".parse().unwrap(), vec!["sg-00000001".parse().unwrap()])],
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
fn load_balancers_are_in_the_rule_set_with_their_groups() {
    let ruleset = rules::ruleset(&settings(IpProtocol::All, None, anywhere()), std::iter::empty());
    assert_eq!(ruleset.balancers[0].groups, ["sg-00000001"]);
}

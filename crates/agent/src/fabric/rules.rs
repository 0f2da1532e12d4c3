//! What control says of the network, in the sandbox's terms.

use super::Bridge;
use crate::AgentConfig;
use std::{
    collections::{BTreeMap, HashSet},
    net::Ipv4Addr,
};
use wharf_dns::{Names, VpcNames};
use wharf_model::network::{self, IpProtocol, Peer, Via};
use wharf_nodelink::agent::{GroupRules, InterfaceAssignment, NodeSettings, ServedVpc};
use wharf_sandbox::{
    firewall::{Balancer, Member, Permission, Place, Protocol, Ruleset, SecurityGroup, Subnet, Way},
    network::{Cidr, NetworkConfig, Slot},
};

/// The address of a host of which nothing else is known.
const HOST_ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 1);

/// Returns what the host's network is to be like.
pub(super) fn network(config: &AgentConfig, settings: &NodeSettings) -> NetworkConfig {
    with_names(config, served(settings), host_address(settings))
}

/// The same while nothing is known but one block.
pub(super) fn before_settings(config: &AgentConfig, block: Cidr) -> NetworkConfig {
    with_names(config, vec![block], HOST_ADDRESS)
}

fn with_names(config: &AgentConfig, served: Vec<Cidr>, host_address: Ipv4Addr) -> NetworkConfig {
    NetworkConfig {
        served,
        host_address,
        balancer_device: config.balancer_device.clone(),
        veth_prefix: config.veth_prefix.clone(),
        netns_dir: config.run_dir.join("netns"),
        settings_file: config.run_dir.join("host-settings.json"),
    }
}

/// Returns the networks whose addresses are tasks' or nobody's.
pub(super) fn served(settings: &NodeSettings) -> Vec<Cidr> {
    let mut served: Vec<Cidr> = Vec::new();
    for vpc in &settings.vpcs {
        let cidr = cidr(&vpc.cidr);
        if !served.contains(&cidr) {
            served.push(cidr);
        }
    }
    served.push(cidr(&settings.public_cidr));
    served
}

/// Returns what the tasks' resolvers answer.
pub(super) fn names(settings: &NodeSettings) -> Names {
    let mut balancers: BTreeMap<String, Vec<Ipv4Addr>> = BTreeMap::new();
    for balancer in &settings.balancers {
        balancers.entry(balancer.name.clone()).or_default().push(balancer.ip);
    }
    let vpc = |vpc: &ServedVpc| (vpc.id.to_string(), VpcNames { cidr: vpc.cidr, answers: vpc.dns_support });
    Names {
        region: settings.region.clone(),
        public: settings.public_cidr,
        vpcs: settings.vpcs.iter().map(vpc).collect(),
        balancers,
    }
}

/// Returns the address that the host has towards tasks.
pub(super) fn host_address(settings: &NodeSettings) -> Ipv4Addr {
    settings.host_address.unwrap_or(HOST_ADDRESS)
}

/// Returns what the firewall is to say. What a member or a rule names and control does not know is left out: it allows
/// nothing.
pub(super) fn ruleset<'a>(settings: &NodeSettings, members: impl Iterator<Item = &'a Member>) -> Ruleset {
    let groups: HashSet<String> = settings.security_groups.iter().map(|group| group.id.to_string()).collect();
    let vpcs: Vec<String> = settings.vpcs.iter().map(|vpc| vpc.id.to_string()).collect();
    let subnets: Vec<Subnet> = settings.subnets.iter().map(subnet).collect();
    let balancers = settings
        .balancers
        .iter()
        .map(|balancer| Balancer {
            ip: balancer.ip,
            vpc: balancer.vpc.to_string(),
            groups: balancer
                .groups
                .iter()
                .map(ToString::to_string)
                .filter(|id| groups.contains(id))
                .collect(),
        })
        .filter(|balancer| vpcs.contains(&balancer.vpc))
        .collect();
    let named: HashSet<&str> = subnets.iter().map(|subnet| subnet.id.as_str()).collect();
    let members = members.filter_map(|member| {
        as_known(
            member,
            |id| groups.contains(id),
            |id| vpcs.iter().any(|vpc| vpc == id),
            |id| named.contains(id),
        )
    });
    let members = members.collect();
    let known = |id: &String| groups.contains(id);
    Ruleset {
        host_address: Some(host_address(settings)),
        groups: settings.security_groups.iter().map(|rules| group(rules, known)).collect(),
        members,
        balancers,
        vpcs,
        subnets,
    }
}

/// Returns a member as these settings know it; nothing when they do not know its VPC.
pub(super) fn known(settings: &NodeSettings, member: &Member) -> Option<Member> {
    as_known(
        member,
        |id| settings.security_groups.iter().any(|group| group.id.as_str() == id),
        |id| settings.vpcs.iter().any(|vpc| vpc.id.as_str() == id),
        |id| settings.subnets.iter().any(|subnet| subnet.subnet.as_str() == id),
    )
}

fn as_known(
    member: &Member,
    group: impl Fn(&str) -> bool,
    has_vpc: impl Fn(&str) -> bool,
    has_subnet: impl Fn(&str) -> bool,
) -> Option<Member> {
    let mut member = member.clone();
    if let Place::Vpc { vpc, subnet, groups, .. } = &mut member.place {
        groups.retain(|id| group(id));
        subnet.take_if(|id| !has_subnet(id));
        if !has_vpc(vpc) {
            return None;
        }
    }
    Some(member)
}

/// Returns a task with an interface of its own as the firewall knows it.
pub(super) fn member(slot: &Slot, interface: &InterfaceAssignment, settings: &NodeSettings) -> Member {
    let own = |subnet: &&network::SubnetRoutes| {
        subnet.vpc.as_str() == interface.vpc_id && subnet.cidr == interface.subnet_cidr
    };
    Member {
        ip: interface.private_ip,
        veth: slot.veth().to_owned(),
        place: Place::Vpc {
            vpc: interface.vpc_id.clone(),
            subnet: settings.subnets.iter().find(own).map(|found| found.subnet.to_string()),
            groups: interface.groups.iter().map(ToString::to_string).collect(),
            public_ip: interface.public_ip,
        },
    }
}

/// Returns a bridged task as the firewall knows it.
pub(super) fn bridged(slot: &Slot, bridge: &Bridge) -> Member {
    Member {
        ip: bridge.ip,
        veth: slot.veth().to_owned(),
        place: Place::Bridge { ports: bridge.host_ports() },
    }
}

fn subnet(routes: &network::SubnetRoutes) -> Subnet {
    let way = |via: &Via| match via {
        Via::Internet => Way::Internet,
        Via::Nat => Way::Nat,
        Via::Nowhere => Way::Nowhere,
    };
    let ways = routes.routes.iter().map(|(destination, via)| (cidr(destination), way(via)));
    Subnet { id: routes.subnet.to_string(), ways: ways.collect() }
}

fn group(rules: &GroupRules, known: impl Fn(&String) -> bool + Copy) -> SecurityGroup {
    SecurityGroup {
        id: rules.id.to_string(),
        ingress: rules.ingress.iter().filter_map(|rule| permission(rule, known)).collect(),
        egress: rules.egress.iter().filter_map(|rule| permission(rule, known)).collect(),
    }
}

/// Returns a rule; nothing for one that can match no packet, such as a TCP rule whose ports are reversed, or one for
/// IPv6, which no task has.
fn permission(permission: &network::Permission, known: impl Fn(&String) -> bool) -> Option<Permission> {
    let (from, to) = permission.ports.unwrap_or((0, u16::MAX));
    let protocol = match permission.protocol {
        IpProtocol::All => Protocol::Any,
        IpProtocol::Tcp if from <= to => Protocol::Tcp { from, to },
        IpProtocol::Udp if from <= to => Protocol::Udp { from, to },
        IpProtocol::Tcp | IpProtocol::Udp => return None,
        IpProtocol::Number(number) => Protocol::Number(number),
        // For ICMP the two numbers are a type and a code, and 65535 (-1) is any.
        IpProtocol::Icmp => {
            let (kind, code) = permission.ports.unwrap_or((u16::MAX, u16::MAX));
            Protocol::Icmp { kind: u8::try_from(kind).ok(), code: u8::try_from(code).ok() }
        }
    };
    let (cidrs, groups) = match &permission.peer {
        Peer::Cidr(peer) => (vec![cidr(peer)], Vec::new()),
        Peer::Group(group) => (Vec::new(), vec![Some(group.to_string()).filter(known)?]),
        Peer::Cidr6(_) | Peer::PrefixList(_) => return None,
    };
    Some(Permission { protocol, cidrs, groups })
}

pub(super) fn cidr(cidr: &network::Cidr) -> Cidr {
    Cidr { address: cidr.address, prefix: cidr.prefix }
}

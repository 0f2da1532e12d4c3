//! What control says of the network, in the sandbox's terms.

use crate::AgentConfig;
use std::net::Ipv4Addr;
use wharf_model::network::{self, IpProtocol, Peer};
use wharf_nodelink::agent::{InterfaceAssignment, NodeSettings};
use wharf_sandbox::{
    firewall::{Balancer, Member, Permission, Protocol, Ruleset, SecurityGroup},
    network::{Cidr, NetworkConfig, Slot},
};

/// Returns what the host's network is to be like.
pub(super) fn network(config: &AgentConfig, settings: &NodeSettings) -> NetworkConfig {
    let served = settings.vpc_cidrs.iter().chain([&settings.public_cidr]).map(cidr).collect();
    let first = settings.vpc_cidrs.first();
    NetworkConfig {
        served,
        host_address: first.map_or(Ipv4Addr::new(169, 254, 170, 1), network::Cidr::gateway),
        balancer_device: config.balancer_device.clone(),
        veth_prefix: config.veth_prefix.clone(),
        netns_dir: config.run_dir.join("netns"),
        settings_file: config.run_dir.join("host-settings.json"),
    }
}

/// Returns what the firewall is to say.
pub(super) fn ruleset<'a>(settings: &NodeSettings, members: impl Iterator<Item = &'a Member>) -> Ruleset {
    let balancers = settings
        .balancer_addresses
        .iter()
        .map(|(ip, groups)| Balancer { ip: *ip, groups: groups.iter().map(ToString::to_string).collect() });
    Ruleset {
        groups: settings.security_groups.iter().map(group).collect(),
        members: members.cloned().collect(),
        balancers: balancers.collect(),
    }
}

/// Returns a task as the firewall knows it.
pub(super) fn member(slot: &Slot, interface: &InterfaceAssignment) -> Member {
    Member {
        ip: interface.private_ip,
        veth: slot.veth().to_owned(),
        groups: interface.groups.iter().map(ToString::to_string).collect(),
        public_ip: interface.public_ip,
    }
}

fn group(group: &network::SecurityGroup) -> SecurityGroup {
    SecurityGroup {
        id: group.id.to_string(),
        ingress: group.ingress.iter().filter_map(permission).collect(),
        egress: group.egress.iter().filter_map(permission).collect(),
    }
}

/// Returns a rule; nothing for one that can match no packet, such as a TCP rule whose ports are reversed.
fn permission(permission: &network::Permission) -> Option<Permission> {
    let (from, to) = permission.ports.unwrap_or((0, u16::MAX));
    let protocol = match permission.protocol {
        IpProtocol::All => Protocol::Any,
        IpProtocol::Tcp if from <= to => Protocol::Tcp { from, to },
        IpProtocol::Udp if from <= to => Protocol::Udp { from, to },
        IpProtocol::Tcp | IpProtocol::Udp => return None,
        // For ICMP the two numbers are a type and a code, and 65535 (-1) is any.
        IpProtocol::Icmp => {
            let (kind, code) = permission.ports.unwrap_or((u16::MAX, u16::MAX));
            Protocol::Icmp { kind: u8::try_from(kind).ok(), code: u8::try_from(code).ok() }
        }
    };
    let (cidrs, groups) = match &permission.peer {
        Peer::Cidr(peer) => (vec![cidr(peer)], Vec::new()),
        Peer::Group(group) => (Vec::new(), vec![group.to_string()]),
    };
    Some(Permission { protocol, cidrs, groups })
}

fn cidr(cidr: &network::Cidr) -> Cidr {
    Cidr { address: cidr.address, prefix: cidr.prefix }
}

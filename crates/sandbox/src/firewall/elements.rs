//! What a task or a load balancer is in the table: elements of its sets and maps, and nothing else.

use std::net::Ipv4Addr;

use super::script::{members_set, named_set};
use super::{Balancer, FirewallError, Member, Place};

/// The kernel's size of an interface name.
const NAME_LEN: usize = 16;

/// One element of one set or map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) set: String,
    pub(super) key: Key,
    /// What a map gives for the key.
    pub(super) data: Option<Data>,
}

/// A key, as a script and as the kernel writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Address(Ipv4Addr),
    Owner { veth: String, ip: Ipv4Addr },
    Port { protocol: u8, port: u16 },
}

/// What a map gives, as a script and as the kernel writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    Address(Ipv4Addr),
    Endpoint { ip: Ipv4Addr, port: u16 },
}

impl Data {
    pub(super) fn text(self) -> String {
        match self {
            Data::Address(ip) => ip.to_string(),
            Data::Endpoint { ip, port } => format!("{ip} . {port}"),
        }
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        match self {
            Data::Address(ip) => ip.octets().to_vec(),
            Data::Endpoint { ip, port } => [&ip.octets()[..], &padded(port)].concat(),
        }
    }
}

/// Every part of a concatenation begins at a multiple of four bytes.
fn padded(port: u16) -> [u8; 4] {
    let [high, low] = port.to_be_bytes();
    [high, low, 0, 0]
}

impl Key {
    pub(super) fn text(&self) -> String {
        match self {
            Key::Address(ip) => ip.to_string(),
            Key::Owner { veth, ip } => format!("\"{veth}\" . {ip}"),
            Key::Port { protocol, port } => format!("{protocol} . {port}"),
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Key::Address(ip) => ip.octets().to_vec(),
            Key::Owner { veth, ip } => {
                let mut bytes = vec![0; NAME_LEN];
                bytes[..veth.len()].copy_from_slice(veth.as_bytes());
                bytes.extend_from_slice(&ip.octets());
                bytes
            }
            Key::Port { protocol, port } => [&[*protocol, 0, 0, 0][..], &padded(*port)].concat(),
        }
    }
}

pub(super) fn member_elements(member: &Member) -> Result<Vec<Element>, FirewallError> {
    let fits = member.veth.len() < NAME_LEN && member.veth.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !fits || member.veth.is_empty() {
        return Err(FirewallError::Name { what: "interface", name: member.veth.clone() });
    }
    let owner = Key::Owner { veth: member.veth.clone(), ip: member.ip };
    let mut elements = vec![Element { set: "owners".to_owned(), key: owner, data: None }];
    elements.push(address("tasks", member.ip));
    match &member.place {
        Place::Vpc { vpc, subnet, groups, public_ip } => {
            elements.push(address(&named_set("v", vpc)?, member.ip));
            if let Some(subnet) = subnet {
                elements.push(address(&named_set("s", subnet)?, member.ip));
            }
            elements.extend(group_elements(member.ip, groups)?);
            if let Some(public) = public_ip {
                elements.push(address("translated", member.ip));
                let data = Some(Data::Address(member.ip));
                elements.push(Element { set: "public".to_owned(), key: Key::Address(*public), data });
            }
        }
        Place::Bridge { ports } => {
            elements.push(address("bridged", member.ip));
            elements.extend(ports.iter().map(|port| Element {
                set: "host_ports".to_owned(),
                key: Key::Port { protocol: port.protocol, port: port.host },
                data: Some(Data::Endpoint { ip: member.ip, port: port.task }),
            }));
        }
    }
    Ok(elements)
}

pub(super) fn balancer_elements(balancer: &Balancer) -> Result<Vec<Element>, FirewallError> {
    let mut elements = vec![address("balancers", balancer.ip)];
    elements.push(address(&named_set("v", &balancer.vpc)?, balancer.ip));
    elements.extend(group_elements(balancer.ip, &balancer.groups)?);
    Ok(elements)
}

fn group_elements(ip: Ipv4Addr, groups: &[String]) -> Result<Vec<Element>, FirewallError> {
    groups.iter().map(|group| Ok(address(&members_set(group)?, ip))).collect()
}

fn address(set: &str, ip: Ipv4Addr) -> Element {
    Element { set: set.to_owned(), key: Key::Address(ip), data: None }
}

//! VPCs, subnets and network interfaces; below, security groups, and what decides the way out.

use crate::{
    Arn, EniId, NatGatewayId, NodeId, SecurityGroupId, SubnetId, TaskId, Timestamp, VpcId, name::InvalidName,
    tag::Tag,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

pub mod flow_log;
pub mod gateway;
pub mod security_group;

pub use flow_log::{FlowField, FlowFormat, FlowLog, FlowLogResource, InvalidFormat, TrafficType};
pub use gateway::{
    ElasticIp, InternetGateway, NatGateway, Route, RouteTable, RouteTarget, SubnetAssociation, SubnetRoutes,
    Via,
};
pub use security_group::{
    IpProtocol, Peer, Permission, PrefixEntry, PrefixList, SecurityGroup, SecurityGroupRule,
};

/// An IPv4 network, `address/prefix`; host bits are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    /// The first address.
    pub address: Ipv4Addr,
    /// How many leading bits are fixed.
    pub prefix: u8,
}

impl Cidr {
    /// Returns whether `address` lies in this network.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask() == u32::from(self.address)
    }

    /// Returns the address `offset` places after the first one, if it still lies in this network.
    pub fn nth(&self, offset: u32) -> Option<Ipv4Addr> {
        let address = Ipv4Addr::from(u32::from(self.address).checked_add(offset)?);
        self.contains(address).then_some(address)
    }

    /// Returns how many addresses the network has.
    pub fn size(&self) -> u64 {
        1 << (32 - u32::from(self.prefix))
    }

    /// Returns the subnet's router: the address after the first, as in a VPC.
    pub fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.address) + 1)
    }

    /// Returns whether all of another network lies in this one.
    pub fn covers(&self, other: &Cidr) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }

    /// Returns the network that an address lies in: its host bits set to zero, as EC2 does with what it is given.
    pub fn around(address: Ipv4Addr, prefix: u8) -> Option<Cidr> {
        let cidr = Cidr { address, prefix };
        (prefix <= 32).then(|| Cidr { address: Ipv4Addr::from(u32::from(address) & cidr.mask()), prefix })
    }

    /// Returns whether the two networks share an address.
    pub fn overlaps(&self, other: &Cidr) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }

    fn mask(&self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Cidr {
    type Err = InvalidName;

    fn from_str(given: &str) -> Result<Cidr, InvalidName> {
        let invalid = || InvalidName { kind: "CIDR block", given: given.to_owned() };
        let (address, prefix) = given.split_once('/').ok_or_else(invalid)?;
        let cidr = Cidr {
            address: address.parse().map_err(|_| invalid())?,
            prefix: prefix.parse().map_err(|_| invalid())?,
        };
        if cidr.prefix <= 32 && cidr.contains(cidr.address) { Ok(cidr) } else { Err(invalid()) }
    }
}

/// An IPv6 network, `address/prefix`. Tasks have no IPv6 address, so a rule that names one matches no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr6 {
    /// The first address.
    pub address: Ipv6Addr,
    /// How many leading bits are fixed.
    pub prefix: u8,
}

impl fmt::Display for Cidr6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Cidr6 {
    type Err = InvalidName;

    fn from_str(given: &str) -> Result<Cidr6, InvalidName> {
        let invalid = || InvalidName { kind: "IPv6 CIDR block", given: given.to_owned() };
        let (address, prefix) = given.split_once('/').ok_or_else(invalid)?;
        let address: Ipv6Addr = address.parse().map_err(|_| invalid())?;
        let prefix: u8 = prefix.parse().ok().filter(|prefix| *prefix <= 128).ok_or_else(invalid)?;
        let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
        Ok(Cidr6 { address: Ipv6Addr::from(u128::from(address) & mask), prefix })
    }
}

impl TryFrom<String> for Cidr6 {
    type Error = InvalidName;

    fn try_from(given: String) -> Result<Cidr6, InvalidName> {
        given.parse()
    }
}

impl From<Cidr6> for String {
    fn from(cidr: Cidr6) -> String {
        cidr.to_string()
    }
}

impl TryFrom<String> for Cidr {
    type Error = InvalidName;

    fn try_from(given: String) -> Result<Cidr, InvalidName> {
        given.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> String {
        cidr.to_string()
    }
}

/// A virtual private cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// Its id.
    pub id: VpcId,
    /// Its addresses.
    pub cidr: Cidr,
    /// Whether it is the account's default.
    pub is_default: bool,
    /// Whether the resolver of its tasks answers (`enableDnsSupport`).
    #[serde(default = "yes")]
    pub dns_support: bool,
    /// Whether interfaces with a public address have a public name (`enableDnsHostnames`).
    #[serde(default = "yes")]
    pub dns_hostnames: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
}

fn yes() -> bool {
    true
}

/// A subnet: a part of a VPC in one availability zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Its id.
    pub id: SubnetId,
    /// Its ARN.
    pub arn: Arn,
    /// The VPC it belongs to.
    pub vpc: VpcId,
    /// Its addresses. The first four and the last one are never given to an interface, as on AWS.
    pub cidr: Cidr,
    /// Its zone, such as `us-east-1a`.
    pub zone: String,
    /// Whether it is the default subnet of its zone.
    pub is_default: bool,
    /// Whether interfaces get a public address by default.
    pub public_on_launch: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A network interface and the addresses it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterface {
    /// Its id.
    pub id: EniId,
    /// The attachment's id, a UUID.
    pub attachment_id: String,
    /// What it says of itself, as ECS and Elastic Load Balancing write it.
    pub description: String,
    /// Whom it serves.
    pub owner: InterfaceOwner,
    /// The subnet it is in.
    pub subnet: SubnetId,
    /// That subnet's VPC.
    pub vpc: VpcId,
    /// That subnet's zone.
    pub zone: String,
    /// Its address in the subnet.
    pub private_ip: Ipv4Addr,
    /// Its public address.
    pub public_ip: Option<Ipv4Addr>,
    /// Its hardware address.
    pub mac: MacAddress,
    /// Its security groups, one to five.
    #[serde(deserialize_with = "crate::word::fitted")]
    pub groups: Vec<SecurityGroupId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where it stands.
    pub status: InterfaceStatus,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// Whom an interface serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum InterfaceOwner {
    /// A task, on a node.
    Task {
        /// The task.
        task: TaskId,
        /// Where it runs.
        node: NodeId,
    },
    /// A load balancer, by its ARN.
    LoadBalancer(Arn),
    /// A NAT gateway.
    NatGateway(NatGatewayId),
}

/// Where an interface stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InterfaceStatus {
    /// Held by its owner.
    InUse,
    /// Given back; its addresses are not given again before this time.
    Quarantined {
        /// When the addresses are free again.
        until: Timestamp,
    },
}

/// An Ethernet address, written as six hexadecimal pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress(pub [u8; 6]);

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for MacAddress {
    type Err = InvalidName;

    fn from_str(given: &str) -> Result<MacAddress, InvalidName> {
        let invalid = || InvalidName { kind: "MAC address", given: given.to_owned() };
        let bytes: Vec<u8> = given
            .split(':')
            .map(|pair| u8::from_str_radix(pair, 16).map_err(|_| invalid()))
            .collect::<Result<_, _>>()?;
        bytes.try_into().map(MacAddress).map_err(|_| invalid())
    }
}

impl TryFrom<String> for MacAddress {
    type Error = InvalidName;

    fn try_from(given: String) -> Result<MacAddress, InvalidName> {
        given.parse()
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> String {
        mac.to_string()
    }
}

#[cfg(test)]
mod tests;

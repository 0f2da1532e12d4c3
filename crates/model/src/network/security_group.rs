//! Security groups, their rules, and managed prefix lists that rules may name.

use super::{Cidr, Cidr6};
use crate::{PrefixListId, SecurityGroupId, SecurityGroupRuleId, VpcId, tag::Tag};
use serde::{Deserialize, Serialize};

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its id.
    pub id: SecurityGroupId,
    /// Its name, unique in its VPC.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The VPC it belongs to.
    pub vpc: VpcId,
    /// What may come in.
    pub ingress: Vec<SecurityGroupRule>,
    /// What may go out.
    pub egress: Vec<SecurityGroupRule>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl SecurityGroup {
    /// Returns the name that every VPC's first group has.
    pub const DEFAULT: &'static str = "default";

    /// Returns the rules of both directions.
    pub fn rules(&self) -> impl Iterator<Item = &SecurityGroupRule> {
        self.ingress.iter().chain(&self.egress)
    }
}

/// A rule of a security group: one permission with an id of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroupRule {
    /// Its id.
    #[serde(default = "unnamed")]
    pub id: SecurityGroupRuleId,
    /// What it allows.
    #[serde(flatten)]
    pub permission: Permission,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// The id of rules that were written before rules had ids; control gives them one of their own when it starts.
pub fn unnamed() -> SecurityGroupRuleId {
    "sgr-00000000000000000".parse().expect("17 zeros are an id")
}

/// Traffic that a security group allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// The protocol.
    pub protocol: IpProtocol,
    /// The ports, both ends included; all when absent. For ICMP: type and code, 65535 standing for any.
    pub ports: Option<(u16, u16)>,
    /// The other side.
    pub peer: Peer,
}

/// The protocol of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IpProtocol {
    /// Every protocol.
    All,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP.
    Icmp,
    /// Another one, by its number.
    Number(u8),
}

/// Who is on the other side of allowed traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    /// Addresses.
    Cidr(Cidr),
    /// IPv6 addresses.
    Cidr6(Cidr6),
    /// The members of a security group.
    Group(SecurityGroupId),
    /// The addresses of a prefix list.
    PrefixList(PrefixListId),
}

/// A managed prefix list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixList {
    /// Its id.
    pub id: PrefixListId,
    /// Its name.
    pub name: String,
    /// How many entries it may have.
    pub entries_max: u32,
    /// Counts changes of its entries from 1.
    pub version: u64,
    /// Its networks, ordered.
    pub entries: Vec<PrefixEntry>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A network of a prefix list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixEntry {
    /// The network.
    pub cidr: Cidr,
    /// What it is.
    pub description: Option<String>,
}

//! What decides a subnet's way out: route tables, internet and NAT gateways, Elastic IP addresses.

use super::Cidr;
use crate::{
    AllocationId, EniId, InternetGatewayId, NatGatewayId, RouteTableAssociationId, RouteTableId, SubnetId,
    Timestamp, VpcId, tag::Tag,
};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// An internet gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternetGateway {
    /// Its id.
    pub id: InternetGatewayId,
    /// The VPC it is attached to.
    pub vpc: Option<VpcId>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A route table of a VPC. The route to the VPC itself is part of every table and not kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTable {
    /// Its id.
    pub id: RouteTableId,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its association as the VPC's main table, which serves every subnet without one of its own.
    pub main: Option<RouteTableAssociationId>,
    /// The subnets it serves.
    pub subnets: Vec<SubnetAssociation>,
    /// Where packets go.
    pub routes: Vec<Route>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A subnet that a route table serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetAssociation {
    /// The association's id.
    pub id: RouteTableAssociationId,
    /// The subnet.
    pub subnet: SubnetId,
}

/// Where packets to a network go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The network.
    pub destination: Cidr,
    /// The way.
    pub target: RouteTarget,
}

/// The way that a route names. It stays when what it names is gone, and is a black hole then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RouteTarget {
    /// An internet gateway.
    InternetGateway(InternetGatewayId),
    /// A NAT gateway.
    NatGateway(NatGatewayId),
}

/// A NAT gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatGateway {
    /// Its id.
    pub id: NatGatewayId,
    /// Its subnet.
    pub subnet: SubnetId,
    /// That subnet's VPC.
    pub vpc: VpcId,
    /// Its interface.
    pub interface: EniId,
    /// Its Elastic IP address; a private one has none and leads nowhere but the VPC.
    pub allocation: Option<AllocationId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// An Elastic IP address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElasticIp {
    /// Its id.
    pub id: AllocationId,
    /// The address.
    pub public_ip: Ipv4Addr,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Where the packets of a subnet go that are not for its VPC: the routes of its table with what their targets lead to,
/// longest prefix first. What no route covers goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetRoutes {
    /// The subnet.
    pub subnet: SubnetId,
    /// The subnet's VPC.
    pub vpc: VpcId,
    /// The subnet's block.
    pub cidr: Cidr,
    /// Networks and ways.
    pub routes: Vec<(Cidr, Via)>,
}

/// Where a route leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Via {
    /// Out, for interfaces with a public address.
    Internet,
    /// Out, for every interface.
    Nat,
    /// Nowhere: its target is gone or leads no further.
    Nowhere,
}

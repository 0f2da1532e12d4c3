//! Where the packets of each subnet go that are not for its VPC.
//!
//! A route decides only as far as its target leads: an internet gateway must be attached to the VPC, and a NAT gateway
//! must have an Elastic IP address and itself be in a subnet whose routes lead to an internet gateway.

use wharf_model::{
    InternetGatewayId, NatGatewayId,
    network::{Cidr, InternetGateway, NatGateway, Route, RouteTable, RouteTarget, Subnet, SubnetRoutes, Via},
};

/// What routes are judged by.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// The subnets.
    pub subnets: &'a [&'a Subnet],
    /// The route tables.
    pub tables: &'a [&'a RouteTable],
    /// The internet gateways.
    pub gateways: &'a [&'a InternetGateway],
    /// The NAT gateways.
    pub nats: &'a [&'a NatGateway],
}

/// Returns the table that serves a subnet: its own, or the VPC's main one.
pub fn table_of<'a>(subnet: &Subnet, tables: &[&'a RouteTable]) -> Option<&'a RouteTable> {
    let own = |table: &&&RouteTable| table.subnets.iter().any(|served| served.subnet == subnet.id);
    let main = |table: &&&RouteTable| table.vpc == subnet.vpc && table.main.is_some();
    tables.iter().find(own).or_else(|| tables.iter().find(main)).copied()
}

/// Returns the ways out of every subnet, in the subnets' order.
pub fn routes(world: World<'_>) -> Vec<SubnetRoutes> {
    let of = |subnet: &&Subnet| SubnetRoutes {
        subnet: subnet.id.clone(),
        vpc: subnet.vpc.clone(),
        cidr: subnet.cidr,
        routes: world.ways(subnet, |route, table| world.via(route, table)),
    };
    world.subnets.iter().map(of).collect()
}

impl<'a> World<'a> {
    fn nat(&self, id: &NatGatewayId) -> Option<&'a NatGateway> {
        self.nats.iter().find(|nat| nat.id == *id).copied()
    }

    fn attached(&self, id: &InternetGatewayId, table: &RouteTable) -> bool {
        let attached =
            |gateway: &&InternetGateway| gateway.id == *id && gateway.vpc.as_ref() == Some(&table.vpc);
        self.gateways.iter().any(attached)
    }

    /// Returns a subnet's routes, longest prefix first.
    fn ways(&self, subnet: &Subnet, via: impl Fn(&Route, &RouteTable) -> Via) -> Vec<(Cidr, Via)> {
        let Some(table) = table_of(subnet, self.tables) else { return Vec::new() };
        let mut ways: Vec<(Cidr, Via)> =
            table.routes.iter().map(|route| (route.destination, via(route, table))).collect();
        ways.sort_by_key(|(destination, _)| (std::cmp::Reverse(destination.prefix), destination.address));
        ways
    }

    fn via(&self, route: &Route, table: &RouteTable) -> Via {
        match &route.target {
            RouteTarget::InternetGateway(id) if self.attached(id, table) => Via::Internet,
            RouteTarget::NatGateway(id) if self.nat_leads_out(id, route.destination) => Via::Nat,
            RouteTarget::InternetGateway(_) | RouteTarget::NatGateway(_) => Via::Nowhere,
        }
    }

    /// Says whether a NAT gateway's own subnet leads to an internet gateway for all of a destination.
    fn nat_leads_out(&self, id: &NatGatewayId, destination: Cidr) -> bool {
        let Some(nat) = self.nat(id).filter(|nat| nat.allocation.is_some()) else { return false };
        let Some(subnet) = self.subnets.iter().find(|subnet| subnet.id == nat.subnet) else { return false };
        let further = |route: &Route, table: &RouteTable| match &route.target {
            RouteTarget::InternetGateway(id) if self.attached(id, table) => Via::Internet,
            // A NAT gateway behind a NAT gateway leads nowhere.
            RouteTarget::InternetGateway(_) | RouteTarget::NatGateway(_) => Via::Nowhere,
        };
        let ways = self.ways(subnet, further);
        let way = ways.iter().find(|(covered, _)| covered.covers(&destination));
        way.is_some_and(|(_, via)| *via == Via::Internet)
    }
}

#[cfg(test)]
mod tests;

//! What an account and a VPC begin with.

use super::{route_tables, vpcs};
use crate::{Config, ids};
use wharf_model::{
    SecurityGroupId, SubnetId,
    network::{
        Cidr, InternetGateway, IpProtocol, Peer, Permission, Route, RouteTable, RouteTarget, SecurityGroup,
        SecurityGroupRule, Subnet, Vpc, security_group,
    },
};
use wharf_store::Draft;

/// The largest default subnet, as on AWS.
const SUBNET_PREFIX_MIN: u8 = 20;
/// Everything.
pub(super) const ANYWHERE: Cidr = Cidr { address: std::net::Ipv4Addr::UNSPECIFIED, prefix: 0 };

/// Makes the default VPC with three subnets and a way to the internet, unless there is one.
pub(super) fn make(draft: &mut Draft<'_>, config: &Config) {
    if vpcs::default_vpc(draft).is_some() {
        return;
    }
    let vpc = Vpc {
        id: id("vpc"),
        cidr: config.vpc_cidr,
        is_default: true,
        dns_support: true,
        dns_hostnames: true,
        tags: Vec::new(),
    };
    // Three of four quarters of a small block.
    let prefix = (vpc.cidr.prefix + 2).max(SUBNET_PREFIX_MIN);
    for (place, zone) in super::zones(&config.place.region).into_iter().enumerate() {
        let offset = u32::try_from(place).unwrap_or(0) << (32 - prefix);
        let Some(address) = vpc.cidr.nth(offset) else { break };
        let id = id::<SubnetId>("subnet");
        draft.put(Subnet {
            arn: config.place.arn("ec2", format_args!("subnet/{id}")),
            id,
            vpc: vpc.id.clone(),
            cidr: Cidr { address, prefix },
            zone,
            is_default: true,
            public_on_launch: true,
            tags: Vec::new(),
        });
    }
    furnish(draft, &vpc);
    connect(draft, &vpc);
    draft.put(vpc);
}

/// Brings what an older version wrote up to this one: rules get ids, and VPCs a main route table.
pub(super) fn complete(draft: &mut Draft<'_>) {
    for group in draft.list::<SecurityGroup>("") {
        if group.rules().any(|rule| rule.id == security_group::unnamed()) {
            let mut group = (*group).clone();
            let rules = group.ingress.iter_mut().chain(&mut group.egress);
            rules.filter(|rule| rule.id == security_group::unnamed()).for_each(|rule| rule.id = id("sgr"));
            draft.put(group);
        }
    }
    for vpc in draft.list::<Vpc>("") {
        if vpcs::main_table(draft, &vpc.id).is_none() {
            draft.put(route_tables::new(&vpc.id, true));
            if vpc.is_default {
                connect(draft, &vpc);
            }
        }
    }
}

/// Makes what every VPC has: a default security group and a main route table.
pub(super) fn furnish(draft: &mut Draft<'_>, vpc: &Vpc) {
    let group: SecurityGroupId = id("sg");
    draft.put(SecurityGroup {
        ingress: vec![everything(Peer::Group(group.clone()))],
        egress: vec![everything(Peer::Cidr(ANYWHERE))],
        id: group,
        name: SecurityGroup::DEFAULT.to_owned(),
        description: "default VPC security group".to_owned(),
        vpc: vpc.id.clone(),
        tags: Vec::new(),
    });
    draft.put(route_tables::new(&vpc.id, true));
}

/// Attaches an internet gateway and leads the main table's default route there.
fn connect(draft: &mut Draft<'_>, vpc: &Vpc) {
    let gateway = InternetGateway { id: id("igw"), vpc: Some(vpc.id.clone()), tags: Vec::new() };
    if let Some(table) = vpcs::main_table(draft, &vpc.id) {
        let target = RouteTarget::InternetGateway(gateway.id.clone());
        let routes = vec![Route { destination: ANYWHERE, target }];
        draft.put(RouteTable { routes, ..(*table).clone() });
    }
    draft.put(gateway);
}

/// Returns a new rule that allows everything with a peer.
pub(super) fn everything(peer: Peer) -> SecurityGroupRule {
    let permission = Permission { protocol: IpProtocol::All, ports: None, peer };
    SecurityGroupRule { id: id("sgr"), permission, description: None, tags: Vec::new() }
}

/// Draws an id with a prefix.
pub(super) fn id<T: std::str::FromStr>(prefix: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("{prefix}-{}", ids::hex(17)).parse().expect("a prefix and 17 hexadecimal digits are an id")
}

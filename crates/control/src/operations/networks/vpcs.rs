//! VPCs.

use super::{Error, Kind, defaults, flow_logs, route_tables, tags};
use crate::{Control, look::Look};
use std::{net::Ipv4Addr, sync::Arc};
use wharf_model::{
    VpcId,
    load_balancer::LoadBalancer,
    network::{Cidr, FlowLogResource, InternetGateway, RouteTable, SecurityGroup, Subnet, Vpc},
    tag::Tag,
};
use wharf_store::{Draft, View};

/// The sizes of a VPC's block and of a subnet's, as on AWS.
pub(super) const PREFIXES: std::ops::RangeInclusive<u8> = 16..=28;

/// Blocks that no VPC can have a part of: this host, links, multicast and beyond.
const RESERVED: [(Ipv4Addr, u8); 4] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// What of a VPC can be changed.
#[derive(Debug, Clone, Copy)]
pub enum VpcChange {
    /// Whether its resolver answers.
    DnsSupport(bool),
    /// Whether public addresses have names.
    DnsHostnames(bool),
}

/// Makes a VPC, with its default security group and its main route table.
pub async fn create(control: &Control, cidr: Cidr, tags: Vec<Tag>) -> Result<Arc<Vpc>, Error> {
    tags::check(&tags)?;
    let reserved = RESERVED.map(|(address, prefix)| Cidr { address, prefix });
    let taken = reserved.iter().chain([&control.config().public_cidr]).any(|block| block.overlaps(&cidr));
    if !PREFIXES.contains(&cidr.prefix) || taken {
        return Err(Error::VpcRange(cidr));
    }
    let made = control.store().change(|draft| {
        let vpc = Vpc {
            id: defaults::id("vpc"),
            cidr,
            is_default: false,
            dns_support: true,
            dns_hostnames: false,
            tags: tags.clone(),
        };
        defaults::furnish(draft, &vpc);
        draft.put(vpc.clone());
        Arc::new(vpc)
    });
    Ok(made.await?)
}

/// Makes the default VPC again after it was deleted.
pub async fn create_default(control: &Control) -> Result<Arc<Vpc>, Error> {
    let made = control.store().update(|draft| {
        if default_vpc(draft).is_some() {
            return Err(Error::DefaultVpcExists);
        }
        defaults::make(draft, control.config());
        default_vpc(draft).ok_or(Error::DefaultVpcExists)
    });
    Ok(made.await?)
}

/// Changes a VPC.
pub async fn modify(control: &Control, id: &VpcId, change: VpcChange) -> Result<(), Error> {
    let changed = control.store().update(|draft| {
        let mut vpc = (*find(draft, id)?).clone();
        match change {
            VpcChange::DnsSupport(on) => vpc.dns_support = on,
            VpcChange::DnsHostnames(on) => vpc.dns_hostnames = on,
        }
        draft.put(vpc);
        Ok::<(), Error>(())
    });
    Ok(changed.await?)
}

/// Deletes a VPC that nothing is in any more but what came with it.
pub async fn delete(control: &Control, id: &VpcId) -> Result<(), Error> {
    let deleted = control.store().update(|draft| {
        find(draft, id)?;
        let groups: Vec<_> =
            draft.list::<SecurityGroup>("").into_iter().filter(|group| group.vpc == *id).collect();
        let tables: Vec<_> =
            draft.list::<RouteTable>("").into_iter().filter(|table| table.vpc == *id).collect();
        let busy = draft.list::<Subnet>("").iter().any(|subnet| subnet.vpc == *id)
            || groups.iter().any(|group| group.name != SecurityGroup::DEFAULT)
            || tables.iter().any(|table| table.main.is_none())
            || draft.list::<InternetGateway>("").iter().any(|gateway| gateway.vpc.as_ref() == Some(id))
            || draft.list::<LoadBalancer>("").iter().any(|balancer| balancer.vpc == *id);
        let referenced = draft.list::<SecurityGroup>("").iter().any(|other| {
            other.vpc != *id && groups.iter().any(|group| super::security_groups::names(other, &group.id))
        });
        if busy || referenced {
            return Err(Error::InUse(format!("The vpc '{id}' has dependencies and cannot be deleted.")));
        }
        groups.iter().for_each(|group| draft.delete::<SecurityGroup>(group.id.as_str()));
        tables.iter().for_each(|table| draft.delete::<RouteTable>(table.id.as_str()));
        flow_logs::forget(draft, &FlowLogResource::Vpc(id.clone()));
        draft.delete::<Vpc>(id.as_str());
        Ok(())
    });
    Ok(deleted.await?)
}

/// Returns the id of the default VPC.
pub fn default_id(view: &View<'_>) -> Option<VpcId> {
    default_vpc(view).map(|vpc| vpc.id.clone())
}

/// Returns the default VPC.
pub(crate) fn default_vpc(look: &impl Look) -> Option<Arc<Vpc>> {
    look.list::<Vpc>("").into_iter().find(|vpc| vpc.is_default)
}

pub(super) fn find(draft: &Draft<'_>, id: &VpcId) -> Result<Arc<Vpc>, Error> {
    draft.get::<Vpc>(id.as_str()).ok_or_else(|| Error::missing(Kind::Vpc, id))
}

/// Returns the main route table of a VPC.
pub(super) fn main_table(look: &impl Look, id: &VpcId) -> Option<Arc<RouteTable>> {
    route_tables::of_vpc(look, id).into_iter().find(|table| table.main.is_some())
}

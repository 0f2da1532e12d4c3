//! Network interfaces and the addresses they hold.
//!
//! Addresses are given in turn, so an address comes back as late as possible; one that was given back rests
//! for [`QUARANTINE`] before it can be given again. The record of a task's interface stays as long as the task's own,
//! so that a stopped task still shows which address it had.

use crate::{Config, ids, look::Look, operations::networks::flow_logs};
use std::{net::Ipv4Addr, sync::Arc, time::Duration};
use thiserror::Error;
use wharf_model::{
    EniId, SecurityGroupId, SubnetId, Timestamp, VpcId,
    cluster::Cluster,
    network::{Cidr, FlowLogResource, InterfaceOwner, InterfaceStatus, MacAddress, NetworkInterface, Subnet},
    task::Task,
};
use wharf_store::{AddressLease, AddressPool, Draft, OVER, View};

/// How long an address rests after its interface was given back.
pub const QUARANTINE: Duration = Duration::from_secs(30);

/// Why there is no interface.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// A subnet does not exist.
    #[error("the subnet ID '{0}' does not exist")]
    SubnetNotFound(SubnetId),
    /// A subnet's addresses are in use elsewhere.
    #[error("the addresses of {subnet} ({cidr}) overlap those of {other}, which are in use in {vpc}")]
    SubnetOverlaps { subnet: SubnetId, cidr: Cidr, other: SubnetId, vpc: VpcId },
    /// None of the subnets has an address left.
    #[error("no free address in {}", .0.iter().map(SubnetId::as_str).collect::<Vec<_>>().join(", "))]
    SubnetsExhausted(Vec<SubnetId>),
    /// No public address is left.
    #[error("no free public address in {0}")]
    PublicExhausted(Cidr),
}

/// What an interface is made from.
#[derive(Debug, Clone)]
pub struct NewInterface<'a> {
    /// The subnets to choose from: the one with the fewest addresses in use is taken.
    pub subnets: &'a [SubnetId],
    /// Its security groups; they must exist.
    pub groups: Vec<SecurityGroupId>,
    /// Whether it gets a public address.
    pub public: bool,
    /// Whom it serves; its description is written from that.
    pub owner: InterfaceOwner,
    /// The time.
    pub now: Timestamp,
}

/// Makes an interface, with an address of one of its subnets, and writes it.
pub fn allocate(
    draft: &mut Draft<'_>,
    new: NewInterface<'_>,
    config: &Config,
) -> Result<NetworkInterface, Error> {
    let id = ids::interface();
    let mut choices = Vec::with_capacity(new.subnets.len());
    for subnet in new.subnets {
        let found =
            draft.get::<Subnet>(subnet.as_str()).ok_or_else(|| Error::SubnetNotFound(subnet.clone()))?;
        check_overlap(draft, &found)?;
        choices.push((pool(draft, &found.cidr, FIRST_IN_SUBNET).held, found));
    }
    // The sort is stable: among equally full subnets the caller's order decides.
    choices.sort_by_key(|(held, _)| *held);
    let (subnet, private_ip) = choices
        .into_iter()
        .find_map(|(_, subnet)| {
            let address = take(draft, &subnet.cidr, FIRST_IN_SUBNET, &id)?;
            Some((subnet, address))
        })
        .ok_or_else(|| Error::SubnetsExhausted(new.subnets.to_vec()))?;
    let public_ip = if new.public { Some(take_public(draft, config, &id)?) } else { None };
    let attachment_id = ids::uuid();
    let description = match &new.owner {
        InterfaceOwner::Task { .. } => {
            config.place.arn("ecs", format_args!("attachment/{attachment_id}")).to_string()
        }
        InterfaceOwner::LoadBalancer(arn) => {
            format!("ELB {}", arn.resource.trim_start_matches("loadbalancer/"))
        }
        InterfaceOwner::NatGateway(id) => format!("Interface for NAT Gateway {id}"),
    };
    let interface = NetworkInterface {
        mac: mac(private_ip),
        id,
        attachment_id,
        description,
        owner: new.owner,
        subnet: subnet.id.clone(),
        vpc: subnet.vpc.clone(),
        zone: subnet.zone.clone(),
        private_ip,
        public_ip,
        groups: new.groups,
        created_at: new.now,
        status: InterfaceStatus::InUse,
        tags: Vec::new(),
    };
    draft.put(interface.clone());
    Ok(interface)
}

/// Takes a public address for whom this id names.
pub(super) fn take_public(draft: &mut Draft<'_>, config: &Config, id: &EniId) -> Result<Ipv4Addr, Error> {
    take(draft, &config.public_cidr, 1, id).ok_or(Error::PublicExhausted(config.public_cidr))
}

/// Gives an interface back. Safe to repeat.
pub fn release(draft: &mut Draft<'_>, id: &EniId, now: Timestamp) {
    let Some(interface) = draft.get::<NetworkInterface>(id.as_str()) else { return };
    if interface.status == InterfaceStatus::InUse {
        let status = InterfaceStatus::Quarantined { until: now + QUARANTINE };
        draft.put(NetworkInterface { status, ..(*interface).clone() });
        flow_logs::forget(draft, &FlowLogResource::Interface(id.clone()));
    }
}

/// Returns the interfaces whose addresses, or whose records, may go.
pub fn due(view: &View<'_>, now: Timestamp) -> Vec<EniId> {
    let rested: Vec<_> =
        view.find::<NetworkInterface>(OVER, "").into_iter().filter(|one| rested(one, now)).collect();
    let clusters = view.list::<Cluster>("");
    rested
        .into_iter()
        .filter(|interface| {
            let lease = view.get::<AddressLease>(&interface.private_ip.to_string());
            lease.is_some_and(|lease| lease.interface == interface.id)
                || !is_shown(view, &clusters, interface)
        })
        .map(|interface| interface.id.clone())
        .collect()
}

/// Frees the addresses of these interfaces if they have rested, and forgets those that no task shows.
pub fn reap(draft: &mut Draft<'_>, due: &[EniId], now: Timestamp) {
    let clusters = draft.list::<Cluster>("");
    for id in due {
        let Some(interface) = draft.get::<NetworkInterface>(id.as_str()) else { continue };
        if !rested(&interface, now) {
            continue;
        }
        give_back(draft, interface.private_ip, id);
        if let Some(public) = interface.public_ip {
            give_back(draft, public, id);
        }
        if !is_shown(draft, &clusters, &interface) {
            draft.delete::<NetworkInterface>(id.as_str());
        }
    }
}

/// Returns whether an interface's task is still there to show it.
fn is_shown(look: &impl Look, clusters: &[Arc<Cluster>], interface: &NetworkInterface) -> bool {
    match &interface.owner {
        InterfaceOwner::Task { task, .. } => {
            clusters.iter().any(|cluster| look.get::<Task>(&format!("{}/{task}", cluster.name)).is_some())
        }
        InterfaceOwner::LoadBalancer(_) | InterfaceOwner::NatGateway(_) => false,
    }
}

/// Returns how many addresses of a subnet are free.
pub fn available(view: &View<'_>, subnet: &Subnet) -> u32 {
    let held = view.get::<AddressPool>(&subnet.cidr.to_string()).map_or(0, |pool| pool.held);
    span(&subnet.cidr, FIRST_IN_SUBNET).saturating_sub(held)
}

/// The first address that a subnet gives: network, router, resolver and one in reserve come before it.
const FIRST_IN_SUBNET: u32 = 4;

fn rested(interface: &NetworkInterface, now: Timestamp) -> bool {
    matches!(interface.status, InterfaceStatus::Quarantined { until } if until <= now)
}

/// Returns how many addresses a block gives when it starts at `first` and keeps its last one.
fn span(cidr: &Cidr, first: u32) -> u32 {
    u32::try_from(cidr.size()).unwrap_or(u32::MAX).saturating_sub(first + 1)
}

/// Refuses a subnet while another one with the same addresses has some in use: this machine has each address once.
fn check_overlap(draft: &Draft<'_>, subnet: &Subnet) -> Result<(), Error> {
    let overlaps = |other: &Arc<Subnet>| other.id != subnet.id && other.cidr.overlaps(&subnet.cidr);
    let others: Vec<_> = draft.list::<Subnet>("").into_iter().filter(overlaps).collect();
    if others.is_empty() {
        return Ok(());
    }
    let held = |interface: &Arc<NetworkInterface>| {
        let lease = draft.get::<AddressLease>(&interface.private_ip.to_string());
        others.iter().any(|other| other.id == interface.subnet)
            && lease.is_some_and(|lease| lease.interface == interface.id)
    };
    match draft.list::<NetworkInterface>("").iter().find(|interface| held(interface)) {
        Some(held) => Err(Error::SubnetOverlaps {
            subnet: subnet.id.clone(),
            cidr: subnet.cidr,
            other: held.subnet.clone(),
            vpc: held.vpc.clone(),
        }),
        None => Ok(()),
    }
}

/// Returns what is known of a block. Blocks and not subnets are counted: the machine has each address once, whatever
/// subnet it is called by.
fn pool(draft: &Draft<'_>, block: &Cidr, first: u32) -> AddressPool {
    let name = block.to_string();
    match draft.get::<AddressPool>(&name) {
        Some(pool) => (*pool).clone(),
        None => AddressPool { name, cursor: first, held: 0 },
    }
}

fn take(draft: &mut Draft<'_>, block: &Cidr, first: u32, id: &EniId) -> Option<Ipv4Addr> {
    let mut pool = pool(draft, block, first);
    let span = span(block, first);
    if pool.held >= span {
        return None;
    }
    let start = pool.cursor.saturating_sub(first);
    let (offset, address) = (0..span).find_map(|step| {
        let offset = first + (start + step) % span;
        let address = block.nth(offset)?;
        draft.get::<AddressLease>(&address.to_string()).is_none().then_some((offset, address))
    })?;
    pool.cursor = offset + 1;
    pool.held += 1;
    draft.put(AddressLease { pool: pool.name.clone(), address, interface: id.clone() });
    draft.put(pool);
    Some(address)
}

/// Frees an address that this id has.
pub(super) fn give_back(draft: &mut Draft<'_>, address: Ipv4Addr, id: &EniId) {
    let key = address.to_string();
    // The address may have been given to another interface since.
    let Some(lease) = draft.get::<AddressLease>(&key).filter(|lease| lease.interface == *id) else { return };
    draft.delete::<AddressLease>(&key);
    if let Some(pool) = draft.get::<AddressPool>(&lease.pool) {
        draft.put(AddressPool { held: pool.held.saturating_sub(1), ..(*pool).clone() });
    }
}

/// Returns a locally administered address, unique because the interface's address is.
fn mac(private_ip: Ipv4Addr) -> MacAddress {
    let [a, b, c, d] = private_ip.octets();
    let spread = u8::from_str_radix(&ids::hex(2), 16).unwrap_or(0);
    MacAddress([0x0a, spread, a, b, c, d])
}

#[cfg(test)]
mod tests;

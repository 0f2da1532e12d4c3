//! NAT gateways. Their packets leave with the host's own address: what is NAT here is the host's masquerade.

use super::{Error, Kind, Once, addresses, defaults, subnets, tags};
use crate::{
    Control,
    operations::interfaces::{self, NewInterface},
};
use std::sync::Arc;
use wharf_model::{
    AllocationId, NatGatewayId, SubnetId,
    network::{InterfaceOwner, NatGateway, NetworkInterface},
    tag::Tag,
};
use wharf_store::Draft;

/// What a NAT gateway is made from.
#[derive(Debug, Clone)]
pub struct NewNatGateway {
    /// Its subnet.
    pub subnet: SubnetId,
    /// Its Elastic IP address; none for a private one.
    pub allocation: Option<AllocationId>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Makes a NAT gateway.
pub async fn create(control: &Control, new: NewNatGateway, once: Once) -> Result<Arc<NatGateway>, Error> {
    tags::check(&new.tags)?;
    let now = control.now();
    let made = control.store().update(|draft| {
        if let Some(id) = once.made_before(draft)? {
            let id = id.parse().map_err(|_| Error::missing(Kind::NatGateway, &id))?;
            return find(draft, &id);
        }
        let subnet = subnets::find(draft, &new.subnet)?;
        let address = match &new.allocation {
            Some(id) => Some(addresses::free(draft, id)?),
            None => None,
        };
        let id: NatGatewayId = defaults::id("nat");
        let interface = NewInterface {
            subnets: std::slice::from_ref(&new.subnet),
            groups: Vec::new(),
            public: false,
            owner: InterfaceOwner::NatGateway(id.clone()),
            now,
        };
        let interface = interfaces::allocate(draft, interface, control.config())?;
        let public_ip = address.map(|address| address.public_ip);
        draft.put(NetworkInterface { public_ip, ..interface.clone() });
        let gateway = NatGateway {
            id,
            subnet: subnet.id.clone(),
            vpc: subnet.vpc.clone(),
            interface: interface.id,
            allocation: new.allocation.clone(),
            created_at: now,
            tags: new.tags.clone(),
        };
        once.remember(draft, &gateway.id);
        draft.put(gateway.clone());
        Ok(Arc::new(gateway))
    });
    Ok(made.await?)
}

/// Deletes a NAT gateway: its Elastic IP address is free again, and routes that name it lead nowhere.
pub async fn delete(control: &Control, id: &NatGatewayId) -> Result<(), Error> {
    let now = control.now();
    let deleted = control.store().update(|draft| {
        let gateway = find(draft, id)?;
        if let Some(interface) = draft.get::<NetworkInterface>(gateway.interface.as_str()) {
            // The public address is the Elastic IP's and stays with it.
            draft.put(NetworkInterface { public_ip: None, ..(*interface).clone() });
        }
        interfaces::release(draft, &gateway.interface, now);
        draft.delete::<NatGateway>(id.as_str());
        Ok::<(), Error>(())
    });
    Ok(deleted.await?)
}

pub(super) fn find(draft: &Draft<'_>, id: &NatGatewayId) -> Result<Arc<NatGateway>, Error> {
    draft.get::<NatGateway>(id.as_str()).ok_or_else(|| Error::missing(Kind::NatGateway, id))
}

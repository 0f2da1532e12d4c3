//! Elastic IP addresses.

use super::{Error, Kind, defaults, tags};
use crate::{Control, look::Look, operations::interfaces};
use std::sync::Arc;
use wharf_model::{
    AllocationId, EniId,
    network::{ElasticIp, NatGateway},
    tag::Tag,
};
use wharf_store::{Draft, View};

/// Takes an address of the public pool.
pub async fn allocate(control: &Control, tags: Vec<Tag>) -> Result<Arc<ElasticIp>, Error> {
    tags::check(&tags)?;
    let made = control.store().update(|draft| {
        let id: AllocationId = defaults::id("eipalloc");
        let public_ip = interfaces::take_public(draft, control.config(), &holder(&id))?;
        let address = ElasticIp { id, public_ip, tags: tags.clone() };
        draft.put(address.clone());
        Ok::<_, Error>(Arc::new(address))
    });
    Ok(made.await?)
}

/// Gives an address back.
pub async fn release(control: &Control, id: &AllocationId) -> Result<(), Error> {
    let released = control.store().update(|draft| {
        let address = free(draft, id)?;
        let_go(draft, &address);
        Ok::<(), Error>(())
    });
    Ok(released.await?)
}

/// Frees an address and forgets it.
pub(crate) fn let_go(draft: &mut Draft<'_>, address: &ElasticIp) {
    interfaces::give_back(draft, address.public_ip, &holder(&address.id));
    draft.delete::<ElasticIp>(address.id.as_str());
}

/// Returns the NAT gateway that has an address.
pub fn user(view: &View<'_>, id: &AllocationId) -> Option<Arc<NatGateway>> {
    user_in(view, id)
}

fn user_in(look: &impl Look, id: &AllocationId) -> Option<Arc<NatGateway>> {
    look.list::<NatGateway>("").into_iter().find(|gateway| gateway.allocation.as_ref() == Some(id))
}

/// Returns an address that nothing has.
pub(super) fn free(draft: &Draft<'_>, id: &AllocationId) -> Result<Arc<ElasticIp>, Error> {
    let found = draft.get::<ElasticIp>(id.as_str());
    let found = found.ok_or_else(|| Error::missing(Kind::Allocation, id))?;
    if user_in(draft, id).is_some() { Err(Error::AddressInUse(id.clone())) } else { Ok(found) }
}

/// Returns the id that the address is leased to: no interface has it, because ids are drawn at random.
fn holder(id: &AllocationId) -> EniId {
    let text = id.as_str().replacen("eipalloc-", "eni-", 1);
    text.parse().expect("the digits of one id are those of another kind, too")
}

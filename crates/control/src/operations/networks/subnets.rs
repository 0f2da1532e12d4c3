//! Subnets.

use super::{Error, Kind, defaults, flow_logs, route_tables, tags, vpcs};
use crate::Control;
use std::sync::Arc;
use wharf_model::{
    SubnetId, VpcId,
    network::{Cidr, FlowLogResource, InterfaceStatus, NetworkInterface, RouteTable, Subnet},
    tag::Tag,
};
use wharf_store::Draft;

/// What a subnet is made from.
#[derive(Debug, Clone)]
pub struct NewSubnet {
    /// The VPC.
    pub vpc: VpcId,
    /// The block.
    pub cidr: Cidr,
    /// The zone; one with the fewest subnets of the VPC when absent.
    pub zone: Option<String>,
    /// The tags.
    pub tags: Vec<Tag>,
}

/// Makes a subnet.
pub async fn create(control: &Control, new: NewSubnet) -> Result<Arc<Subnet>, Error> {
    tags::check(&new.tags)?;
    let place = &control.config().place;
    let zones = super::zones(&place.region);
    if let Some(unknown) = new.zone.as_ref().filter(|zone| !zones.contains(zone)) {
        let known = zones.join(", ");
        return Err(Error::invalid(format!(
            "Value ({unknown}) for parameter availabilityZone is invalid. Subnets can currently only be created in the \
             following availability zones: {known}."
        )));
    }
    let made = control.store().update(|draft| {
        let vpc = vpcs::find(draft, &new.vpc)?;
        if !vpcs::PREFIXES.contains(&new.cidr.prefix) || !vpc.cidr.covers(&new.cidr) {
            return Err(Error::SubnetRange(new.cidr));
        }
        let others: Vec<_> =
            draft.list::<Subnet>("").into_iter().filter(|subnet| subnet.vpc == vpc.id).collect();
        if others.iter().any(|other| other.cidr.overlaps(&new.cidr)) {
            return Err(Error::SubnetConflict(new.cidr));
        }
        let crowd = |zone: &&String| others.iter().filter(|other| other.zone == **zone).count();
        let zone = new.zone.clone().or_else(|| zones.iter().min_by_key(crowd).cloned());
        let id = defaults::id::<SubnetId>("subnet");
        let subnet = Subnet {
            arn: place.arn("ec2", format_args!("subnet/{id}")),
            id,
            vpc: vpc.id.clone(),
            cidr: new.cidr,
            zone: zone.unwrap_or_default(),
            is_default: false,
            public_on_launch: false,
            tags: new.tags.clone(),
        };
        draft.put(subnet.clone());
        Ok(Arc::new(subnet))
    });
    Ok(made.await?)
}

/// Sets whether instances in a subnet get a public address where nothing else is said.
pub async fn set_public_on_launch(control: &Control, id: &SubnetId, public: bool) -> Result<(), Error> {
    let changed = control.store().update(|draft| {
        let subnet = find(draft, id)?;
        draft.put(Subnet { public_on_launch: public, ..(*subnet).clone() });
        Ok::<(), Error>(())
    });
    Ok(changed.await?)
}

/// Deletes a subnet that nothing is in any more.
pub async fn delete(control: &Control, id: &SubnetId) -> Result<(), Error> {
    let deleted = control.store().update(|draft| {
        let subnet = find(draft, id)?;
        let lives = |interface: &Arc<NetworkInterface>| {
            interface.subnet == *id && interface.status == InterfaceStatus::InUse
        };
        if draft.list::<NetworkInterface>("").iter().any(lives) {
            return Err(Error::InUse(format!("The subnet '{id}' has dependencies and cannot be deleted.")));
        }
        for table in route_tables::of_vpc(draft, &subnet.vpc) {
            if table.subnets.iter().any(|served| served.subnet == *id) {
                let mut table: RouteTable = (*table).clone();
                table.subnets.retain(|served| served.subnet != *id);
                draft.put(table);
            }
        }
        flow_logs::forget(draft, &FlowLogResource::Subnet(id.clone()));
        draft.delete::<Subnet>(id.as_str());
        Ok(())
    });
    Ok(deleted.await?)
}

pub(super) fn find(draft: &Draft<'_>, id: &SubnetId) -> Result<Arc<Subnet>, Error> {
    draft.get::<Subnet>(id.as_str()).ok_or_else(|| Error::missing(Kind::Subnet, id))
}

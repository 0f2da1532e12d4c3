//! Internet gateways.

use super::{Error, Kind, defaults, tags, vpcs};
use crate::Control;
use std::sync::Arc;
use wharf_model::{
    InternetGatewayId, VpcId,
    network::{InterfaceStatus, InternetGateway, NetworkInterface},
    tag::Tag,
};
use wharf_store::Draft;

/// Makes a gateway that is attached to nothing.
pub async fn create(control: &Control, tags: Vec<Tag>) -> Result<Arc<InternetGateway>, Error> {
    tags::check(&tags)?;
    let made = control.store().change(|draft| {
        let gateway = InternetGateway { id: defaults::id("igw"), vpc: None, tags: tags.clone() };
        draft.put(gateway.clone());
        Arc::new(gateway)
    });
    Ok(made.await?)
}

/// Attaches a gateway to a VPC that has none.
pub async fn attach(control: &Control, id: &InternetGatewayId, vpc: &VpcId) -> Result<(), Error> {
    let attached = control.store().update(|draft| {
        let gateway = find(draft, id)?;
        vpcs::find(draft, vpc)?;
        if let Some(other) = &gateway.vpc {
            return Err(Error::AlreadyAssociated(format!(
                "resource {id} is already attached to network {other}"
            )));
        }
        let taken = |other: &Arc<InternetGateway>| other.vpc.as_ref() == Some(vpc);
        if draft.list::<InternetGateway>("").iter().any(taken) {
            return Err(Error::invalid(format!("Network {vpc} already has an internet gateway attached")));
        }
        draft.put(InternetGateway { vpc: Some(vpc.clone()), ..(*gateway).clone() });
        Ok(())
    });
    Ok(attached.await?)
}

/// Detaches a gateway from a VPC in which nothing has a public address any more.
pub async fn detach(control: &Control, id: &InternetGatewayId, vpc: &VpcId) -> Result<(), Error> {
    let detached = control.store().update(|draft| {
        let gateway = find(draft, id)?;
        if gateway.vpc.as_ref() != Some(vpc) {
            return Err(Error::NotAttached { gateway: id.clone(), vpc: vpc.clone() });
        }
        let public = |interface: &Arc<NetworkInterface>| {
            interface.vpc == *vpc
                && interface.public_ip.is_some()
                && interface.status == InterfaceStatus::InUse
        };
        if draft.list::<NetworkInterface>("").iter().any(public) {
            return Err(Error::InUse(format!(
                "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before \
                 detaching the gateway."
            )));
        }
        draft.put(InternetGateway { vpc: None, ..(*gateway).clone() });
        Ok(())
    });
    Ok(detached.await?)
}

/// Deletes a gateway that is attached to nothing.
pub async fn delete(control: &Control, id: &InternetGatewayId) -> Result<(), Error> {
    let deleted = control.store().update(|draft| {
        if find(draft, id)?.vpc.is_some() {
            return Err(Error::InUse(format!(
                "The internetGateway '{id}' has dependencies and cannot be deleted."
            )));
        }
        draft.delete::<InternetGateway>(id.as_str());
        Ok(())
    });
    Ok(deleted.await?)
}

pub(super) fn find(draft: &Draft<'_>, id: &InternetGatewayId) -> Result<Arc<InternetGateway>, Error> {
    draft.get::<InternetGateway>(id.as_str()).ok_or_else(|| Error::missing(Kind::InternetGateway, id))
}

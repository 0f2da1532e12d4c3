//! Route tables, their routes, and which subnets they serve.

use super::{Error, Kind, Once, defaults, gateways, nat_gateways, subnets, tags, vpcs};
use crate::{Control, look::Look};
use std::sync::Arc;
use wharf_model::{
    RouteTableAssociationId, RouteTableId, SubnetId, VpcId,
    network::{Cidr, InternetGateway, NatGateway, Route, RouteTable, RouteTarget, SubnetAssociation},
    tag::Tag,
};
use wharf_store::{Draft, View};

/// How many routes a table may have: AWS's default quota.
const ROUTES_MAX: usize = 500;

/// What to do with a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// There must be none for its destination.
    New,
    /// There must be one.
    Existing,
}

/// Makes a table without routes.
pub async fn create(
    control: &Control,
    vpc: &VpcId,
    tags: Vec<Tag>,
    once: Once,
) -> Result<Arc<RouteTable>, Error> {
    tags::check(&tags)?;
    let made = control.store().update(|draft| {
        if let Some(id) = once.made_before(draft)? {
            return find(draft, &id);
        }
        vpcs::find(draft, vpc)?;
        let table = RouteTable { tags: tags.clone(), ..new(vpc, false) };
        once.remember(draft, &table.id);
        draft.put(table.clone());
        Ok(Arc::new(table))
    });
    Ok(made.await?)
}

/// Deletes a table that serves nothing.
pub async fn delete(control: &Control, id: &RouteTableId) -> Result<(), Error> {
    let deleted = control.store().update(|draft| {
        let table = find(draft, id.as_str())?;
        if table.main.is_some() || !table.subnets.is_empty() {
            return Err(Error::InUse(format!(
                "The routeTable '{id}' has dependencies and cannot be deleted."
            )));
        }
        draft.delete::<RouteTable>(id.as_str());
        Ok(())
    });
    Ok(deleted.await?)
}

/// Writes a route.
pub async fn put_route(
    control: &Control,
    id: &RouteTableId,
    route: Route,
    place: Place,
) -> Result<(), Error> {
    let put = control.store().update(|draft| {
        let mut table = (*find(draft, id.as_str())?).clone();
        check_route(draft, &table, &route)?;
        let room = table.routes.len() < ROUTES_MAX;
        let known = table.routes.iter_mut().find(|known| known.destination == route.destination);
        match (known, place) {
            (Some(known), Place::Existing) => known.target = route.target.clone(),
            (Some(known), Place::New) if *known == route => {}
            (Some(_), Place::New) => return Err(Error::RouteExists(route.destination)),
            (None, Place::New) if room => table.routes.push(route.clone()),
            (None, Place::New) => {
                return Err(Error::invalid(format!(
                    "Route table {id} can have at most {ROUTES_MAX} routes."
                )));
            }
            (None, Place::Existing) => {
                return Err(Error::RouteNotFound { destination: route.destination, table: id.clone() });
            }
        }
        draft.put(table);
        Ok(())
    });
    Ok(put.await?)
}

/// Takes a route away.
pub async fn delete_route(control: &Control, id: &RouteTableId, destination: Cidr) -> Result<(), Error> {
    let deleted = control.store().update(|draft| {
        let mut table = (*find(draft, id.as_str())?).clone();
        if vpcs::find(draft, &table.vpc)?.cidr == destination {
            return Err(Error::invalid(format!(
                "cannot remove local route {destination} in route table {id}"
            )));
        }
        let before = table.routes.len();
        table.routes.retain(|route| route.destination != destination);
        if table.routes.len() == before {
            return Err(Error::RouteNotFound { destination, table: id.clone() });
        }
        draft.put(table);
        Ok(())
    });
    Ok(deleted.await?)
}

/// Lets a table serve a subnet; returns the association's id.
pub async fn associate(
    control: &Control,
    id: &RouteTableId,
    subnet: &SubnetId,
) -> Result<RouteTableAssociationId, Error> {
    let associated = control.store().update(|draft| {
        let table = find(draft, id.as_str())?;
        let found = subnets::find(draft, subnet)?;
        if found.vpc != table.vpc {
            return Err(Error::invalid(format!(
                "Route table {id} and subnet {subnet} belong to different networks"
            )));
        }
        for other in of_vpc(draft, &table.vpc) {
            let Some(known) = other.subnets.iter().find(|served| served.subnet == *subnet) else { continue };
            if other.id == *id {
                return Ok(known.id.clone());
            }
            return Err(Error::AlreadyAssociated(format!(
                "the specified association for route table {id} conflicts with an existing association"
            )));
        }
        let association = SubnetAssociation { id: defaults::id("rtbassoc"), subnet: subnet.clone() };
        let mut table = (*table).clone();
        table.subnets.push(association.clone());
        draft.put(table);
        Ok(association.id)
    });
    Ok(associated.await?)
}

/// Ends an association with a subnet, which then follows the main table.
pub async fn disassociate(control: &Control, id: &RouteTableAssociationId) -> Result<(), Error> {
    let ended = control.store().update(|draft| {
        let mut table = (*by_association(draft, id)?).clone();
        if table.main.as_ref() == Some(id) {
            return Err(Error::MainAssociation(id.clone()));
        }
        table.subnets.retain(|served| served.id != *id);
        draft.put(table);
        Ok(())
    });
    Ok(ended.await?)
}

/// Lets another table take an association over, also that of the main table; returns the new association's id.
pub async fn replace_association(
    control: &Control,
    association: &RouteTableAssociationId,
    id: &RouteTableId,
) -> Result<RouteTableAssociationId, Error> {
    let replaced = control.store().update(|draft| {
        let before = by_association(draft, association)?;
        let target = find(draft, id.as_str())?;
        if before.vpc != target.vpc {
            return Err(Error::invalid(format!(
                "Route table {id} and route table {} belong to different networks",
                before.id
            )));
        }
        if before.id == target.id {
            return Ok(association.clone());
        }
        let (mut before, mut target) = ((*before).clone(), (*target).clone());
        let new: RouteTableAssociationId = defaults::id("rtbassoc");
        if before.main.as_ref() == Some(association) {
            before.main = None;
            target.main = Some(new.clone());
        } else {
            let moved = before.subnets.iter().position(|served| served.id == *association);
            let moved = moved.map(|place| before.subnets.remove(place));
            target.subnets.extend(moved.map(|served| SubnetAssociation { id: new.clone(), ..served }));
        }
        draft.put(before);
        draft.put(target);
        Ok(new)
    });
    Ok(replaced.await?)
}

/// Returns whether a route's target is there.
pub fn is_active(view: &View<'_>, table: &RouteTable, route: &Route) -> bool {
    match &route.target {
        RouteTarget::InternetGateway(id) => view
            .get::<InternetGateway>(id.as_str())
            .is_some_and(|gateway| gateway.vpc.as_ref() == Some(&table.vpc)),
        RouteTarget::NatGateway(id) => view.get::<NatGateway>(id.as_str()).is_some(),
    }
}

/// Returns the tables of a VPC.
pub(super) fn of_vpc(look: &impl Look, vpc: &VpcId) -> Vec<Arc<RouteTable>> {
    look.list::<RouteTable>("").into_iter().filter(|table| table.vpc == *vpc).collect()
}

/// Returns a new table.
pub(super) fn new(vpc: &VpcId, main: bool) -> RouteTable {
    RouteTable {
        id: defaults::id("rtb"),
        vpc: vpc.clone(),
        main: main.then(|| defaults::id("rtbassoc")),
        subnets: Vec::new(),
        routes: Vec::new(),
        tags: Vec::new(),
    }
}

fn find(draft: &Draft<'_>, id: &str) -> Result<Arc<RouteTable>, Error> {
    draft.get::<RouteTable>(id).ok_or_else(|| Error::missing(Kind::RouteTable, id))
}

fn by_association(draft: &Draft<'_>, id: &RouteTableAssociationId) -> Result<Arc<RouteTable>, Error> {
    let has = |table: &Arc<RouteTable>| {
        table.main.as_ref() == Some(id) || table.subnets.iter().any(|served| served.id == *id)
    };
    let found = draft.list::<RouteTable>("").into_iter().find(has);
    found.ok_or_else(|| Error::missing(Kind::RouteTableAssociation, id))
}

fn check_route(draft: &Draft<'_>, table: &RouteTable, route: &Route) -> Result<(), Error> {
    let vpc = vpcs::find(draft, &table.vpc)?;
    if vpc.cidr == route.destination {
        return Err(Error::RouteExists(route.destination));
    }
    if vpc.cidr.covers(&route.destination) {
        return Err(Error::invalid(format!(
            "The destination CIDR block {} is equal to or more specific than one of this VPC's CIDR blocks.",
            route.destination
        )));
    }
    let apart = |what: String| {
        Err(Error::invalid(format!("route table {} and {what} belong to different networks", table.id)))
    };
    match &route.target {
        RouteTarget::InternetGateway(id) => match gateways::find(draft, id)?.vpc.as_ref() {
            Some(vpc) if *vpc == table.vpc => Ok(()),
            Some(_) | None => apart(format!("network gateway {id}")),
        },
        RouteTarget::NatGateway(id) => {
            if nat_gateways::find(draft, id)?.vpc == table.vpc {
                Ok(())
            } else {
                apart(format!("NAT gateway {id}"))
            }
        }
    }
}

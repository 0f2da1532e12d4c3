//! VPCs and what is in them: subnets, security groups, and the ways out.

use crate::{Config, Control, look::Look};
use wharf_model::{
    SecurityGroupId, VpcId,
    network::{SecurityGroup, Subnet, SubnetRoutes, Vpc},
};
use wharf_plan::egress::{self, World};
use wharf_store::{Draft, StoreError};

pub mod addresses;
mod defaults;
mod error;
pub mod flow_logs;
pub mod gateways;
pub mod nat_gateways;
mod once;
pub mod prefix_lists;
pub mod route_tables;
pub mod rules;
pub mod security_groups;
pub mod subnets;
pub mod tags;
pub mod vpcs;

pub use error::{Error, Kind};
pub use once::Once;

/// Returns a region's availability zones.
pub fn zones(region: &str) -> [String; 3] {
    ["a", "b", "c"].map(|letter| format!("{region}{letter}"))
}

/// Makes the default VPC, its subnets, its security group and its way out unless they are there, and brings what an older
/// version wrote up to this one.
pub async fn ensure_default(control: &Control) -> Result<(), StoreError> {
    let config = control.config().clone();
    let change = control.store().change(move |draft| {
        defaults::complete(draft);
        // A default VPC that was deleted stays so: `CreateDefaultVpc` brings it back.
        if draft.list::<Vpc>("").is_empty() {
            make_default(draft, &config);
        }
    });
    change.await
}

/// Makes the default VPC inside a transaction, unless it is there.
pub fn make_default(draft: &mut Draft<'_>, config: &Config) {
    defaults::make(draft, config);
}

/// Returns the default security group of a VPC.
pub(crate) fn default_security_group(look: &impl Look, vpc: &VpcId) -> Option<SecurityGroupId> {
    security_groups::by_name(look, SecurityGroup::DEFAULT, Some(vpc)).map(|group| group.id.clone())
}

/// Returns the ways out of every subnet.
pub(crate) fn ways_out(look: &impl Look) -> Vec<SubnetRoutes> {
    let (subnets, tables, gateways, nats) =
        (look.list::<Subnet>(""), look.list(""), look.list(""), look.list(""));
    egress::routes(World {
        subnets: &subnets.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
        tables: &tables.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
        gateways: &gateways.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
        nats: &nats.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;

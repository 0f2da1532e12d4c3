//! Where a task's interface may be made: subnets and groups that exist and belong together.

use super::{Error, networks};
use crate::look::Look;
use wharf_model::{
    SecurityGroupId, SubnetId,
    network::{SecurityGroup, Subnet},
    service::AwsvpcConfiguration,
    task_definition::{NetworkMode, TaskDefinition},
};
use wharf_store::Draft;

/// The most subnets and security groups that ECS takes.
const SUBNETS_MAX: usize = 16;
const GROUPS_MAX: usize = 5;

/// Returns where the interfaces of a definition's tasks are made: what was given, or nowhere when its tasks have none.
pub(super) fn of(
    look: &impl Look,
    definition: &TaskDefinition,
    given: Option<&AwsvpcConfiguration>,
) -> Result<AwsvpcConfiguration, Error> {
    match (definition.network_mode, given) {
        (NetworkMode::Awsvpc, Some(given)) => {
            check(look, given)?;
            Ok(given.clone())
        }
        (NetworkMode::Awsvpc, None) => Err(Error::invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )),
        (NetworkMode::Bridge | NetworkMode::Host | NetworkMode::None, None) => {
            Ok(AwsvpcConfiguration::default())
        }
        (NetworkMode::Bridge | NetworkMode::Host | NetworkMode::None, Some(_)) => Err(Error::invalid(
            "Network Configuration is not valid for the given networkMode of this task definition.",
        )),
    }
}

/// Checks that everything exists and is of one VPC.
fn check(look: &impl Look, network: &AwsvpcConfiguration) -> Result<(), Error> {
    if network.subnets.is_empty() {
        return Err(Error::invalid("subnets can not be empty."));
    }
    if network.subnets.len() > SUBNETS_MAX {
        return Err(Error::invalid(format!("subnets can have at most {SUBNETS_MAX} items.")));
    }
    if network.security_groups.len() > GROUPS_MAX {
        return Err(Error::invalid(format!("securityGroups can have at most {GROUPS_MAX} items.")));
    }
    let mut vpc = None;
    for id in &network.subnets {
        let subnet = look.get::<Subnet>(id.as_str()).ok_or_else(|| {
            Error::invalid(format!(
                "Error retrieving subnet information for [{id}]: The subnet ID '{id}' does not exist (ErrorCode: \
                 InvalidSubnetID.NotFound)"
            ))
        })?;
        if vpc.get_or_insert_with(|| subnet.vpc.clone()) != &subnet.vpc {
            return Err(Error::invalid("subnets must all be of the same VPC."));
        }
    }
    for id in &network.security_groups {
        let group = look.get::<SecurityGroup>(id.as_str()).ok_or_else(|| {
            Error::invalid(format!(
                "Error retrieving security group information for [{id}]: The security group '{id}' does not exist \
                 (ErrorCode: InvalidGroup.NotFound)"
            ))
        })?;
        if vpc.as_ref() != Some(&group.vpc) {
            return Err(Error::invalid(format!("The security group '{id}' is not of the subnets' VPC.")));
        }
    }
    Ok(())
}

/// Returns the subnets of a zone.
pub(super) fn of_zone(look: &impl Look, network: &AwsvpcConfiguration, zone: &str) -> Vec<SubnetId> {
    let is_there = |id: &&SubnetId| look.get::<Subnet>(id.as_str()).is_some_and(|subnet| subnet.zone == zone);
    network.subnets.iter().filter(is_there).cloned().collect()
}

/// Returns the zones of the subnets, each once, in their order.
pub(crate) fn zones(look: &impl Look, network: &AwsvpcConfiguration) -> Vec<String> {
    let mut zones = Vec::new();
    for subnet in network.subnets.iter().filter_map(|id| look.get::<Subnet>(id.as_str())) {
        if !zones.contains(&subnet.zone) {
            zones.push(subnet.zone.clone());
        }
    }
    zones
}

/// Returns the groups of an interface: those given, or the default group of the subnets' VPC.
pub(super) fn groups(draft: &Draft<'_>, network: &AwsvpcConfiguration) -> Vec<SecurityGroupId> {
    if !network.security_groups.is_empty() {
        return network.security_groups.clone();
    }
    let subnet = network.subnets.first().and_then(|id| draft.get::<Subnet>(id.as_str()));
    subnet.and_then(|subnet| networks::default_security_group(draft, &subnet.vpc)).into_iter().collect()
}

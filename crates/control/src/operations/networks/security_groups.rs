//! Security groups: making and deleting them. Their rules are `rules`'.

use super::{Error, Kind, defaults, tags, vpcs};
use crate::{Control, look::Look};
use std::sync::Arc;
use wharf_model::{
    SecurityGroupId, VpcId,
    load_balancer::LoadBalancer,
    network::{InterfaceStatus, NetworkInterface, Peer, SecurityGroup},
    tag::Tag,
};
use wharf_store::Draft;

/// The longest name and description.
const TEXT_MAX: usize = 255;

/// What a group is made from.
#[derive(Debug, Clone)]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its VPC; the default one when absent.
    pub vpc: Option<VpcId>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Makes a group, which lets nothing in and everything out.
pub async fn create(control: &Control, new: NewGroup) -> Result<Arc<SecurityGroup>, Error> {
    tags::check(&new.tags)?;
    check_name(&new.name)?;
    check_text("GroupDescription", &new.description)?;
    if new.description.is_empty() {
        return Err(Error::Missing("GroupDescription"));
    }
    let made = control.store().update(|draft| {
        let vpc = match &new.vpc {
            Some(id) => vpcs::find(draft, id)?,
            None => vpcs::default_vpc(draft).ok_or(Error::Missing("VpcId"))?,
        };
        if by_name(draft, &new.name, Some(&vpc.id)).is_some() {
            return Err(Error::DuplicateGroup { name: new.name.clone(), vpc: vpc.id.clone() });
        }
        let group = SecurityGroup {
            id: defaults::id("sg"),
            name: new.name.clone(),
            description: new.description.clone(),
            vpc: vpc.id.clone(),
            ingress: Vec::new(),
            egress: vec![defaults::everything(Peer::Cidr(defaults::ANYWHERE))],
            tags: new.tags.clone(),
        };
        draft.put(group.clone());
        Ok(Arc::new(group))
    });
    Ok(made.await?)
}

/// Deletes a group that no interface has and no other group names.
pub async fn delete(control: &Control, id: &SecurityGroupId) -> Result<(), Error> {
    let deleted = control.store().update(|draft| {
        let group = find(draft, id)?;
        if group.name == SecurityGroup::DEFAULT {
            return Err(Error::DefaultGroup(id.clone()));
        }
        let held = draft
            .list::<NetworkInterface>("")
            .iter()
            .any(|interface| interface.status == InterfaceStatus::InUse && interface.groups.contains(id));
        let balancers =
            draft.list::<LoadBalancer>("").iter().any(|balancer| balancer.security_groups.contains(id));
        let named = draft.list::<SecurityGroup>("").iter().any(|other| other.id != *id && names(other, id));
        if held || balancers || named {
            return Err(Error::InUse(format!("resource {id} has a dependent object")));
        }
        draft.delete::<SecurityGroup>(id.as_str());
        Ok(())
    });
    Ok(deleted.await?)
}

/// Returns the group of a name, which without a VPC is one of the default VPC.
pub(crate) fn by_name(look: &impl Look, name: &str, vpc: Option<&VpcId>) -> Option<Arc<SecurityGroup>> {
    let vpc = vpc.cloned().or_else(|| vpcs::default_vpc(look).map(|vpc| vpc.id.clone()))?;
    look.list::<SecurityGroup>("").into_iter().find(|group| group.vpc == vpc && group.name == name)
}

/// Returns the id of the group that a caller names in one way or the other.
pub fn named(
    control: &Control,
    id: Option<SecurityGroupId>,
    name: Option<&str>,
) -> Result<SecurityGroupId, Error> {
    match (id, name) {
        (Some(id), _) => Ok(id),
        (None, Some(name)) => by_name(&control.store().view(), name, None)
            .map(|group| group.id.clone())
            .ok_or_else(|| Error::missing(Kind::SecurityGroup, name)),
        (None, None) => Err(Error::Missing("GroupId")),
    }
}

/// Returns whether a rule of `group` names another one.
pub(super) fn names(group: &SecurityGroup, other: &SecurityGroupId) -> bool {
    group.rules().any(|rule| rule.permission.peer == Peer::Group(other.clone()))
}

pub(super) fn find(draft: &Draft<'_>, id: &SecurityGroupId) -> Result<Arc<SecurityGroup>, Error> {
    draft.get::<SecurityGroup>(id.as_str()).ok_or_else(|| Error::missing(Kind::SecurityGroup, id))
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::Missing("GroupName"));
    }
    if name.starts_with("sg-") || name == SecurityGroup::DEFAULT {
        return Err(Error::invalid(format!(
            "Invalid value '{name}' for groupName. A group name may be neither 'default' nor begin with 'sg-'."
        )));
    }
    check_text("GroupName", name)
}

/// Checks a name or description: what a VPC's groups may hold.
pub(super) fn check_text(what: &str, text: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if text.chars().count() > TEXT_MAX || !text.chars().all(fits) {
        return Err(Error::invalid(format!(
            "Value ({text}) for parameter {what} is invalid. Character sets beyond a-z, A-Z, 0-9, spaces and \
             ._-:/()#,@[]+=&;{{}}!$* are not supported, nor more than {TEXT_MAX} characters."
        )));
    }
    Ok(())
}

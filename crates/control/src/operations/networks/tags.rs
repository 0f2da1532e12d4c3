//! Tags of what EC2 names by ids.

use super::{Error, Kind};
use crate::Control;
use std::sync::Arc;
use wharf_model::{
    network::{
        ElasticIp, FlowLog, InterfaceStatus, InternetGateway, NatGateway, NetworkInterface, PrefixList,
        RouteTable, SecurityGroup, Subnet, Vpc,
    },
    tag::Tag,
};
use wharf_store::{Draft, View};

/// The most tags of a resource, and the longest key and value.
const TAGS_MAX: usize = 50;
const KEY_MAX: usize = 127;
const VALUE_MAX: usize = 255;

/// A tag with what it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The id.
    pub resource: String,
    /// The kind, in EC2's words, such as `security-group`.
    pub kind: &'static str,
    /// The tag.
    pub tag: Tag,
}

/// Checks tags that a caller gives.
pub fn check(tags: &[Tag]) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::invalid(format!("A resource can have at most {TAGS_MAX} tags.")));
    }
    for Tag { key, value } in tags {
        if key.is_empty() || key.chars().count() > KEY_MAX {
            return Err(Error::invalid(format!("Tag key '{key}' must have 1 to {KEY_MAX} characters.")));
        }
        if value.chars().count() > VALUE_MAX {
            return Err(Error::invalid(format!(
                "The value of tag '{key}' is longer than {VALUE_MAX} characters."
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Error::invalid("Tag keys starting with 'aws:' are reserved for internal use"));
        }
        if tags.iter().filter(|tag| tag.key == *key).count() > 1 {
            return Err(Error::invalid(format!("Duplicate tag key '{key}' specified.")));
        }
    }
    Ok(())
}

/// Puts tags on things, or replaces their values: on all of them or none.
pub async fn put(control: &Control, resources: &[String], tags: &[Tag]) -> Result<(), Error> {
    check(tags)?;
    let changed = control.store().update(|draft| {
        for resource in resources {
            change(draft, resource, |known| {
                known.retain(|tag| !tags.iter().any(|new| new.key == tag.key));
                known.extend(tags.iter().cloned());
                check(known)
            })?;
        }
        Ok::<(), Error>(())
    });
    Ok(changed.await?)
}

/// Takes tags off things: those with a key, and with a value only those that have it; all when none is named.
pub async fn remove(
    control: &Control,
    resources: &[String],
    tags: &[(String, Option<String>)],
) -> Result<(), Error> {
    let changed = control.store().update(|draft| {
        for resource in resources {
            change(draft, resource, |known| {
                known.retain(|tag| {
                    let named = |(key, value): &(String, Option<String>)| {
                        *key == tag.key && value.as_ref().is_none_or(|value| *value == tag.value)
                    };
                    !tags.is_empty() && !tags.iter().any(named)
                });
                Ok(())
            })?;
        }
        Ok::<(), Error>(())
    });
    Ok(changed.await?)
}

/// Returns every tag, in the order of what they are on.
pub fn all(look: &View<'_>) -> Vec<Tagged> {
    let mut found = Vec::new();
    let mut add = |resource: String, kind: &'static str, tags: &[Tag]| {
        found.extend(tags.iter().map(|tag| Tagged { resource: resource.clone(), kind, tag: tag.clone() }));
    };
    look.list::<Vpc>("").iter().for_each(|it| add(it.id.to_string(), "vpc", &it.tags));
    look.list::<Subnet>("").iter().for_each(|it| add(it.id.to_string(), "subnet", &it.tags));
    for group in look.list::<SecurityGroup>("") {
        add(group.id.to_string(), "security-group", &group.tags);
        group.rules().for_each(|rule| add(rule.id.to_string(), "security-group-rule", &rule.tags));
    }
    look.list::<PrefixList>("").iter().for_each(|it| add(it.id.to_string(), "prefix-list", &it.tags));
    look.list::<InternetGateway>("")
        .iter()
        .for_each(|it| add(it.id.to_string(), "internet-gateway", &it.tags));
    look.list::<RouteTable>("").iter().for_each(|it| add(it.id.to_string(), "route-table", &it.tags));
    look.list::<NatGateway>("").iter().for_each(|it| add(it.id.to_string(), "natgateway", &it.tags));
    look.list::<ElasticIp>("").iter().for_each(|it| add(it.id.to_string(), "elastic-ip", &it.tags));
    look.list::<FlowLog>("").iter().for_each(|it| add(it.id.to_string(), "vpc-flow-log", &it.tags));
    for interface in look.list::<NetworkInterface>("") {
        if interface.status == InterfaceStatus::InUse {
            add(interface.id.to_string(), "network-interface", &interface.tags);
        }
    }
    found.sort_by(|a, b| (&a.resource, &a.tag.key).cmp(&(&b.resource, &b.tag.key)));
    found
}

macro_rules! change_in {
    ($draft:expr, $type:ty, $kind:expr, $id:expr, $act:expr) => {{
        let found: Option<Arc<$type>> = $draft.get($id);
        let mut record = (*found.ok_or_else(|| Error::missing($kind, $id))?).clone();
        $act(&mut record.tags)?;
        $draft.put(record);
        Ok(())
    }};
}

fn change(
    draft: &mut Draft<'_>,
    id: &str,
    act: impl Fn(&mut Vec<Tag>) -> Result<(), Error>,
) -> Result<(), Error> {
    match id.split_once('-').map_or("", |(prefix, _)| prefix) {
        "vpc" => change_in!(draft, Vpc, Kind::Vpc, id, act),
        "subnet" => change_in!(draft, Subnet, Kind::Subnet, id, act),
        "sg" => change_in!(draft, SecurityGroup, Kind::SecurityGroup, id, act),
        "sgr" => change_rule(draft, id, act),
        "pl" => change_in!(draft, PrefixList, Kind::PrefixList, id, act),
        "igw" => change_in!(draft, InternetGateway, Kind::InternetGateway, id, act),
        "rtb" => change_in!(draft, RouteTable, Kind::RouteTable, id, act),
        "nat" => change_in!(draft, NatGateway, Kind::NatGateway, id, act),
        "eipalloc" => change_in!(draft, ElasticIp, Kind::Allocation, id, act),
        "eni" => change_in!(draft, NetworkInterface, Kind::NetworkInterface, id, act),
        "fl" => change_in!(draft, FlowLog, Kind::FlowLog, id, act),
        _ => Err(Error::InvalidId(id.to_owned())),
    }
}

fn change_rule(
    draft: &mut Draft<'_>,
    id: &str,
    act: impl Fn(&mut Vec<Tag>) -> Result<(), Error>,
) -> Result<(), Error> {
    for group in draft.list::<SecurityGroup>("") {
        if group.rules().any(|rule| rule.id.as_str() == id) {
            let mut group = (*group).clone();
            let mut rules = group.ingress.iter_mut().chain(&mut group.egress);
            if let Some(rule) = rules.find(|rule| rule.id.as_str() == id) {
                act(&mut rule.tags)?;
            }
            draft.put(group);
            return Ok(());
        }
    }
    Err(Error::missing(Kind::SecurityGroupRule, id))
}

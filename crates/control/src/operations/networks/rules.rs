//! The rules of security groups.

use super::{Error, Kind, defaults, security_groups, tags};
use crate::Control;
use std::sync::Arc;
use wharf_model::{
    SecurityGroupId, SecurityGroupRuleId,
    network::{IpProtocol, Peer, Permission, PrefixList, SecurityGroup, SecurityGroupRule},
    tag::Tag,
};
use wharf_store::Draft;

/// How many rules a group may have in one direction: what AWS raises its quota to at most.
const RULES_MAX: usize = 1000;

/// Which way traffic goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// In.
    Ingress,
    /// Out.
    Egress,
}

/// A rule that a caller gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenRule {
    /// What it allows.
    pub permission: Permission,
    /// What it is for.
    pub description: Option<String>,
}

/// The rules that a caller means.
#[derive(Debug, Clone)]
pub enum Chosen {
    /// By their ids.
    Ids(Vec<SecurityGroupRuleId>),
    /// By what they allow.
    Permissions(Vec<GivenRule>),
}

/// Adds rules, all of them or none.
pub async fn authorize(
    control: &Control,
    group: &SecurityGroupId,
    direction: Direction,
    given: Vec<GivenRule>,
    rule_tags: Vec<Tag>,
) -> Result<Vec<SecurityGroupRule>, Error> {
    tags::check(&rule_tags)?;
    if given.is_empty() {
        return Err(Error::Missing("ipPermissions"));
    }
    given.iter().try_for_each(check)?;
    let added = control.store().update(|draft| {
        let mut group = (*security_groups::find(draft, group)?).clone();
        let mut added = Vec::with_capacity(given.len());
        for rule in &given {
            check_peer(draft, &group, &rule.permission.peer)?;
            let rules = rules_of(&mut group, direction);
            if rules.iter().any(|known| known.permission == rule.permission) {
                return Err(Error::DuplicateRule(describe(&rule.permission)));
            }
            if rules.len() >= RULES_MAX {
                return Err(Error::RulesExhausted);
            }
            let rule = SecurityGroupRule {
                id: defaults::id("sgr"),
                permission: rule.permission.clone(),
                description: rule.description.clone(),
                tags: rule_tags.clone(),
            };
            rules.push(rule.clone());
            added.push(rule);
        }
        draft.put(group);
        Ok(added)
    });
    Ok(added.await?)
}

/// Takes rules away, all of them or none.
pub async fn revoke(
    control: &Control,
    group: &SecurityGroupId,
    direction: Direction,
    chosen: Chosen,
) -> Result<Vec<SecurityGroupRule>, Error> {
    let revoked = control.store().update(|draft| {
        let mut group = (*security_groups::find(draft, group)?).clone();
        let rules = rules_of(&mut group, direction);
        let mut revoked = Vec::new();
        for place in places(rules, &chosen)? {
            revoked.push(rules[place].clone());
        }
        rules.retain(|rule| !revoked.iter().any(|gone| gone.id == rule.id));
        draft.put(group);
        Ok::<_, Error>(revoked)
    });
    Ok(revoked.await?)
}

/// Replaces what rules allow; their ids stay.
pub async fn modify(
    control: &Control,
    group: &SecurityGroupId,
    changes: Vec<(SecurityGroupRuleId, GivenRule)>,
) -> Result<(), Error> {
    if changes.is_empty() {
        return Err(Error::Missing("SecurityGroupRule"));
    }
    changes.iter().try_for_each(|(_, rule)| check(rule))?;
    let changed = control.store().update(|draft| {
        let mut group = (*security_groups::find(draft, group)?).clone();
        for (id, given) in &changes {
            check_peer(draft, &group, &given.permission.peer)?;
            let ingress = group.ingress.iter().any(|rule| rule.id == *id);
            let direction = if ingress { Direction::Ingress } else { Direction::Egress };
            let rules = rules_of(&mut group, direction);
            if rules.iter().any(|rule| rule.id != *id && rule.permission == given.permission) {
                return Err(Error::DuplicateRule(describe(&given.permission)));
            }
            let rule = rules.iter_mut().find(|rule| rule.id == *id);
            let rule = rule.ok_or_else(|| Error::missing(Kind::SecurityGroupRule, id))?;
            rule.permission = given.permission.clone();
            rule.description = given.description.clone();
        }
        draft.put(group);
        Ok(())
    });
    Ok(changed.await?)
}

/// Replaces the descriptions of rules, and nothing else.
pub async fn describe_anew(
    control: &Control,
    group: &SecurityGroupId,
    direction: Direction,
    chosen: Vec<(Chosen, Option<String>)>,
) -> Result<(), Error> {
    for (_, description) in &chosen {
        security_groups::check_text("Description", description.as_deref().unwrap_or_default())?;
    }
    let changed = control.store().update(|draft| {
        let mut group = (*security_groups::find(draft, group)?).clone();
        let rules = rules_of(&mut group, direction);
        for (chosen, description) in &chosen {
            for place in places(rules, chosen)? {
                rules[place].description.clone_from(description);
            }
        }
        draft.put(group);
        Ok::<(), Error>(())
    });
    Ok(changed.await?)
}

fn rules_of(group: &mut SecurityGroup, direction: Direction) -> &mut Vec<SecurityGroupRule> {
    match direction {
        Direction::Ingress => &mut group.ingress,
        Direction::Egress => &mut group.egress,
    }
}

fn places(rules: &[SecurityGroupRule], chosen: &Chosen) -> Result<Vec<usize>, Error> {
    match chosen {
        Chosen::Ids(ids) => {
            let place = |id: &SecurityGroupRuleId| {
                let found = rules.iter().position(|rule| rule.id == *id);
                found.ok_or_else(|| Error::missing(Kind::SecurityGroupRule, id))
            };
            ids.iter().map(place).collect()
        }
        Chosen::Permissions(given) => {
            let place = |given: &GivenRule| {
                let found = rules.iter().position(|rule| rule.permission == given.permission);
                found.ok_or(Error::RuleNotFound)
            };
            given.iter().map(place).collect()
        }
    }
}

/// Checks what can be said of a rule by itself.
fn check(rule: &GivenRule) -> Result<(), Error> {
    security_groups::check_text("Description", rule.description.as_deref().unwrap_or_default())?;
    let Permission { protocol, ports, .. } = &rule.permission;
    match (protocol, ports) {
        (IpProtocol::Tcp | IpProtocol::Udp, None) => {
            let name = if *protocol == IpProtocol::Tcp { "tcp" } else { "udp" };
            Err(Error::invalid(format!(
                "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange ({name})."
            )))
        }
        (IpProtocol::Tcp | IpProtocol::Udp, Some((from, to))) if from > to => {
            Err(Error::invalid(format!("Invalid TCP/UDP port range ({from}:{to})")))
        }
        (IpProtocol::Icmp, Some((kind, code)))
            if (*kind > 255 && *kind != u16::MAX) || (*code > 255 && *code != u16::MAX) =>
        {
            Err(Error::MalformedRule(format!("ICMP code and type ({kind}:{code}) are not valid")))
        }
        (IpProtocol::Icmp, Some((u16::MAX, code))) if *code != u16::MAX => {
            Err(Error::MalformedRule(format!("ICMP code ({code}) without a type")))
        }
        (
            IpProtocol::All | IpProtocol::Tcp | IpProtocol::Udp | IpProtocol::Icmp | IpProtocol::Number(_),
            _,
        ) => Ok(()),
    }
}

/// Checks that whom a rule names is there, and of the same VPC.
fn check_peer(draft: &Draft<'_>, group: &SecurityGroup, peer: &Peer) -> Result<(), Error> {
    match peer {
        Peer::Cidr(_) | Peer::Cidr6(_) => Ok(()),
        Peer::Group(id) => match draft.get::<SecurityGroup>(id.as_str()) {
            Some(other) if other.vpc == group.vpc => Ok(()),
            Some(_) | None => Err(Error::missing(Kind::SecurityGroup, id)),
        },
        Peer::PrefixList(id) => {
            let found: Option<Arc<PrefixList>> = draft.get(id.as_str());
            found.map(drop).ok_or_else(|| Error::missing(Kind::PrefixList, id))
        }
    }
}

fn describe(permission: &Permission) -> String {
    let peer = match &permission.peer {
        Peer::Cidr(cidr) => cidr.to_string(),
        Peer::Cidr6(cidr) => cidr.to_string(),
        Peer::Group(group) => group.to_string(),
        Peer::PrefixList(list) => list.to_string(),
    };
    let ports = |(from, to): (u16, u16)| format!("from port: {from}, to port: {to}, ");
    let protocol = match permission.protocol {
        IpProtocol::All => "ALL".to_owned(),
        IpProtocol::Tcp => "TCP".to_owned(),
        IpProtocol::Udp => "UDP".to_owned(),
        IpProtocol::Icmp => "ICMP".to_owned(),
        IpProtocol::Number(number) => number.to_string(),
    };
    format!("peer: {peer}, {protocol}, {}ALLOW", permission.ports.map(ports).unwrap_or_default())
}

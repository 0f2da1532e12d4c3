//! What the table says of a connection, as a function: asked when rules were taken away, because the kernel itself does
//! not look at a connection twice.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use super::{Permission, Place, Protocol, Ruleset, SecurityGroup, Subnet, Way};

/// A tracked connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    /// The protocol's number.
    pub(super) protocol: u8,
    /// Who began it.
    pub(super) from: Ipv4Addr,
    /// The address it was begun to.
    pub(super) asked: Ipv4Addr,
    /// The address that it was translated to, or the same.
    pub(super) to: Ipv4Addr,
    /// The port that it was translated to; zero where the protocol has none.
    pub(super) port: u16,
    /// The ICMP type and code.
    pub(super) icmp: (u8, u8),
}

/// A rule set, prepared for questions.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    groups: HashMap<&'a str, &'a SecurityGroup>,
    subnets: HashMap<&'a str, &'a Subnet>,
    parties: HashMap<Ipv4Addr, Party<'a>>,
    local: HashSet<Ipv4Addr>,
}

/// Who has an address.
#[derive(Clone, Copy, Debug)]
enum Party<'a> {
    Task { vpc: &'a str, subnet: Option<&'a str>, groups: &'a [String], public: bool },
    Balancer { vpc: &'a str, groups: &'a [String] },
    Bridged,
}

impl<'a> Judge<'a> {
    pub(super) fn new(rules: &'a Ruleset) -> Judge<'a> {
        let local = nix::ifaddrs::getifaddrs().into_iter().flatten();
        let local = local.filter_map(|found| found.address?.as_sockaddr_in().map(|address| address.ip()));
        Judge::among(rules, local.collect())
    }

    /// The same with the host's own addresses given.
    pub(super) fn among(rules: &'a Ruleset, local: HashSet<Ipv4Addr>) -> Judge<'a> {
        let tasks = rules.members.iter().map(|member| {
            let party = match &member.place {
                Place::Vpc { vpc, subnet, groups, public_ip } => {
                    Party::Task { vpc, subnet: subnet.as_deref(), groups, public: public_ip.is_some() }
                }
                Place::Bridge { .. } => Party::Bridged,
            };
            (member.ip, party)
        });
        let balancers = rules
            .balancers
            .iter()
            .map(|balancer| (balancer.ip, Party::Balancer { vpc: &balancer.vpc, groups: &balancer.groups }));
        Judge {
            groups: rules.groups.iter().map(|group| (group.id.as_str(), group)).collect(),
            subnets: rules.subnets.iter().map(|subnet| (subnet.id.as_str(), subnet)).collect(),
            parties: tasks.chain(balancers).collect(),
            local,
        }
    }

    /// Says whether a connection like this one would be let through now.
    pub(super) fn allows(&self, flow: &Flow) -> bool {
        let (from, to) = (self.parties.get(&flow.from), self.parties.get(&flow.to));
        self.may_send(flow, from, to) && self.may_reach(flow, from, to)
    }

    fn may_send(&self, flow: &Flow, from: Option<&Party<'_>>, to: Option<&Party<'_>>) -> bool {
        match from {
            Some(Party::Task { vpc, subnet, groups, public }) => {
                let translated = flow.asked != flow.to;
                let near = match to {
                    Some(Party::Bridged) => translated,
                    Some(party) => party.vpc() == Some(*vpc),
                    None => false,
                };
                let far = || to.is_none() || translated;
                let way = near || (far() && self.way(*subnet, flow.asked, *public));
                way && self.allowed(groups, flow, flow.to, |group| &group.egress)
            }
            // What a balancer says to anybody but a task stays on this host.
            Some(Party::Balancer { vpc, groups }) => match to {
                Some(Party::Task { vpc: other, .. }) => {
                    vpc == other && self.allowed(groups, flow, flow.to, |group| &group.egress)
                }
                Some(Party::Bridged) => self.allowed(groups, flow, flow.to, |group| &group.egress),
                Some(Party::Balancer { .. }) | None => true,
            },
            Some(Party::Bridged) | None => true,
        }
    }

    fn may_reach(&self, flow: &Flow, from: Option<&Party<'_>>, to: Option<&Party<'_>>) -> bool {
        // The host may reach every task, and itself.
        let host = from.is_none() && self.local.contains(&flow.from);
        match to {
            Some(Party::Task { groups, .. }) => {
                host || self.allowed(groups, flow, flow.from, |group| &group.ingress)
            }
            Some(Party::Balancer { groups, .. }) => {
                !matches!(from, Some(Party::Task { .. } | Party::Bridged))
                    || self.allowed(groups, flow, flow.from, |group| &group.ingress)
            }
            Some(Party::Bridged) => host || flow.asked != flow.to || matches!(from, Some(Party::Bridged)),
            None => true,
        }
    }

    fn way(&self, subnet: Option<&str>, to: Ipv4Addr, public: bool) -> bool {
        let Some(subnet) = subnet.and_then(|id| self.subnets.get(id)) else { return false };
        match subnet.ways.iter().find(|(covered, _)| covered.contains(to)) {
            Some((_, Way::Internet)) => public,
            Some((_, Way::Nat)) => true,
            Some((_, Way::Nowhere)) | None => false,
        }
    }

    fn allowed(
        &self,
        groups: &[String],
        flow: &Flow,
        peer: Ipv4Addr,
        direction: impl Fn(&'a SecurityGroup) -> &'a Vec<Permission>,
    ) -> bool {
        let groups = groups.iter().filter_map(|id| self.groups.get(id.as_str()));
        groups.flat_map(|group| direction(group)).any(|permission| self.matches(permission, flow, peer))
    }

    fn matches(&self, permission: &Permission, flow: &Flow, peer: Ipv4Addr) -> bool {
        let protocol = match permission.protocol {
            Protocol::Any => true,
            Protocol::Tcp { from, to } => flow.protocol == 6 && (from..=to).contains(&flow.port),
            Protocol::Udp { from, to } => flow.protocol == 17 && (from..=to).contains(&flow.port),
            Protocol::Icmp { kind, code } => {
                flow.protocol == 1
                    && kind.is_none_or(|kind| kind == flow.icmp.0)
                    && code.is_none_or(|code| code == flow.icmp.1)
            }
            Protocol::Number(number) => flow.protocol == number,
        };
        let held = self.parties.get(&peer).map_or(&[][..], Party::groups);
        protocol
            && (permission.cidrs.iter().any(|cidr| cidr.contains(peer))
                || permission.groups.iter().any(|group| held.contains(group)))
    }
}

impl<'a> Party<'a> {
    fn vpc(&self) -> Option<&'a str> {
        match self {
            Party::Task { vpc, .. } | Party::Balancer { vpc, .. } => Some(vpc),
            Party::Bridged => None,
        }
    }

    fn groups(&self) -> &'a [String] {
        match self {
            Party::Task { groups, .. } | Party::Balancer { groups, .. } => groups,
            Party::Bridged => &[],
        }
    }
}

#[cfg(test)]
mod tests;

//! What the firewall says, and what it is made from.

use super::{bridge, bridge::Addresses, flows::Counting, rules};
use std::{collections::BTreeMap, net::Ipv4Addr};
use wharf_model::TaskId;
use wharf_nodelink::agent::NodeSettings;
use wharf_plan::flow_log::Interface;
use wharf_sandbox::{
    firewall::{Firewall, FirewallError, Member, meter::Meter},
    network::{Cidr, ForeignRoute},
};

/// The firewall with the settings and the tasks it speaks of.
#[derive(Debug)]
pub(super) struct State {
    pub(super) firewall: Firewall,
    pub(super) settings: NodeSettings,
    pub(super) members: BTreeMap<TaskId, Member>,
    pub(super) meter: Meter,
    pub(super) counting: Counting,
    /// Interfaces of tasks, which flow logs may be about.
    pub(super) interfaces: BTreeMap<TaskId, Interface>,
    /// Routes of this host that VPCs get in the way of.
    pub(super) foreign: Vec<ForeignRoute>,
    /// Addresses of bridged tasks.
    pub(super) addresses: Addresses,
    /// Addresses whose tasks are gone and whose connections are still tracked.
    pub(super) gone: Vec<Ipv4Addr>,
}

impl State {
    /// Makes the firewall say all of it.
    pub(super) fn apply(&mut self) -> Result<(), FirewallError> {
        let ruleset = rules::ruleset(&self.settings, self.members.values());
        self.firewall.apply(&ruleset)?;
        self.count_flows();
        Ok(())
    }

    /// Lets a task take part.
    pub(super) fn admit(&mut self, task: &TaskId, member: Member) -> Result<(), FirewallError> {
        self.members.insert(task.clone(), member.clone());
        let Some(known) = rules::known(&self.settings, &member) else {
            return Err(FirewallError::Unknown(member.ip.to_string()));
        };
        // Where that fails, somebody may have flushed the table.
        self.firewall.add(&known).or_else(|_| self.apply())
    }

    /// Makes the table again that somebody flushed, and forgets the connections of tasks that are gone.
    pub(super) fn look_after(&mut self) -> Result<(), FirewallError> {
        if !self.firewall.is_there()? {
            tracing::warn!("somebody flushed the firewall, it is made anew");
            self.apply()?;
        }
        if !self.gone.is_empty() {
            let gone = std::mem::take(&mut self.gone);
            self.firewall.forget(&gone)?;
        }
        self.keep_counting()
    }

    /// Returns an address for a bridged task. One whose connections are still tracked is not given.
    pub(super) fn address(&mut self) -> Option<Ipv4Addr> {
        let mut taken = bridge::taken(&self.members);
        taken.extend(&self.gone);
        self.addresses.next(&taken)
    }

    /// Returns a route of this host that a subnet gets in the way of.
    pub(super) fn overlap(&self, subnet: wharf_model::network::Cidr) -> Option<(Cidr, ForeignRoute)> {
        let subnet = rules::cidr(&subnet);
        let route = self.foreign.iter().find(|route| route.cidr.overlaps(&subnet))?;
        Some((subnet, route.clone()))
    }
}

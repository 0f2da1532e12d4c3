//! Which table the balancer should route by, and what is said of a target's health.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::Arc,
};
use wharf_model::{
    Arn, EniId,
    load_balancer::{Listener, LoadBalancer, Scheme},
    routing::{Action, BalancerRoutes, ListenerRoutes, RoutingTable, TargetGroupRoutes, TargetRoute},
    target_group::{Target, TargetGroup, TargetHealth, TargetState},
};

/// Everything that a table is made from, each list in the order of its keys.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The load balancers.
    pub load_balancers: Vec<Arc<LoadBalancer>>,
    /// The addresses of their interfaces.
    pub addresses: BTreeMap<EniId, Ipv4Addr>,
    /// The listeners.
    pub listeners: Vec<Arc<Listener>>,
    /// The target groups.
    pub target_groups: Vec<Arc<TargetGroup>>,
    /// The targets, draining ones included.
    pub targets: Vec<Arc<Target>>,
    /// The host's addresses that internet-facing load balancers are also served on.
    pub host_addresses: Vec<Ipv4Addr>,
}

/// Returns the table for what is seen, without a version. The same world gives the same table.
pub fn table(seen: &Seen) -> RoutingTable {
    let mut listeners: BTreeMap<&Arn, Vec<ListenerRoutes>> = BTreeMap::new();
    let mut reached: BTreeSet<&Arn> = BTreeSet::new();
    for listener in &seen.listeners {
        reached.extend(forwards_to(&listener.default_action));
        listeners.entry(&listener.load_balancer).or_default().push(ListenerRoutes {
            arn: listener.arn.clone(),
            port: listener.port,
            default_action: listener.default_action.clone(),
        });
    }
    let mut targets: BTreeMap<&Arn, Vec<TargetRoute>> = BTreeMap::new();
    for target in &seen.targets {
        targets
            .entry(&target.target_group)
            .or_default()
            .push(TargetRoute { address: target.address, draining: target.draining_since.is_some() });
    }
    let load_balancers = seen.load_balancers.iter().map(|load_balancer| BalancerRoutes {
        arn: load_balancer.arn.clone(),
        dns_name: load_balancer.dns_name.clone(),
        addresses: load_balancer
            .subnets
            .iter()
            .filter_map(|(_, interface)| seen.addresses.get(interface).copied())
            .collect(),
        host_addresses: match load_balancer.scheme {
            Scheme::InternetFacing => seen.host_addresses.clone(),
            Scheme::Internal => Vec::new(),
        },
        idle_timeout_secs: load_balancer.idle_timeout_secs,
        listeners: listeners.remove(&load_balancer.arn).unwrap_or_default(),
    });
    let target_groups = seen.target_groups.iter().filter(|group| reached.contains(&group.arn)).map(|group| {
        TargetGroupRoutes {
            arn: group.arn.clone(),
            health_check: group.health_check.clone(),
            deregistration_delay_secs: group.deregistration_delay_secs,
            targets: targets.remove(&group.arn).unwrap_or_default(),
        }
    });
    RoutingTable {
        version: 0,
        load_balancers: load_balancers.collect(),
        target_groups: target_groups.collect(),
    }
}

/// Returns the groups that an action forwards to.
pub fn forwards_to(action: &Action) -> impl Iterator<Item = &Arn> {
    let groups = match action {
        Action::Forward { target_groups } => target_groups.as_slice(),
        Action::FixedResponse { .. } | Action::Redirect { .. } => &[],
    };
    groups.iter().map(|(group, _)| group)
}

/// Returns what is said of a target's health, with the words that AWS uses.
///
/// `reached` says whether any listener forwards to the group, `reported` is the balancer's last word.
pub fn health(
    target: &Target,
    group: &TargetGroup,
    reached: bool,
    reported: Option<&TargetHealth>,
) -> TargetHealth {
    let (state, reason, description) = if target.draining_since.is_some() {
        (TargetState::Draining, "Target.DeregistrationInProgress", "Target deregistration is in progress")
    } else if !reached {
        (
            TargetState::Unused,
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
        )
    } else if !group.health_check.enabled {
        (
            TargetState::Unavailable,
            "Target.HealthCheckDisabled",
            "Health checks are not enabled for this target group",
        )
    } else if let Some(reported) = reported {
        return reported.clone();
    } else {
        (TargetState::Initial, "Elb.RegistrationInProgress", "Target registration is in progress")
    };
    TargetHealth { state, reason: Some(reason.to_owned()), description: Some(description.to_owned()) }
}

#[cfg(test)]
mod tests;

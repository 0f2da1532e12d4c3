//! Which table the balancer should route by, and what is said of a target's health.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::Arc,
};
use wharf_model::{
    Arn, EniId,
    load_balancer::{Listener, ListenerProtocol, LoadBalancer, Scheme},
    routing::{
        Action, BalancerRoutes, CertificateRoutes, ListenerRoutes, RoutingTable, RuleRoutes,
        TargetGroupRoutes, TargetRoute, TlsRoutes,
    },
    rule::Rule,
    target_group::{Target, TargetGroup, TargetHealth, TargetState},
    tls::SSL_POLICY_DEFAULT,
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
    /// Their rules.
    pub rules: Vec<Arc<Rule>>,
    /// The target groups.
    pub target_groups: Vec<Arc<TargetGroup>>,
    /// The targets, draining ones included.
    pub targets: Vec<Arc<Target>>,
    /// The certificates that listeners present, by ARN.
    pub certificates: BTreeMap<String, CertificateRoutes>,
    /// The host's addresses that internet-facing load balancers are also served on.
    pub host_addresses: Vec<Ipv4Addr>,
}

/// Returns how a listener speaks TLS, if it does. A certificate that is gone is left out.
fn tls(listener: &Listener, certificates: &BTreeMap<String, CertificateRoutes>) -> Option<TlsRoutes> {
    let known = listener.certificates.iter().filter_map(|arn| certificates.get(&arn.to_string()).cloned());
    match listener.protocol {
        ListenerProtocol::Http => None,
        ListenerProtocol::Https => Some(TlsRoutes {
            policy: listener.ssl_policy.clone().unwrap_or_else(|| SSL_POLICY_DEFAULT.to_owned()),
            certificates: known.collect(),
        }),
    }
}

/// Returns the table for what is seen, without a version. The same world gives the same table.
pub fn table(seen: &Seen) -> RoutingTable {
    let reach = Reach::of(&seen.listeners, &seen.rules);
    let mut rules: BTreeMap<&Arn, Vec<RuleRoutes>> = BTreeMap::new();
    for rule in &seen.rules {
        rules.entry(&rule.listener).or_default().push(RuleRoutes {
            priority: rule.priority,
            conditions: rule.conditions.clone(),
            action: rule.action.clone(),
            transforms: rule.transforms.clone(),
        });
    }
    let mut listeners: BTreeMap<&Arn, Vec<ListenerRoutes>> = BTreeMap::new();
    for listener in &seen.listeners {
        let mut rules = rules.remove(&listener.arn).unwrap_or_default();
        rules.sort_by_key(|rule| rule.priority);
        listeners.entry(&listener.load_balancer).or_default().push(ListenerRoutes {
            arn: listener.arn.clone(),
            port: listener.port,
            default_action: listener.default_action.clone(),
            rules,
            attributes: listener.attributes.clone(),
            tls: tls(listener, &seen.certificates),
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
        attributes: load_balancer.attributes.clone(),
        listeners: listeners.remove(&load_balancer.arn).unwrap_or_default(),
    });
    let target_groups =
        seen.target_groups.iter().filter(|group| reach.has(&group.arn)).map(|group| TargetGroupRoutes {
            arn: group.arn.clone(),
            protocol_version: group.protocol_version,
            health_check: group.health_check.clone(),
            deregistration_delay_secs: group.deregistration_delay_secs,
            attributes: group.attributes.clone(),
            targets: targets.remove(&group.arn).unwrap_or_default(),
        });
    RoutingTable {
        version: 0,
        load_balancers: load_balancers.collect(),
        target_groups: target_groups.collect(),
    }
}

/// The groups that listeners and rules forward to, each with the load balancers that do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach(BTreeMap<Arn, BTreeSet<Arn>>);

impl Reach {
    /// Returns what these reach.
    pub fn of(listeners: &[Arc<Listener>], rules: &[Arc<Rule>]) -> Reach {
        let listeners = listeners.iter().map(|listener| (&listener.load_balancer, &listener.default_action));
        let rules = rules.iter().map(|rule| (&rule.load_balancer, &rule.action));
        let mut reach = Reach::default();
        for (load_balancer, action) in listeners.chain(rules) {
            reach.add(load_balancer, action);
        }
        reach
    }

    /// Adds what an action of a load balancer reaches.
    pub fn add(&mut self, load_balancer: &Arn, action: &Action) {
        for group in action.forwards_to() {
            self.0.entry(group.clone()).or_default().insert(load_balancer.clone());
        }
    }

    /// Returns whether anything forwards to the group.
    pub fn has(&self, group: &Arn) -> bool {
        self.0.contains_key(group)
    }

    /// Returns the load balancers that forward to the group.
    pub fn load_balancers(&self, group: &Arn) -> impl Iterator<Item = &Arn> {
        self.0.get(group).into_iter().flatten()
    }

    /// Returns how many groups a load balancer forwards to.
    pub fn groups(&self, load_balancer: &Arn) -> usize {
        self.0.values().filter(|load_balancers| load_balancers.contains(load_balancer)).count()
    }
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

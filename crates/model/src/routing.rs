//! The table that the load balancer routes by: all it needs to know, in one versioned value.

use crate::{
    Arn,
    attributes::{ListenerAttributes, LoadBalancerAttributes, TargetGroupAttributes},
    rule::{Condition, Transform},
    secret::Plain,
    target_group::{HealthCheck, ProtocolVersion, TargetAddress},
};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Everything the balancer serves. Sent whole; a newer version replaces an older one at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingTable {
    /// Grows with every change.
    pub version: u64,
    /// The load balancers.
    pub load_balancers: Vec<BalancerRoutes>,
    /// The target groups that any listener forwards to.
    pub target_groups: Vec<TargetGroupRoutes>,
}

/// A load balancer's part of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalancerRoutes {
    /// Its ARN.
    pub arn: Arn,
    /// Its DNS name; chooses among load balancers that share a port of the host.
    pub dns_name: String,
    /// Its own addresses, one in each of its subnets: it listens on them and connects to targets from them.
    pub addresses: Vec<Ipv4Addr>,
    /// The host's addresses that it is also served on; empty for internal ones.
    pub host_addresses: Vec<Ipv4Addr>,
    /// Seconds without a byte after which a connection is closed, and within which a target must answer.
    pub idle_timeout_secs: u32,
    /// Its other attributes.
    #[serde(default)]
    pub attributes: LoadBalancerAttributes,
    /// Its listeners.
    pub listeners: Vec<ListenerRoutes>,
}

/// A listener's part of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerRoutes {
    /// Its ARN.
    pub arn: Arn,
    /// Its port.
    pub port: u16,
    /// What is done with a request that no rule is for.
    pub default_action: Action,
    /// Its rules, by priority.
    #[serde(default)]
    pub rules: Vec<RuleRoutes>,
    /// Its attributes.
    #[serde(default)]
    pub attributes: ListenerAttributes,
    /// How TLS is spoken; nothing when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsRoutes>,
}

/// How a listener speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsRoutes {
    /// The security policy.
    pub policy: String,
    /// The certificates, the default one first.
    pub certificates: Vec<CertificateRoutes>,
}

/// A certificate that a listener presents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRoutes {
    /// The names that it is for.
    pub names: Vec<String>,
    /// The certificate and those between it and its root, PEM.
    pub chain: String,
    /// Its private key, PEM.
    pub key: Plain,
}

/// A rule's part of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRoutes {
    /// Its place among the listener's rules.
    pub priority: u32,
    /// What must hold of a request, all of it.
    pub conditions: Vec<Condition>,
    /// What is done with a request.
    pub action: Action,
    /// How a request is rewritten before it goes to a target.
    pub transforms: Vec<Transform>,
}

/// What is done with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Send it to a target of one of these groups, chosen by weight.
    Forward {
        /// The groups with their weights, 0 to 999.
        target_groups: Vec<(Arn, u32)>,
        /// Seconds that a client stays with the group that it was sent to first.
        #[serde(default)]
        sticky_secs: Option<u32>,
    },
    /// Answer it.
    FixedResponse {
        /// The status, 2xx, 4xx or 5xx.
        status_code: u16,
        /// The body's media type.
        content_type: Option<String>,
        /// The body, at most 1,024 bytes.
        message_body: Option<String>,
    },
    /// Send the client elsewhere. Each part may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}`, `#{query}`.
    Redirect {
        /// 301 or 302.
        status_code: u16,
        /// The scheme, `HTTP` or `HTTPS`.
        protocol: String,
        /// The host.
        host: String,
        /// The port.
        port: String,
        /// The path, with its slash.
        path: String,
        /// The query, without its question mark.
        query: String,
    },
}

/// A target group's part of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroupRoutes {
    /// Its ARN.
    pub arn: Arn,
    /// How requests go to its targets.
    #[serde(default)]
    pub protocol_version: ProtocolVersion,
    /// How targets are checked.
    pub health_check: HealthCheck,
    /// Seconds that a draining target's requests may take to end; what is left then is cut.
    pub deregistration_delay_secs: u32,
    /// Its other attributes.
    #[serde(default)]
    pub attributes: TargetGroupAttributes,
    /// The targets, draining ones included.
    pub targets: Vec<TargetRoute>,
}

/// A target in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRoute {
    /// Where it is.
    pub address: TargetAddress,
    /// Whether it gets no new requests.
    pub draining: bool,
}

impl TlsRoutes {
    /// Returns the names that its certificates are for.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.certificates.iter().flat_map(|certificate| &certificate.names)
    }
}

impl ListenerRoutes {
    /// Returns all its actions, the default one first.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        std::iter::once(&self.default_action).chain(self.rules.iter().map(|rule| &rule.action))
    }
}

impl Action {
    /// Returns the groups that it forwards to.
    pub fn forwards_to(&self) -> impl Iterator<Item = &Arn> {
        let groups = match self {
            Action::Forward { target_groups, .. } => target_groups.as_slice(),
            Action::FixedResponse { .. } | Action::Redirect { .. } => &[],
        };
        groups.iter().map(|(group, _)| group)
    }
}

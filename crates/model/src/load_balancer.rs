//! Load balancers and listeners.

use crate::{
    Arn, EniId, SecurityGroupId, SubnetId, Timestamp, VpcId,
    attributes::{ListenerAttributes, LoadBalancerAttributes},
    routing::Action,
    tag::Tag,
};
use serde::{Deserialize, Serialize};

/// An application load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// Its ARN.
    pub arn: Arn,
    /// Its name, unique in the account.
    pub name: String,
    /// `<name>-<10 digits>.<region>.elb.localhost`, `internal-` before it for internal ones.
    pub dns_name: String,
    /// Who may reach it.
    pub scheme: Scheme,
    /// The VPC of its subnets.
    pub vpc: VpcId,
    /// Its subnets, each with the interface it has there.
    pub subnets: Vec<(SubnetId, EniId)>,
    /// Its security groups.
    pub security_groups: Vec<SecurityGroupId>,
    /// Seconds without a byte after which a connection is closed.
    pub idle_timeout_secs: u32,
    /// Its other attributes.
    #[serde(default)]
    pub attributes: LoadBalancerAttributes,
    /// Where it stands.
    pub state: LoadBalancerState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Who may reach a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheme {
    /// Anyone: it is also served on the host's own address.
    InternetFacing,
    /// The VPC only.
    Internal,
}

/// Where a load balancer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoadBalancerState {
    /// Not yet served by a balancer.
    Provisioning,
    /// Served.
    Active,
    /// A listener cannot be served; why, in words.
    Failed(String),
}

/// A port that a load balancer listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Its ARN.
    pub arn: Arn,
    /// The load balancer.
    pub load_balancer: Arn,
    /// The port.
    pub port: u16,
    /// What it speaks.
    pub protocol: ListenerProtocol,
    /// What is done with a request that no rule is for.
    pub default_action: Action,
    /// Its attributes.
    #[serde(default)]
    pub attributes: ListenerAttributes,
    /// The certificates that it presents; the first to clients that name no host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Arn>,
    /// The security policy, with TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_policy: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// What a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListenerProtocol {
    /// HTTP/1 and cleartext HTTP/2.
    Http,
    /// HTTP by TLS.
    Https,
}

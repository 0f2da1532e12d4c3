//! Target groups, targets and their health.

use crate::{Arn, TaskId, Timestamp, VpcId, attributes::TargetGroupAttributes, tag::Tag};
use serde::{Deserialize, Serialize};
use std::{fmt, net::Ipv4Addr};

/// A group of addresses that a listener forwards to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroup {
    /// Its ARN.
    pub arn: Arn,
    /// Its name, unique in the account.
    pub name: String,
    /// The port of targets registered without one.
    pub port: u16,
    /// How requests go to its targets.
    #[serde(default)]
    pub protocol_version: ProtocolVersion,
    /// The VPC of its targets.
    pub vpc: VpcId,
    /// How targets are checked.
    pub health_check: HealthCheck,
    /// Seconds that a deregistered target's requests may take to end.
    pub deregistration_delay_secs: u32,
    /// Its other attributes.
    #[serde(default)]
    pub attributes: TargetGroupAttributes,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// How requests go to targets (`ProtocolVersion`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ProtocolVersion {
    /// By HTTP/1.1.
    #[default]
    Http1,
    /// By HTTP/2 without TLS.
    Http2,
    /// As calls of gRPC, by HTTP/2 without TLS.
    Grpc,
}

impl ProtocolVersion {
    /// All of them.
    pub const ALL: [ProtocolVersion; 3] =
        [ProtocolVersion::Http1, ProtocolVersion::Http2, ProtocolVersion::Grpc];

    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            ProtocolVersion::Http1 => "HTTP1",
            ProtocolVersion::Http2 => "HTTP2",
            ProtocolVersion::Grpc => "GRPC",
        }
    }
}

/// How targets are checked; the defaults are those of an application load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// Whether targets are checked.
    pub enabled: bool,
    /// The path asked for.
    pub path: String,
    /// The port asked; the target's own when absent (`traffic-port`).
    pub port: Option<u16>,
    /// Seconds between checks.
    pub interval_secs: u32,
    /// Seconds an answer may take.
    pub timeout_secs: u32,
    /// Passed checks in a row that make an unhealthy target healthy.
    pub healthy_threshold: u32,
    /// Failed checks in a row that make a target unhealthy.
    pub unhealthy_threshold: u32,
    /// The status codes that pass, such as `200`, `200,202` or `200-299`; gRPC's own for its calls.
    pub matcher: String,
}

impl Default for HealthCheck {
    fn default() -> HealthCheck {
        HealthCheck {
            enabled: true,
            path: "/".to_owned(),
            port: None,
            interval_secs: 30,
            timeout_secs: 5,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: "200".to_owned(),
        }
    }
}

impl HealthCheck {
    /// Returns how targets of a group are checked unless something else is said.
    pub fn of(version: ProtocolVersion) -> HealthCheck {
        match version {
            ProtocolVersion::Http1 | ProtocolVersion::Http2 => HealthCheck::default(),
            // What a server answers that does not know the call: it is there.
            ProtocolVersion::Grpc => HealthCheck {
                path: "/AWS.ALB/healthcheck".to_owned(),
                matcher: "12".to_owned(),
                ..HealthCheck::default()
            },
        }
    }
}

/// An address and port behind a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetAddress {
    /// The address.
    pub ip: Ipv4Addr,
    /// The port.
    pub port: u16,
}

impl fmt::Display for TargetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.ip, self.port)
    }
}

/// A registered target. The record goes when it has drained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The group it is registered with.
    pub target_group: Arn,
    /// Where it is.
    pub address: TargetAddress,
    /// The task that a service registered; absent for targets registered by hand.
    pub task: Option<TaskId>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it was deregistered: no new request goes to it from then on.
    pub draining_since: Option<Timestamp>,
}

/// What the balancer says of a target's health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHealth {
    /// The state.
    pub state: TargetState,
    /// AWS's reason code, such as `Target.ResponseCodeMismatch`.
    pub reason: Option<String>,
    /// The reason in words, such as `Health checks failed with these codes: [502]`.
    pub description: Option<String>,
}

/// A target's state (`TargetHealth.State`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TargetState {
    /// Not yet checked.
    Initial,
    /// Passing.
    Healthy,
    /// Failing.
    Unhealthy,
    /// Not reached by any listener.
    Unused,
    /// Deregistered, with requests still in flight.
    Draining,
    /// Its group is not checked.
    Unavailable,
}

impl TargetState {
    /// Returns the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            TargetState::Initial => "initial",
            TargetState::Healthy => "healthy",
            TargetState::Unhealthy => "unhealthy",
            TargetState::Unused => "unused",
            TargetState::Draining => "draining",
            TargetState::Unavailable => "unavailable",
        }
    }
}

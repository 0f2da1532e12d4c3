//! What is measured of load balancers and target groups: counts since their balancer started, by the metrics that
//! Amazon CloudWatch has of them.

use crate::Arn;
use serde::{Deserialize, Serialize};

/// What is measured, of all that is served.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measures {
    /// Of load balancers, by ARN.
    pub load_balancers: Vec<LoadBalancerMeasures>,
    /// Of target groups, by ARN.
    pub target_groups: Vec<TargetGroupMeasures>,
}

/// What is measured of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerMeasures {
    /// The load balancer.
    pub arn: Arn,
    /// Requests that came to a rule.
    pub requests: u64,
    /// Answers of its own, by status.
    pub statuses: Vec<(u16, u64)>,
    /// Connections of clients.
    pub connections: u64,
    /// Those that are open.
    pub connections_active: u64,
    /// Bytes from clients, in requests.
    pub received_bytes: u64,
    /// Bytes to clients, in answers.
    pub sent_bytes: u64,
}

/// What is measured of a target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroupMeasures {
    /// The target group.
    pub arn: Arn,
    /// The load balancer that forwards to it.
    pub load_balancer: Option<Arn>,
    /// Requests for which one of its targets was chosen.
    pub requests: u64,
    /// Answers of its targets, by status.
    pub statuses: Vec<(u16, u64)>,
    /// Connections that could not be made.
    pub connection_errors: u64,
    /// How long its targets took to answer.
    pub response_times: ResponseTimes,
    /// Targets whose checks pass, or which have none.
    pub healthy: u64,
    /// Targets whose checks fail.
    pub unhealthy: u64,
}

/// How long answers took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseTimes {
    /// How many took at most as long as each of [`RESPONSE_TIME_BOUNDS_MS`] and longer than the one before; the last
    /// is of those that took longer than any.
    pub counts: Vec<u64>,
    /// The sum of all.
    pub sum_us: u64,
}

/// Where response times are parted.
pub const RESPONSE_TIME_BOUNDS_MS: [u32; 15] =
    [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];

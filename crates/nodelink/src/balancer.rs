//! Control and balancer.

use serde::{Deserialize, Serialize};
use wharf_model::{
    Arn,
    measures::Measures,
    routing::RoutingTable,
    target_group::{TargetAddress, TargetHealth},
};

/// From control to the balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToBalancer {
    /// Serve this from now on.
    Table(RoutingTable),
}

/// From the balancer to control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FromBalancer {
    /// The first frame.
    Hello {
        /// [`crate::VERSION`].
        version: u32,
        /// The table it serves already; 0 for none.
        table_version: u64,
    },
    /// The table is in force: no request starts by an older one any more.
    Applied {
        /// The table's version.
        version: u64,
        /// What of it cannot be served, such as a port that is taken.
        problems: Vec<ListenProblem>,
    },
    /// A target's health changed, or the connection is new.
    Health {
        /// The target group.
        target_group: Arn,
        /// The target.
        target: TargetAddress,
        /// Its health.
        health: TargetHealth,
    },
    /// A draining target of an applied table has no request in flight, or its delay is over.
    Drained {
        /// The target group.
        target_group: Arn,
        /// The target.
        target: TargetAddress,
    },
    /// What was counted since the balancer started.
    Measured(Measures),
}

/// A listener address that cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenProblem {
    /// The listener.
    pub listener: Arn,
    /// The address and port, `ip:port`.
    pub address: String,
    /// Why, in words.
    pub reason: String,
}

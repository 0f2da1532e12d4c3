//! The connections to the processes of a node.

pub mod balancer;
pub mod board;

//! The connections to the processes of a node.

pub(crate) mod agent;
pub mod balancer;
pub mod board;
pub mod commands;

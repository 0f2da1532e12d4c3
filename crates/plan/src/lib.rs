//! The decisions: pure functions from what is wanted and what is seen to what is done next.

pub mod attributes;
pub mod capacity;
pub mod command_line;
pub mod egress;
pub mod fargate;
pub mod firelens;
pub mod flow_log;
pub mod image_cleanup;
pub mod image_lifecycle;
pub mod links;
pub mod logging;
pub mod mounts;
pub mod placement;
pub mod query;
pub mod routing;
pub mod rule;
pub mod service;
pub mod task;
pub mod wildcard;

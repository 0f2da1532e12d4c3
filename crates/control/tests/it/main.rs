//! The control plane with a node and a balancer that are played: operations, loops and links together.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod balancer;
mod certificates;
mod https;
mod node;
mod provisions;
mod services;
mod tasks;
mod world;

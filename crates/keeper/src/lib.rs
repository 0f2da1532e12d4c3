//! The small process that is every container's parent: spawns, reaps, drains output to files, remembers exits.

pub mod output;
pub mod protocol;

mod client;
mod clock;
mod wire;

pub use client::{Client, ClientError, Exits};

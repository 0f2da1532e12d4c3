//! The node: one supervisor per task, log delivery, metadata endpoints.
//!
//! ```text
//!   control ◀── link ──▶ node ──▶ supervisor, one per task ──▶ wharf_plan::task decides
//!                outbox ◀──────────┤     │  │  │
//!                   ▲              │     │  │  └ metadata, inside the task's network namespace
//!                   └─ logs ◀──────┘     │  └ image: pulled and unpacked layers
//!                                        ├ fabric: network slots, firewall
//!                                        └ keeper: containers, exits
//! ```
//!
//! The agent may die at any point: a task's journal (`record`) names all that may have been begun for it, its
//! supervisor begins again from there, and what belongs to no task is removed (`sweep`). Containers are keeper's and run
//! on meanwhile. Control may be away for as long as it likes: tasks run on, and reports and log lines wait (`outbox`).

mod config;
mod error;
mod identity;
mod link;
mod local;
mod node;
mod outbox;
mod sweep;

mod record;
mod supervisor;

mod execution;
mod fabric;
mod files;
mod firelens;
mod given;
mod image;
mod keeper;
mod logs;
mod metadata;
mod spec;
mod steps;
mod stop_signal;
mod volumes;

mod clock;
mod disk;
#[cfg(test)]
mod examples;

pub use config::{AgentConfig, ImageLimits};
pub use error::Error;
pub use fabric::foreign_route;
pub use steps::Steps;
pub use sweep::purge;

/// Runs the node for ever, on a runtime of several threads. Returns only what keeps it from starting.
pub async fn run(config: AgentConfig) -> Result<(), Error> {
    let node = node::Node::open(config)?;
    if let Some(settings) = disk::load(&node::Node::settings_file(&node.config))? {
        node.settle(settings).await?;
    }
    local::serve(&node.config.local_socket(), node.images.clone())?;
    match link::hold(node).await {}
}

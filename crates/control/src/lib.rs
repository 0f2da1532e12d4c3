//! The control plane: operations that write intent, loops that bring the world to it.
//!
//! Reading order: [`Control`] is what every operation and loop is handed; `operations` has one file per noun,
//! `loops` one per loop, `links` the connections to the agent and the balancer. Decisions are in `wharf-plan`.

mod config;
mod control;
pub mod ids;
pub mod links;
pub mod local;
pub mod log_store;
mod look;
pub mod loops;
pub mod operations;
mod serve;
pub mod simulated;
pub mod vault;

pub use config::Config;
pub use control::{Control, StartError};
pub use serve::{ServeError, serve};
pub use wharf_store::{StoreError, View};

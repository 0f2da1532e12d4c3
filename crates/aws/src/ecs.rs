//! Request and response shapes of Amazon ECS.
//!
//! Members that AWS has and this version does not honour are gathered by [`Others`], so that the operation can refuse
//! them by name.

mod clusters;
mod commands;
mod others;
mod services;
mod tags;
mod task_definitions;
mod tasks;

pub use clusters::*;
pub use commands::*;
pub use others::Others;
pub use services::*;
pub use tags::*;
pub use task_definitions::*;
pub use tasks::*;

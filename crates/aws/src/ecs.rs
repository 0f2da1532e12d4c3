//! Request and response shapes of Amazon ECS.
//!
//! Members that AWS has and this version does not honour are gathered by [`Others`], so that the operation can refuse
//! them by name.

mod account_settings;
mod agents;
mod attributes;
mod capacity_providers;
mod clusters;
mod commands;
mod instances;
mod others;
mod placement;
mod protection;
mod service_deployments;
mod services;
mod tags;
mod task_definitions;
mod task_sets;
mod tasks;

pub use account_settings::*;
pub use agents::*;
pub use attributes::*;
pub use capacity_providers::*;
pub use clusters::*;
pub use commands::*;
pub use instances::*;
pub use others::Others;
pub use placement::*;
pub use protection::*;
pub use service_deployments::*;
pub use services::*;
pub use tags::*;
pub use task_definitions::*;
pub use task_sets::*;
pub use tasks::*;

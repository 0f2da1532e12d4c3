//! What can be asked of the control plane: one file per noun. Operations validate and write intent; some are
//! functions over a store's draft, for others to use inside a transaction of their own.

pub mod account_settings;
pub mod agent_reports;
pub mod attributes;
pub mod balancing;
pub mod capacity_providers;
pub mod certificates;
pub mod clusters;
pub mod commands;
mod error;
pub mod file_systems;
pub mod images;
pub mod instances;
pub mod interfaces;
pub(crate) mod launch;
pub mod lifecycle_policies;
pub mod listeners;
pub mod load_balancers;
pub mod log_groups;
pub(crate) mod network_configuration;
pub mod networks;
pub mod parameters;
pub(crate) mod pinned_images;
pub mod protection;
pub mod references;
pub mod repositories;
pub mod reset;
pub mod restored;
pub mod rules;
pub mod run_task;
pub mod secrets;
pub mod service_deployments;
pub mod services;
pub mod start_task;
pub mod tags;
pub mod target_groups;
pub mod targets;
pub mod task_credentials;
pub mod task_definitions;
pub mod task_sets;
pub mod tasks;

pub use error::{Described, Error, Failure};
#[cfg(test)]
pub(crate) mod world;

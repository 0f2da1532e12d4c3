//! What can be asked of the control plane: one file per noun. Operations validate and write intent; some are
//! functions over a store's draft, for others to use inside a transaction of their own.

pub mod balancing;
pub mod interfaces;
pub mod listeners;
pub mod load_balancers;
pub mod log_groups;
pub mod networks;
pub mod repositories;
pub mod reset;
pub mod target_groups;
pub mod targets;

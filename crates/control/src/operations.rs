//! What can be asked of the control plane: one file per noun. Operations validate and write intent; some are
//! functions over a store's draft, for others to use inside a transaction of their own.

pub mod interfaces;
pub mod log_groups;
pub mod networks;
pub mod repositories;
pub mod targets;

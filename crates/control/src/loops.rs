//! The loops: each compares what is wanted with what is seen, and writes what is wanted next.

pub(crate) mod images;
pub(crate) mod retention;
pub mod routing;
pub(crate) mod services;
pub(crate) mod tasks;
pub mod upkeep;

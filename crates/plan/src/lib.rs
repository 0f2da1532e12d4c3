//! The decisions: pure functions from what is wanted and what is seen to what is done next.

pub mod task;

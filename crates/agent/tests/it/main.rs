//! The agent with a real keeper, real containers and a control plane that only says what the test says. Needs root,
//! and `busybox` built statically.
#![allow(unsafe_code, reason = "keeper, agent and registry under test are forks of the test")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of this is a test")]

mod control;
mod machine;
mod registry;

mod lives;
mod many;
mod restart;
mod steps;
mod tasks;

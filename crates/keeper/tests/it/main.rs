//! Keeper with real containers. Needs root, and `busybox` built statically.
#![allow(unsafe_code, reason = "the keeper under test is a fork of the test")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test ends by panicking and prints what it measured"
)]

mod exec;
mod given;
mod life;
mod machine;
mod restart;
mod volumes;

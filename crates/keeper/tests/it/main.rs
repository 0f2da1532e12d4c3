//! Keeper with real containers. Needs root, and `busybox` built statically.
#![allow(unsafe_code, reason = "the keeper under test is a fork of the test")]

mod life;
mod machine;
mod restart;

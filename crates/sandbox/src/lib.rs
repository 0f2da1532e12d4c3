//! What the kernel does for a task: network namespace, addresses, firewall, cgroup, mounts, OCI spec, libcontainer.
#![allow(unsafe_code, reason = "this crate and keeper are where the kernel is talked to")]

pub mod cgroup;
pub mod descriptors;
pub mod exec;
pub mod firewall;
pub mod inside;
pub mod mounts;
pub mod network;
pub mod nft;
pub mod rootfs;
pub mod runtime;
pub mod seccomp;
pub mod spec;
pub mod storage;

#[cfg(test)]
mod testbed;

//! The messages between the control plane and the processes of a node, with their version and framing.
//!
//! Control listens on two unix sockets: the agent connects to one and speaks [`agent`], the balancer connects to
//! the other and speaks [`balancer`]. Each frame is a length (u32, big endian) and that many bytes of JSON. Every
//! connection starts with the node's `Hello`, which carries [`VERSION`]; a mismatch ends it with a reason.
//! Whatever is sent is state, not a step: both sides may say everything again after a reconnect.

pub mod agent;
pub mod balancer;
pub mod exec;
mod frame;
pub mod local;
pub mod provisions;

pub use frame::{FrameError, MAX_FRAME_BYTES, read_frame, write_frame};

/// The protocol's version; both sides must have the same.
pub const VERSION: u32 = 3;

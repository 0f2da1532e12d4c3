//! What the end-to-end tests stand on: a Wharf of their own, the AWS CLI pointed at it, an HTTP client that keeps
//! its connection, and a census of what the kernel holds.
//!
//! `WHARF_BINARY` names the binary under test (default: `release/wharf` in the target folder), `WHARF_BUNDLES` the
//! folder where `scripts/bundles` left the images (default: `~/.cache/wharf/bundles`); the AWS CLI is the `aws` on
//! the path.

mod aws;
mod census;
mod disk;
mod http;
mod inside;
mod places;
mod plugin;
mod wait;
mod wharf;
mod world;

pub use aws::Aws;
pub use census::Census;
pub use disk::Disk;
pub use http::{Answer, Client, Failure, get, request};
pub use inside::{Connection, Inside};
pub use places::{bundle, run};
pub use plugin::Plugin;
pub use wait::{eventually, within};
pub use wharf::{Lived, Wharf, vpc_address};
pub use world::World;

//! The AWS protocols: codecs, SigV4, error envelopes, and the request and response shapes.
//!
//! How a shape file (`ecs.rs`, `elbv2.rs`, …) is written:
//!
//! - An input is a `#[derive(Deserialize)]` struct whose fields carry the names of the wire
//!   (`rename_all = "camelCase"` for JSON services and EC2's answers, `"PascalCase"` for Query and
//!   EC2's inputs). Give every member `#[serde(default)]` at the top of the struct, `Option<T>` or
//!   `Vec<T>`: what AWS calls "required" is checked by the operation, which knows the error to give.
//!   Unknown members are ignored, `null` counts as absent.
//! - A list is a `Vec<T>` everywhere. The form decoder takes both `Name.member.1` and `Name.1`; the
//!   XML encoder writes `<member>` for Query and `<item>` for EC2.
//! - An output is a `#[derive(Serialize)]` struct. `skip_serializing_if` what AWS leaves out; lists
//!   that AWS returns empty are not skipped. `()` is an answer without members.
//! - A point in time is [`Timestamp`]: seconds as a number in JSON, ISO 8601 in XML.
//! - An input without members is [`Empty`].
//!
//! Not understood by the XML side: `#[serde(flatten)]`, enums with data.

pub mod acm;
mod codec;
pub mod ec2;
pub mod ecr;
pub mod ecs;
pub mod efs;
pub mod elbv2;
pub mod error;
pub mod form;
mod hidden;
pub mod json;
pub mod logs;
pub mod mac;
pub mod page;
pub mod secrets_manager;
pub mod service;
pub mod session;
pub mod sigv4;
pub mod ssm;
pub mod sts;
mod tag;
mod timestamp;
pub mod xml;

pub use codec::{DecodeError, Empty, EncodeError, decode, encode};
pub use hidden::Hidden;
pub use service::{Protocol, Service};
pub use tag::{LooseTag, Tag};
pub use timestamp::Timestamp;

//! The HTTP front: action name to operation, shapes to model, errors to AWS codes.
//!
//! A request passes `server` (one task per connection, limits, time-outs), `front` (which service and
//! operation is meant), `auth` (whose signature it is) and `dispatch`, which hands it to its service's
//! module. What comes back, an [`Answer`] or a [`Fault`], is written in the caller's protocol.
//!
//! # How to add an action
//!
//! 1. Its shapes go into `wharf_aws::<service>`: a `Deserialize` input, a `Serialize` output.
//! 2. Its rules go into `wharf_control`.
//! 3. One arm in the service's `dispatch`, in `crates/api/src/<service>.rs`:
//!
//! ```ignore
//! pub async fn dispatch(control: &Control, caller: &Caller, operation: &str, body: Body) -> Result<Answer, Fault> {
//!     match operation {
//!         "CreateCluster" => answer(body, |input| clusters::create(control, caller, input)).await,
//!         "StopTask" => answer(body, async |input: StopTaskInput| { … Ok::<_, Fault>(output) }).await,
//!         _ => Err(Fault::unknown_operation()),
//!     }
//! }
//! ```
//!
//! [`answer`] decodes the body (JSON or form, by the service's protocol), runs the closure and encodes
//! what it returns (JSON or XML). The closure's error is anything that is `Into<Fault>`: write one
//! `impl From<&control::Error>`-like exhaustive match per service, with [`Fault::caller`] for what the
//! caller can mend and [`Fault::ours`] for what only the log shall tell.
//!
//! 4. One case in `tests/compat`.

#![warn(clippy::wildcard_enum_match_arm)]

mod access;
pub mod acm;
mod answer;
mod auth;
mod caller;
mod data_channel;
pub mod ec2;
pub mod ecr;
pub mod ecs;
pub mod efs;
pub mod elbv2;
mod error;
mod front;
mod given;
pub mod logs;
mod metrics;
mod route;
pub mod secrets_manager;
mod server;
mod services;
pub mod ssm;
pub mod sts;
mod throttle;

pub use access::TaskScope;
pub use answer::{Answer, Body, answer};
pub use auth::{Auth, Key, RegistryToken, RegistryTokens};
pub use caller::{ACCOUNT, Caller};
pub use error::Fault;
pub use front::{BoxError, ResponseBody};
pub use server::{Api, ServeError};
pub use services::Call;
pub use throttle::Rate;

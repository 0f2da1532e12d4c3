//! The balancer on loopback, between a control and targets that the tests hold.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod draining;
mod listening;
mod passing;
mod refusing;
mod serving;
mod world;

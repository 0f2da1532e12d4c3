//! The balancer on loopback, between a control and targets that the tests hold.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod attributes;
mod counting;
mod draining;
mod frames;
mod grpc;
mod http2;
mod listening;
mod logs;
mod passing;
mod promises;
mod refusing;
mod rules;
mod serving;
mod smuggling;
mod sticky;
mod tls;
mod world;

//! The balancer on loopback, between a control and targets that the tests hold.

mod draining;
mod listening;
mod refusing;
mod serving;
mod world;

//! The resolver of tasks: it answers names of load balancers and of the VPC's addresses, and asks the host's resolvers
//! for the rest.
//!
//! `message` reads questions and writes answers, `names` knows what is answered here, `upstream` asks others, and
//! `server` is one task's resolver over sockets that somebody else opened in the task's network namespace. Who asks is
//! known by the socket. An answer is never kept: whoever is asked here knows better the next time.

mod budget;
mod message;
mod names;
mod server;
mod upstream;

pub use names::{Names, VpcNames};
pub use server::serve;
pub use upstream::Upstreams;

//! What a control plane is told at its start.

use camino::Utf8PathBuf;
use std::net::{Ipv4Addr, SocketAddr};
use wharf_model::{Place, network::Cidr};

/// The configuration; every value is checked before anything starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// The region and account that ARNs carry.
    pub place: Place,
    /// Where the API answers; also in the addresses of the own image registry.
    pub endpoint: SocketAddr,
    /// Where state is kept: log events lie below it.
    pub state_dir: Utf8PathBuf,
    /// The default VPC's block, a /16: three /20 subnets are made in it.
    pub vpc_cidr: Cidr,
    /// The block that public addresses are taken from.
    pub public_cidr: Cidr,
    /// The host's addresses that internet-facing load balancers are also served on.
    pub host_addresses: Vec<Ipv4Addr>,
    /// The secret that image registry passwords are derived from.
    pub registry_password: String,
    /// Seconds that a task without health checks must run before it counts as healthy (40 on AWS).
    pub healthy_after_secs: u32,
    /// Whether all nodes are simulated: nothing runs, and nobody balances load.
    pub simulated: bool,
}

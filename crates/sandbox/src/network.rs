//! The network of tasks on this host.
//!
//! ```text
//!   host namespace                                     slot's namespace
//!   unreachable 172.31.0.0/16                          lo    127.0.0.1, 169.254.170.2/32
//!                                                            169.254.169.253/32
//!   wharf-lb  (bridge without ports):                  eth0  <ip>/32, the task's MAC
//!             host address, balancers' addresses             default via <gateway>, permanent neighbour
//!   <ip>/32 dev wh… src <host address>  ──── veth ────       unreachable 169.254.169.254
//! ```
//!
//! A [`Slot`] is a namespace with its veth pair, made ahead of need. [`Network::assign`] gives it a task's
//! address, [`Network::release`] takes everything back. Who may talk to whom is `firewall`'s matter.

use std::fmt;
use std::net::Ipv4Addr;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

mod host;
mod link;
mod namespace;
mod port;
mod redirect;
mod slot;
#[cfg(test)]
pub(crate) mod tests;

pub use host::Network;
#[cfg(test)]
pub(crate) use namespace::within;
pub use namespace::{METADATA_ADDRESS, RESOLVER_ADDRESS};
pub use port::{keep_tcp_port, keep_udp_port};
pub use slot::{Slot, SlotName};

/// An IPv4 network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cidr {
    /// First address.
    pub address: Ipv4Addr,
    /// Length of the prefix in bits.
    pub prefix: u8,
}

impl Cidr {
    /// Returns whether an address lies in this network.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
        u32::from(address) & mask == u32::from(self.address) & mask
    }

    /// Returns whether two networks share an address.
    pub fn overlaps(&self, other: &Cidr) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

/// What the network of this host is like.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// Networks whose addresses never leave by the default route: each VPC's, and the public pool.
    pub served: Vec<Cidr>,
    /// The address the host itself has towards tasks, in the VPC and never a task's (172.31.0.1).
    pub host_address: Ipv4Addr,
    /// Name of the device that holds the load balancers' addresses (`wharf-lb`).
    pub balancer_device: String,
    /// What the host's ends of veth pairs are called, at most 5 characters; the firewall matches it (`wh`).
    pub veth_prefix: String,
    /// Where namespaces are kept by bind mounts (`/run/wharf/netns`).
    pub netns_dir: Utf8PathBuf,
    /// Where the kernel settings found before are remembered (`/run/wharf/host-settings.json`).
    pub settings_file: Utf8PathBuf,
}

/// A route of this host that somebody else made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignRoute {
    /// Where it leads.
    pub cidr: Cidr,
    /// The device, if it has one: routes that refuse have none.
    pub device: Option<String>,
}

impl fmt::Display for ForeignRoute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.device {
            Some(device) => write!(formatter, "{} dev {device}", self.cidr),
            None => write!(formatter, "unreachable {}", self.cidr),
        }
    }
}

/// A task's network identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The private address.
    pub ip: Ipv4Addr,
    /// The subnet's router.
    pub gateway: Ipv4Addr,
    /// The interface's hardware address.
    pub mac: [u8; 6],
    /// The public address, if one is assigned.
    pub public_ip: Option<Ipv4Addr>,
}

/// Why the kernel's network could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A netlink request was refused.
    #[error("{what} {name}")]
    Netlink { what: &'static str, name: String, source: rtnetlink::Error },
    /// A file or system call failed.
    #[error("{what} {name}")]
    System { what: &'static str, name: String, source: std::io::Error },
    /// The configuration cannot work.
    #[error("veth prefix {0} is longer than 5 characters")]
    VethPrefix(String),
}

impl NetworkError {
    pub(crate) fn netlink(
        what: &'static str,
        name: impl ToString,
    ) -> impl FnOnce(rtnetlink::Error) -> NetworkError {
        let name = name.to_string();
        move |source| NetworkError::Netlink { what, name, source }
    }

    pub(crate) fn system<E: Into<std::io::Error>>(
        what: &'static str,
        name: impl ToString,
    ) -> impl FnOnce(E) -> NetworkError {
        let name = name.to_string();
        move |source| NetworkError::System { what, name, source: source.into() }
    }
}

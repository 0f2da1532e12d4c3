//! Security groups, anti-spoofing and public addresses, as one nftables table.
//!
//! A change of groups or their rules loads the whole table through `nft` in one transaction
//! ([`Firewall::apply`]). A task that comes or goes only adds or removes set elements, over netlink without a
//! process ([`Firewall::add`], [`Firewall::remove`]): membership lives in one set of addresses per group,
//! and rules refer to the sets.
//!
//! ```text
//! raw prerouting   from our veths: iifname . saddr must be in @owners        (anti-spoof; IPv6 dropped)
//! nat prerouting/output    daddr in @public → the task's address             (DNAT)
//! nat postrouting          saddr in @translated, leaving the host            (masquerade)
//! forward, input    1. from our veths: egress rules of the sender's groups
//!                   2. to our veths or a balancer: ingress rules of the receiver's groups
//! output            saddr in @balancers: both; anything else of the host may reach tasks
//! input             from our veths: nothing of the host but balancers
//! ```

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::network::Cidr;
use crate::nft;
use elements::member_elements;
use netlink::Change;

mod elements;
mod netlink;
mod script;
#[cfg(test)]
mod tests;

/// How the table is called and what it governs.
#[derive(Clone, Debug)]
pub struct FirewallConfig {
    /// The table's name in family `inet` (`wharf`).
    pub table: String,
    /// What the host's ends of veth pairs begin with.
    pub veth_prefix: String,
}

/// Everything the table is to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruleset {
    /// Every security group that a member has or a rule names.
    pub groups: Vec<SecurityGroup>,
    /// Tasks on this host.
    pub members: Vec<Member>,
    /// Load balancers' addresses on this host.
    pub balancers: Vec<Balancer>,
}

/// A security group with its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its id, such as `sg-0123…`.
    pub id: String,
    /// What may come in.
    pub ingress: Vec<Permission>,
    /// What may go out.
    pub egress: Vec<Permission>,
}

/// One rule: a protocol and some peers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// What is allowed.
    pub protocol: Protocol,
    /// Networks it is allowed with.
    pub cidrs: Vec<Cidr>,
    /// Ids of groups whose members it is allowed with.
    pub groups: Vec<String>,
}

/// Protocols a rule can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    /// All traffic.
    Any,
    /// TCP to a range of ports.
    Tcp { from: u16, to: u16 },
    /// UDP to a range of ports.
    Udp { from: u16, to: u16 },
    /// ICMP; `None` is every type, or every code.
    Icmp { kind: Option<u8>, code: Option<u8> },
    /// Another protocol by its number.
    Number(u8),
}

/// A task of this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its private address.
    pub ip: Ipv4Addr,
    /// The host's end of its veth pair ([`crate::network::Slot::veth`]).
    pub veth: String,
    /// Ids of its groups.
    pub groups: Vec<String>,
    /// Its public address, if one is assigned.
    pub public_ip: Option<Ipv4Addr>,
}

/// A load balancer's address on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balancer {
    /// Its address.
    pub ip: Ipv4Addr,
    /// Ids of its groups.
    pub groups: Vec<String>,
}

/// Why the table could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum FirewallError {
    /// A name would not survive nftables' grammar.
    #[error("{what} {name} cannot be used in the firewall")]
    Name { what: &'static str, name: String },
    /// A member or rule names a group that is not in the rule set.
    #[error("security group {0} is not in the rule set")]
    UnknownGroup(String),
    /// The rule set was not loaded.
    #[error(transparent)]
    Load(#[from] nft::LoadError),
    /// The netlink socket failed.
    #[error("{what} over netlink")]
    Netlink { what: &'static str, source: std::io::Error },
}

/// The table in the kernel. Its socket belongs to the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct Firewall {
    config: FirewallConfig,
    socket: netlink::Socket,
}

impl Firewall {
    /// Connects to the kernel; the table is made by the first [`Firewall::apply`].
    pub fn open(config: FirewallConfig) -> Result<Firewall, FirewallError> {
        for name in [&config.table, &config.veth_prefix] {
            let fits =
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !fits {
                return Err(FirewallError::Name { what: "name", name: name.clone() });
            }
        }
        let opened = netlink::Socket::open();
        let socket = opened.map_err(|source| FirewallError::Netlink { what: "connect", source })?;
        Ok(Firewall { config, socket })
    }

    /// Replaces the whole table in one transaction. Connections that are established stay.
    ///
    /// Runs `nft` and waits for it, some milliseconds.
    pub fn apply(&mut self, rules: &Ruleset) -> Result<(), FirewallError> {
        Ok(nft::load(&script::render(&self.config, rules)?)?)
    }

    /// Adds a task that was not in the last rule set, or is again. Its groups must be in the table.
    pub fn add(&mut self, member: &Member) -> Result<(), FirewallError> {
        let elements = member_elements(member)?;
        let changed = self.socket.change(Change::Add, &self.config.table, &elements);
        changed.map_err(|source| FirewallError::Netlink { what: "add a task", source })
    }

    /// Removes a task. Safe to repeat.
    pub fn remove(&mut self, member: &Member) -> Result<(), FirewallError> {
        let elements = member_elements(member)?;
        let failed = |source| FirewallError::Netlink { what: "remove a task", source };
        match self.socket.change(Change::Remove, &self.config.table, &elements) {
            Ok(()) => Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
                // Something was not there and so nothing was removed: one by one then.
                for element in elements {
                    match self.socket.change(Change::Remove, &self.config.table, &[element]) {
                        Err(error) if error.raw_os_error() != Some(libc::ENOENT) => {
                            return Err(failed(error));
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Removes the table. Safe to repeat.
    pub fn tear_down(&mut self) -> Result<(), FirewallError> {
        let table = &self.config.table;
        Ok(nft::load(&format!("add table inet {table}\ndelete table inet {table}\n"))?)
    }
}

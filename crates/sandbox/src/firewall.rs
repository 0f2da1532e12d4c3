//! Security groups, VPCs, ways out, anti-spoofing, public addresses and host ports, as one nftables table.
//!
//! A change of groups or their rules loads the whole table through `nft` in one transaction
//! ([`Firewall::apply`]). A task that comes or goes only adds or removes set elements, over netlink without a
//! process ([`Firewall::add`], [`Firewall::remove`]): membership lives in one set of addresses per group, VPC and subnet,
//! and rules refer to the sets.
//!
//! ```text
//! raw prerouting   from our veths: iifname . saddr must be in @owners        (anti-spoof; IPv6 dropped)
//! nat prerouting/output    daddr in @public → the task's address             (DNAT)
//!                          a port of the host in @host_ports → task and port (DNAT)
//! nat postrouting          saddr in @tasks or @balancers, leaving the host   (masquerade)
//! forward, input    1. from our veths: a way there, and the egress rules of the sender's groups
//!                   2. to our veths or a balancer: ingress rules of the receiver's groups
//! output            saddr in @balancers: both; anything else of the host may reach tasks
//! input             from our veths: nothing of the host but balancers
//! ```
//!
//! A way is the VPC's own, or what the sender's subnet has a route to: by an internet gateway with a public address, by
//! NAT without one. Bridged tasks have no group and no VPC: they are reached by host ports, and leave as the host does.
//!
//! Packets of connections that were let through pass without another look. So when rules are taken away,
//! [`Firewall::cut`] ends the connections that are no longer allowed, and a TCP packet that belongs to no connection and
//! opens none is dropped, whoever might send it.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::network::Cidr;
use crate::nft;
use elements::member_elements;
use netlink::Change;

mod conntrack;
mod elements;
mod judge;
pub mod meter;
pub(crate) mod netlink;
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
    /// The address that the host has towards tasks.
    pub host_address: Option<Ipv4Addr>,
    /// Every security group that a member has or a rule names.
    pub groups: Vec<SecurityGroup>,
    /// Every VPC that a member or balancer is in, by its id.
    pub vpcs: Vec<String>,
    /// The ways out of every subnet that a member is in.
    pub subnets: Vec<Subnet>,
    /// Tasks on this host.
    pub members: Vec<Member>,
    /// Load balancers' addresses on this host.
    pub balancers: Vec<Balancer>,
}

/// A subnet's ways out of its VPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Its id, such as `subnet-0123…`.
    pub id: String,
    /// Networks and where packets to them go, longest prefix first. What none covers is dropped.
    pub ways: Vec<(Cidr, Way)>,
}

/// Where packets of a subnet go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// Out, for members with a public address.
    Internet,
    /// Out, for every member.
    Nat,
    /// Nowhere.
    Nowhere,
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
    /// How it is connected.
    pub place: Place,
}

/// How a task is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// By an interface of its own in a VPC.
    Vpc {
        /// The VPC's id.
        vpc: String,
        /// The subnet's id; without one there is no way out.
        subnet: Option<String>,
        /// Ids of its groups.
        groups: Vec<String>,
        /// Its public address, if one is assigned.
        public_ip: Option<Ipv4Addr>,
    },
    /// Behind the host, by ports of the host.
    Bridge {
        /// The ports.
        ports: Vec<HostPort>,
    },
}

/// A port of the host that leads to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPort {
    /// The protocol's number: 6 for TCP, 17 for UDP.
    pub protocol: u8,
    /// The port of the host.
    pub host: u16,
    /// The port in the task.
    pub task: u16,
}

/// A load balancer's address on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balancer {
    /// Its address.
    pub ip: Ipv4Addr,
    /// The id of its VPC.
    pub vpc: String,
    /// Ids of its groups.
    pub groups: Vec<String>,
}

/// Why the table could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum FirewallError {
    /// A name would not survive nftables' grammar.
    #[error("{what} {name} cannot be used in the firewall")]
    Name { what: &'static str, name: String },
    /// A member or rule names a group, VPC or subnet that is not in the rule set.
    #[error("{0} is not in the rule set")]
    Unknown(String),
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

    /// Says whether the table is there: who manages a machine's firewall may flush all of it.
    pub fn is_there(&mut self) -> Result<bool, FirewallError> {
        let looked = self.socket.has_table(&self.config.table);
        looked.map_err(|source| FirewallError::Netlink { what: "look for the table", source })
    }

    /// Ends the tracked connections that these rules do not allow; returns how many those were.
    pub fn cut(&mut self, rules: &Ruleset) -> Result<usize, FirewallError> {
        let judge = judge::Judge::new(rules);
        self.end_flows("end connections that are no longer allowed", |flow| !judge.allows(flow))
    }

    /// Ends the tracked connections of addresses that nobody has any more; returns how many those were.
    pub fn forget(&mut self, gone: &[Ipv4Addr]) -> Result<usize, FirewallError> {
        self.end_flows("forget connections of tasks that are gone", |flow| {
            gone.contains(&flow.from) || gone.contains(&flow.to)
        })
    }

    fn end_flows(
        &mut self,
        what: &'static str,
        ends: impl Fn(&judge::Flow) -> bool,
    ) -> Result<usize, FirewallError> {
        let failed = |source| FirewallError::Netlink { what, source };
        let tracked = conntrack::list(&self.socket).map_err(failed)?;
        let ending: Vec<_> = tracked.into_iter().filter(|tracked| ends(&tracked.flow)).collect();
        for tracked in &ending {
            conntrack::end(&self.socket, tracked).map_err(failed)?;
        }
        Ok(ending.len())
    }

    /// Removes the table. Safe to repeat.
    pub fn tear_down(&mut self) -> Result<(), FirewallError> {
        let table = &self.config.table;
        Ok(nft::load(&format!("add table inet {table}\ndelete table inet {table}\n"))?)
    }
}

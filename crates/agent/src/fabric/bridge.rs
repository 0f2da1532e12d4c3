//! Tasks behind the host: an address that nobody else sees, and ports of the host that lead there.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    net::Ipv4Addr,
    os::fd::OwnedFd,
};

use serde::{Deserialize, Serialize};
use wharf_model::{
    network::MacAddress,
    task::NetworkBinding,
    task_definition::{ContainerDefinition, NetworkMode, Transport},
};
use wharf_sandbox::{
    firewall::HostPort,
    network::{self, Address},
};

/// Where bridged tasks have their addresses: a link-local block, because it is on nobody's network. ECS keeps the same one
/// for itself on an instance.
const FIRST: u32 = u32::from_be_bytes([169, 254, 172, 0]);
const SIZE: u32 = 1 << 10;
/// Network, router and broadcast are nobody's.
const TASKS: std::ops::Range<u32> = 2..SIZE - 1;

/// What a bridged task has of its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bridge {
    /// Its address.
    pub(crate) ip: Ipv4Addr,
    /// The host's ports, each with the container it leads to.
    pub(crate) ports: Vec<(String, NetworkBinding)>,
}

impl Bridge {
    /// Returns the ports as the firewall knows them.
    pub(super) fn host_ports(&self) -> Vec<HostPort> {
        let port = |(_, binding): &(String, NetworkBinding)| HostPort {
            protocol: match binding.protocol {
                Transport::Tcp => 6,
                Transport::Udp => 17,
            },
            host: binding.host_port,
            task: binding.container_port,
        };
        self.ports.iter().map(port).collect()
    }

    /// Returns what the task's namespace is to have.
    pub(super) fn address(&self) -> Address {
        let [a, b, c, d] = self.ip.octets();
        Address {
            ip: self.ip,
            gateway: Ipv4Addr::from(FIRST + 1),
            mac: MacAddress([0x0a, 0x58, a, b, c, d]).0,
            public_ip: None,
        }
    }
}

/// A port of the host that a container wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    container: String,
    container_port: u16,
    /// The host chooses when there is none.
    host_port: Option<u16>,
    protocol: Transport,
}

/// Returns the ports of the host that containers want.
pub(crate) fn wishes<'a>(
    mode: NetworkMode,
    containers: impl Iterator<Item = &'a ContainerDefinition>,
) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for container in containers.filter(|_| mode == NetworkMode::Bridge) {
        wishes.extend(container.port_mappings.iter().map(|mapping| Wish {
            container: container.name.clone(),
            container_port: mapping.container_port,
            host_port: mapping.host_port,
            protocol: mapping.protocol,
        }));
    }
    wishes
}

/// Returns the ports that containers of a host's own network listen on, each leading to itself.
pub(crate) fn own_ports<'a>(
    containers: impl Iterator<Item = &'a ContainerDefinition>,
) -> Vec<(String, NetworkBinding)> {
    let mut ports = Vec::new();
    for container in containers {
        for mapping in &container.port_mappings {
            ports.extend(mapping.container_ports().map(|port| {
                let (container_port, host_port) = (port, port);
                let binding = NetworkBinding { container_port, host_port, protocol: mapping.protocol };
                (container.name.clone(), binding)
            }));
        }
    }
    ports
}

/// Why a port of the host cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("Bind for 0.0.0.0:{port} failed")]
pub(crate) struct Taken {
    port: u16,
    source: io::Error,
}

/// Ports of the host that are kept: while they are, no other program can have them. Nobody listens on them, packets
/// are led on before they come here.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    _sockets: Vec<OwnedFd>,
}

/// Takes ports of the host.
pub(super) fn keep(wishes: &[Wish]) -> Result<(Kept, Vec<(String, NetworkBinding)>), Taken> {
    let (mut kept, mut ports) = (Kept::default(), Vec::new());
    for Wish { container, container_port, host_port, protocol } in wishes {
        let port = host_port.unwrap_or(0);
        let (held, host_port) = take(*protocol, port).map_err(|source| Taken { port, source })?;
        kept._sockets.push(held);
        let (container_port, protocol) = (*container_port, *protocol);
        ports.push((container.clone(), NetworkBinding { container_port, host_port, protocol }));
    }
    Ok((kept, ports))
}

/// Takes the ports that a task had before this agent was started.
pub(super) fn keep_again(bridge: &Bridge) -> Kept {
    let mut kept = Kept::default();
    for (_, binding) in &bridge.ports {
        match take(binding.protocol, binding.host_port) {
            Ok((held, _)) => kept._sockets.push(held),
            // It leads to the task all the same.
            Err(error) => {
                tracing::warn!(port = binding.host_port, %error, "port of a task not kept from others")
            }
        }
    }
    kept
}

fn take(protocol: Transport, port: u16) -> io::Result<(OwnedFd, u16)> {
    match protocol {
        Transport::Tcp => network::keep_tcp_port(port),
        Transport::Udp => network::keep_udp_port(port),
    }
}

/// Addresses of bridged tasks, given in turn.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    last: u32,
}

impl Addresses {
    /// Returns an address that none of these has.
    pub(super) fn next(&mut self, taken: &HashSet<Ipv4Addr>) -> Option<Ipv4Addr> {
        let count = TASKS.end - TASKS.start;
        let free = (0..count).map(|step| TASKS.start + (self.last + step) % count);
        let offset = free.into_iter().find(|offset| !taken.contains(&Ipv4Addr::from(FIRST + offset)))?;
        self.last = offset - TASKS.start + 1;
        Some(Ipv4Addr::from(FIRST + offset))
    }
}

/// Returns the addresses that members have.
pub(super) fn taken<Key>(members: &BTreeMap<Key, wharf_sandbox::firewall::Member>) -> HashSet<Ipv4Addr> {
    members.values().map(|member| member.ip).collect()
}

//! How a task is connected, and what it has of that.

use super::bridge::{Bridge, Kept, Taken, Wish};
use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    os::fd::OwnedFd,
    sync::Arc,
};
use wharf_nodelink::agent::InterfaceAssignment;
use wharf_sandbox::{
    firewall::FirewallError,
    network::{Cidr, ForeignRoute, NetworkError, Slot, SlotName},
};

/// What a task's resolver listens on.
pub(crate) type Sockets = (UdpSocket, TcpListener);

/// How a task is to be connected.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// By an interface of its own.
    Interface(Box<InterfaceAssignment>),
    /// Behind the host, with these ports of it.
    Bridge(Vec<Wish>),
    /// As the host is.
    Host,
    /// Not at all.
    Nothing,
}

/// How a task was connected before this agent was started.
#[derive(Debug, Clone)]
pub(crate) enum Connection {
    /// By an interface of its own.
    Interface(Box<InterfaceAssignment>),
    /// Behind the host.
    Bridge(Bridge),
    /// Not at all.
    Nothing,
}

/// What a task has of the network, to be given back.
#[derive(Debug)]
pub(crate) struct Held {
    /// Its slot; a task in the host's own network has none.
    pub(super) slot: Option<Slot>,
    pub(super) _ports: Kept,
}

/// What a task needs of its slot besides having it.
#[derive(Debug)]
pub(crate) struct Connected {
    /// The slot, to be given back.
    pub(crate) held: Held,
    /// The namespace, for keeper.
    pub(crate) namespace: Arc<OwnedFd>,
    /// The metadata endpoint's listener.
    pub(crate) listener: TcpListener,
    /// What its resolver listens on; a task in the host's own network asks the host's.
    pub(crate) resolver: Option<Sockets>,
    /// What a bridged task has of the host.
    pub(crate) bridge: Option<Bridge>,
}

impl Held {
    /// Returns the slot's name, which the journal keeps.
    pub(crate) fn name(&self) -> Option<&SlotName> {
        self.slot.as_ref().map(Slot::name)
    }
}

/// Why a task has no network.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("make a network namespace")]
    Prepare(#[source] NetworkError),
    #[error("the subnet {subnet} overlaps a route of this host: {route}")]
    Overlap { subnet: Cidr, route: ForeignRoute },
    #[error(transparent)]
    Port(#[from] Taken),
    #[error("every address of bridged tasks is taken")]
    Crowded,
    #[error("use the network namespace")]
    Namespace(#[source] std::io::Error),
    #[error("give the task its address")]
    Assign(#[source] NetworkError),
    #[error("apply the security groups")]
    Firewall(#[source] FirewallError),
}

/// Returns what a task gets with a slot, or with the host's own network without one.
pub(super) fn connect(
    slot: Option<Slot>,
    kept: Kept,
    listener: TcpListener,
    resolver: Option<Sockets>,
    bridge: Option<Bridge>,
) -> Result<Connected, std::io::Error> {
    let namespace = match &slot {
        Some(slot) => slot.namespace().try_clone_to_owned()?,
        None => std::fs::File::open("/proc/self/ns/net")?.into(),
    };
    Ok(Connected {
        held: Held { slot, _ports: kept },
        namespace: Arc::new(namespace),
        listener,
        resolver,
        bridge,
    })
}

/// Returns the connection of a task in the host's own network. Its metadata is served on a port of the loopback.
pub(super) fn in_host() -> Result<Connected, std::io::Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    connect(None, Kept::default(), listener, None, None)
}

/// The same for a task that had this port before; another one when it was taken meanwhile.
pub(crate) fn in_host_again(port: u16) -> Result<Connected, std::io::Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    connect(None, Kept::default(), listener, None, None)
}

/// Returns the public address that goes with a connection.
pub(super) fn public_ip(wanted: &Wanted) -> Option<Ipv4Addr> {
    match wanted {
        Wanted::Interface(interface) => interface.public_ip,
        Wanted::Bridge(_) | Wanted::Host | Wanted::Nothing => None,
    }
}

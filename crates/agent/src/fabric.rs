//! The network of this node: slots made ahead of need, the firewall, and which task has what.

use crate::{
    AgentConfig,
    error::{Error, chain},
};
use std::{
    collections::{BTreeMap, VecDeque},
    net::TcpListener,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use wharf_model::TaskId;
use wharf_nodelink::agent::{InterfaceAssignment, NodeSettings};
use wharf_sandbox::{
    firewall::{Firewall, FirewallConfig, FirewallError, Member},
    network::{Address, Network, NetworkError, Slot, SlotName},
};

mod rules;
#[cfg(test)]
mod tests;

/// The network of this node.
#[derive(Debug)]
pub(crate) struct Fabric {
    network: Network,
    state: Mutex<State>,
    pool: Mutex<VecDeque<Prepared>>,
    slots: usize,
    refill: Notify,
}

#[derive(Debug)]
struct State {
    firewall: Firewall,
    settings: NodeSettings,
    members: BTreeMap<TaskId, Member>,
}

/// A slot that nobody has yet.
#[derive(Debug)]
struct Prepared {
    slot: Slot,
    listener: TcpListener,
}

/// A slot that a task has.
#[derive(Debug)]
pub(crate) struct Held {
    slot: Slot,
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
}

impl Held {
    /// Returns the slot's name, which the journal keeps.
    pub(crate) fn name(&self) -> &SlotName {
        self.slot.name()
    }
}

/// Why a task has no network.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("make a network namespace")]
    Prepare(#[source] NetworkError),
    #[error("use the network namespace")]
    Namespace(#[source] std::io::Error),
    #[error("give the task its address")]
    Assign(#[source] NetworkError),
    #[error("apply the security groups")]
    Firewall(#[source] FirewallError),
}

impl Fabric {
    /// Sets the host up for these settings. Safe to repeat. No task is connected until `start`.
    pub(crate) async fn open(config: &AgentConfig, settings: NodeSettings) -> Result<Fabric, Error> {
        let network = Network::open(rules::network(config, &settings)).await?;
        let firewall = Firewall::open(FirewallConfig {
            table: config.firewall_table.clone(),
            veth_prefix: config.veth_prefix.clone(),
        })?;
        let state = State { firewall, settings, members: BTreeMap::new() };
        Ok(Fabric {
            network,
            state: Mutex::new(state),
            pool: Mutex::default(),
            slots: config.slots,
            refill: Notify::new(),
        })
    }

    /// Takes over the slots that an agent before this one left: those of the tasks named are theirs, the rest is given
    /// back. Then the firewall is made to say all of it.
    pub(crate) async fn adopt(
        &self,
        owners: &BTreeMap<SlotName, (TaskId, InterfaceAssignment)>,
    ) -> Result<BTreeMap<TaskId, Connected>, Error> {
        let mut connected = BTreeMap::new();
        for slot in self.network.adopt().await? {
            if let Some((task, interface)) = owners.get(slot.name()) {
                self.lock().members.insert(task.clone(), rules::member(&slot, interface));
                let listener = self.listen_again(&slot).await?;
                match connect(slot, listener) {
                    Ok(found) => drop(connected.insert(task.clone(), found)),
                    Err(error) => {
                        tracing::error!(%task, error = chain(&error), "network namespace not usable")
                    }
                }
                continue;
            }
            // One that was made ahead may be half made, and one with an address half assigned.
            tracing::debug!(slot = %slot.name(), "network slot of nobody given back");
            self.network.release(slot, None).await?;
        }
        self.apply().await?;
        Ok(connected)
    }

    /// Keeps slots ready, for ever.
    pub(crate) async fn keep_ready(self: Arc<Fabric>) {
        loop {
            while self.pool().len() < self.slots {
                match self.prepare().await {
                    Ok(prepared) => self.pool().push_back(prepared),
                    Err(error) => {
                        tracing::error!(error = chain(&error), "no network slot made ahead");
                        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    }
                }
            }
            self.refill.notified().await;
            // Whoever took one is about to start containers; that should not wait for the kernel's network lock.
            if self.pool().len() > self.slots / 2 {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }

    /// Takes new settings over: load balancers' addresses, security groups, and VPCs that came.
    pub(crate) async fn change(&self, config: &AgentConfig, settings: NodeSettings) -> Result<(), Error> {
        let wider = {
            let mut state = self.lock();
            let known = &state.settings;
            let wider = known.vpc_cidrs != settings.vpc_cidrs || known.public_cidr != settings.public_cidr;
            state.settings = settings.clone();
            wider
        };
        if wider {
            Network::open(rules::network(config, &settings)).await?;
        }
        self.apply().await
    }

    async fn apply(&self) -> Result<(), Error> {
        let addresses: Vec<_> = self.lock().settings.balancer_addresses.iter().map(|(ip, _)| *ip).collect();
        // The rules come first: a balancer's address is never served without them.
        tokio::task::block_in_place(|| {
            let mut state = self.lock();
            let ruleset = rules::ruleset(&state.settings, state.members.values());
            state.firewall.apply(&ruleset)
        })?;
        Ok(self.network.set_balancer_addresses(&addresses).await?)
    }

    /// Gives a task a network: its address, its groups, its metadata listener.
    pub(crate) async fn connect(
        &self,
        task: &TaskId,
        interface: &InterfaceAssignment,
    ) -> Result<Connected, ConnectError> {
        let ready = self.pool().pop_front();
        self.refill.notify_one();
        let Prepared { slot, listener } = match ready {
            Some(prepared) => prepared,
            None => self.prepare().await.map_err(ConnectError::Prepare)?,
        };
        let member = rules::member(&slot, interface);
        let admitted = tokio::task::block_in_place(|| {
            let mut state = self.lock();
            state.members.insert(task.clone(), member.clone());
            state.firewall.add(&member)
        });
        let assigned = match admitted {
            Ok(()) => self.network.assign(&slot, &address(interface)).await.map_err(ConnectError::Assign),
            Err(error) => Err(ConnectError::Firewall(error)),
        };
        let result = match assigned {
            Ok(()) => return connect(slot, listener).map_err(ConnectError::Namespace),
            Err(error) => Err(error),
        };
        if let Err(error) = self.disconnect(task, Some(Held { slot }), interface).await {
            tracing::error!(%task, error = chain(&error), "network of a task that failed not given back");
        }
        result
    }

    /// Gives a task's network back.
    pub(crate) async fn disconnect(
        &self,
        task: &TaskId,
        held: Option<Held>,
        interface: &InterfaceAssignment,
    ) -> Result<(), Error> {
        tokio::task::block_in_place(|| {
            let mut state = self.lock();
            match state.members.remove(task) {
                Some(member) => state.firewall.remove(&member),
                None => Ok(()),
            }
        })?;
        match held {
            Some(Held { slot }) => Ok(self.network.release(slot, interface.public_ip).await?),
            None => Ok(()),
        }
    }

    /// Takes back everything that was made on this host.
    pub(crate) async fn tear_down(self) -> Result<(), Error> {
        for slot in self.network.adopt().await? {
            self.network.release(slot, None).await?;
        }
        self.lock().firewall.tear_down()?;
        Ok(self.network.tear_down().await?)
    }

    /// Returns the settings in force.
    pub(crate) fn settings(&self) -> NodeSettings {
        self.lock().settings.clone()
    }

    /// Listens where an agent did that was killed; the kernel may still be closing its socket.
    async fn listen_again(&self, slot: &Slot) -> Result<TcpListener, NetworkError> {
        for _ in 0..200 {
            if let Ok(listener) = self.network.listen_for_metadata(slot) {
                return Ok(listener);
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        self.network.listen_for_metadata(slot)
    }

    async fn prepare(&self) -> Result<Prepared, NetworkError> {
        let slot = self.network.prepare().await?;
        match self.network.listen_for_metadata(&slot) {
            Ok(listener) => Ok(Prepared { slot, listener }),
            Err(error) => {
                self.network.release(slot, None).await?;
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool(&self) -> MutexGuard<'_, VecDeque<Prepared>> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(slot: Slot, listener: TcpListener) -> Result<Connected, std::io::Error> {
    let namespace = Arc::new(slot.namespace().try_clone_to_owned()?);
    Ok(Connected { held: Held { slot }, namespace, listener })
}

fn address(interface: &InterfaceAssignment) -> Address {
    Address {
        ip: interface.private_ip,
        gateway: interface.subnet_cidr.gateway(),
        mac: interface.mac.0,
        public_ip: interface.public_ip,
    }
}

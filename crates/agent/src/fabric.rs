//! The network of this node: slots made ahead of need, the firewall, and which task has what.

use crate::{
    AgentConfig,
    error::{Error, chain},
};
use std::{
    collections::{BTreeMap, VecDeque},
    net::{Ipv4Addr, TcpListener},
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use wharf_model::TaskId;
use wharf_nodelink::agent::{InterfaceAssignment, NodeSettings};
use wharf_sandbox::{
    firewall::{Firewall, FirewallConfig, FirewallError, Member},
    network::{Address, Cidr, ForeignRoute, Network, NetworkError, Slot, SlotName},
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
    /// Routes of this host that VPCs get in the way of.
    foreign: Vec<ForeignRoute>,
    /// Addresses whose tasks are gone and whose connections are still tracked.
    gone: Vec<Ipv4Addr>,
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
    #[error("the subnet {subnet} overlaps a route of this host: {route}")]
    Overlap { subnet: Cidr, route: ForeignRoute },
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
        let mut wanted = rules::network(config, &settings);
        let foreign = Network::foreign_routes(&wanted).await?;
        wanted.served = servable(wanted.served, &foreign);
        let network = Network::open(wanted).await?;
        let firewall = Firewall::open(FirewallConfig {
            table: config.firewall_table.clone(),
            veth_prefix: config.veth_prefix.clone(),
        })?;
        let state = State { firewall, settings, members: BTreeMap::new(), foreign, gone: Vec::new() };
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
                {
                    let mut state = self.lock();
                    let member = rules::member(&slot, interface, &state.settings);
                    state.members.insert(task.clone(), member);
                }
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

    /// Takes new settings over: load balancers' addresses, security groups, routes, and VPCs that came and went.
    pub(crate) async fn change(&self, config: &AgentConfig, settings: NodeSettings) -> Result<(), Error> {
        let wanted = rules::network(config, &settings);
        let known = {
            let mut state = self.lock();
            let known = rules::served(&state.settings);
            state.settings = settings;
            known
        };
        if known != wanted.served {
            let foreign = Network::foreign_routes(&wanted).await?;
            self.network.serve(&servable(wanted.served, &foreign)).await?;
            self.lock().foreign = foreign;
        }
        self.apply().await?;
        let cut = tokio::task::block_in_place(|| {
            let mut state = self.lock();
            let ruleset = rules::ruleset(&state.settings, state.members.values());
            state.firewall.cut(&ruleset)
        });
        match cut {
            Ok(0) => {}
            Ok(connections) => tracing::info!(connections, "connections ended that are no longer allowed"),
            // The rules hold for every new connection; those that are open end by themselves.
            Err(error) => tracing::error!(error = chain(&error), "connections not looked through"),
        }
        Ok(())
    }

    async fn apply(&self) -> Result<(), Error> {
        let addresses: Vec<_> = self.lock().settings.balancers.iter().map(|balancer| balancer.ip).collect();
        // The rules come first: a balancer's address is never served without them.
        tokio::task::block_in_place(|| self.lock().apply())?;
        Ok(self.network.set_balancer_addresses(&addresses).await?)
    }

    /// Makes the firewall anew when somebody flushed it, and forgets the connections of tasks that are gone. For ever.
    pub(crate) async fn keep_watch(self: Arc<Fabric>) {
        let mut ticks = tokio::time::interval(std::time::Duration::from_secs(1));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let looked = tokio::task::block_in_place(|| self.lock().look_after());
            if let Err(error) = looked {
                tracing::error!(error = chain(&error), "firewall not looked after");
            }
        }
    }

    /// Gives a task a network: its address, its groups, its metadata listener.
    pub(crate) async fn connect(
        &self,
        task: &TaskId,
        interface: &InterfaceAssignment,
    ) -> Result<Connected, ConnectError> {
        let overlap = self.lock().overlap(interface.subnet_cidr);
        if let Some((subnet, route)) = overlap {
            return Err(ConnectError::Overlap { subnet, route });
        }
        let ready = self.pool().pop_front();
        self.refill.notify_one();
        let Prepared { slot, listener } = match ready {
            Some(prepared) => prepared,
            None => self.prepare().await.map_err(ConnectError::Prepare)?,
        };
        let admitted = tokio::task::block_in_place(|| {
            let mut state = self.lock();
            let member = rules::member(&slot, interface, &state.settings);
            state.admit(task, member)
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
                Some(member) => {
                    state.gone.push(member.ip);
                    state.firewall.remove(&member)
                }
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

impl State {
    fn apply(&mut self) -> Result<(), FirewallError> {
        let ruleset = rules::ruleset(&self.settings, self.members.values());
        self.firewall.apply(&ruleset)
    }

    /// Lets a task take part.
    fn admit(&mut self, task: &TaskId, member: Member) -> Result<(), FirewallError> {
        self.members.insert(task.clone(), member.clone());
        let known = rules::ruleset(&self.settings, std::iter::once(&member)).members;
        let Some(known) = known.first() else { return Err(FirewallError::Unknown(member.ip.to_string())) };
        // Where that fails, somebody may have flushed the table.
        self.firewall.add(known).or_else(|_| self.apply())
    }

    fn look_after(&mut self) -> Result<(), FirewallError> {
        if !self.firewall.is_there()? {
            tracing::warn!("somebody flushed the firewall, it is made anew");
            self.apply()?;
        }
        if !self.gone.is_empty() {
            let gone = std::mem::take(&mut self.gone);
            self.firewall.forget(&gone)?;
        }
        Ok(())
    }

    fn overlap(&self, subnet: wharf_model::network::Cidr) -> Option<(Cidr, ForeignRoute)> {
        let subnet = rules::cidr(&subnet);
        let route = self.foreign.iter().find(|route| route.cidr.overlaps(&subnet))?;
        Some((subnet, route.clone()))
    }
}

/// Returns a route of this host, not made by the agent of this configuration, that a block overlaps.
pub async fn foreign_route(
    config: &AgentConfig,
    block: wharf_model::network::Cidr,
) -> Result<Option<ForeignRoute>, Error> {
    let block = rules::cidr(&block);
    let routes = Network::foreign_routes(&rules::before_settings(config, block)).await?;
    Ok(routes.into_iter().find(|route| route.cidr.overlaps(&block)))
}

/// Returns the networks that can be refused where no task has the address: not those that somebody else has a route to.
fn servable(wanted: Vec<Cidr>, foreign: &[ForeignRoute]) -> Vec<Cidr> {
    let (served, others): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|cidr| !foreign.iter().any(|route| route.cidr.overlaps(cidr)));
    for cidr in others {
        tracing::warn!(%cidr, "network overlaps a route of this host; no task can be started in it");
    }
    served
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

//! The network of this node: slots made ahead of need, the firewall, and which task has what.

use crate::{
    AgentConfig,
    error::{Error, chain},
    files,
};
use bridge::{Addresses, Kept};
use connection::{connect, in_host, public_ip};
use flows::Counting;
use state::State;
use std::{
    collections::{BTreeMap, VecDeque},
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
};
use wharf_dns::{Names, Upstreams};
use wharf_model::TaskId;
use wharf_nodelink::agent::{InterfaceAssignment, NodeSettings};
use wharf_sandbox::{
    firewall::{Firewall, FirewallConfig, meter::Meter},
    network::{Address, Cidr, ForeignRoute, Network, NetworkError, Slot, SlotName},
};

mod bridge;
mod connection;
mod flows;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use bridge::{Bridge, own_ports, wishes};
pub(crate) use connection::{ConnectError, Connected, Connection, Held, Sockets, Wanted, in_host_again};

/// The network of this node.
#[derive(Debug)]
pub(crate) struct Fabric {
    network: Network,
    state: Mutex<State>,
    pool: Mutex<VecDeque<Prepared>>,
    slots: usize,
    refill: Notify,
    names: watch::Sender<Arc<Names>>,
}

/// A slot that nobody has yet.
#[derive(Debug)]
struct Prepared {
    slot: Slot,
    listener: TcpListener,
    resolver: Sockets,
}

impl Fabric {
    /// Sets the host up for these settings. Safe to repeat. No task is connected until `start`.
    pub(crate) async fn open(config: &AgentConfig, settings: NodeSettings) -> Result<Fabric, Error> {
        let mut wanted = rules::network(config, &settings);
        let foreign = Network::foreign_routes(&wanted).await?;
        wanted.served = servable(wanted.served, &foreign);
        let network = Network::open(wanted).await?;
        let firewall =
            FirewallConfig { table: config.firewall_table.clone(), veth_prefix: config.veth_prefix.clone() };
        let meter = Meter::beside(&firewall);
        let firewall = Firewall::open(firewall)?;
        let names = watch::Sender::new(Arc::new(rules::names(&settings)));
        let state = State {
            firewall,
            settings,
            members: BTreeMap::new(),
            meter,
            counting: Counting::Unknown,
            interfaces: BTreeMap::new(),
            foreign,
            addresses: Addresses::default(),
            gone: Vec::new(),
        };
        Ok(Fabric {
            network,
            state: Mutex::new(state),
            pool: Mutex::default(),
            slots: config.slots,
            refill: Notify::new(),
            names,
        })
    }

    /// Takes over the slots that an agent before this one left: those of the tasks named are theirs, the rest is given
    /// back. Then the firewall is made to say all of it.
    pub(crate) async fn adopt(
        &self,
        owners: &BTreeMap<SlotName, (TaskId, Connection)>,
    ) -> Result<BTreeMap<TaskId, Connected>, Error> {
        let mut connected = BTreeMap::new();
        for slot in self.network.adopt().await? {
            if let Some((task, connection)) = owners.get(slot.name()) {
                let (mut kept, mut bridge) = (Kept::default(), None);
                {
                    let mut state = self.lock();
                    let member = match connection {
                        Connection::Interface(interface) => {
                            let known = flows::interface(interface, &state.settings);
                            state.interfaces.extend(known.map(|known| (task.clone(), known)));
                            Some(rules::member(&slot, interface, &state.settings))
                        }
                        Connection::Bridge(found) => {
                            kept = bridge::keep_again(found);
                            bridge = Some(found.clone());
                            Some(rules::bridged(&slot, found))
                        }
                        Connection::Nothing => None,
                    };
                    state.members.extend(member.map(|member| (task.clone(), member)));
                }
                let listener = self.listen_again(&slot).await?;
                // A task of an older version asks the host's resolvers itself.
                let resolver = self.network.listen_for_names(&slot).ok();
                match connect(Some(slot), kept, listener, resolver, bridge) {
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
            self.names.send_replace(Arc::new(rules::names(&settings)));
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

    /// Gives a task a network: its address, its groups or ports, its metadata listener.
    pub(crate) async fn connect(&self, task: &TaskId, wanted: &Wanted) -> Result<Connected, ConnectError> {
        let (mut kept, mut bridge) = (Kept::default(), None);
        match wanted {
            Wanted::Interface(interface) => {
                if let Some((subnet, route)) = self.lock().overlap(interface.subnet_cidr) {
                    return Err(ConnectError::Overlap { subnet, route });
                }
            }
            Wanted::Bridge(wishes) => {
                let (held, ports) = bridge::keep(wishes)?;
                kept = held;
                let ip = self.lock().address().ok_or(ConnectError::Crowded)?;
                bridge = Some(Bridge { ip, ports });
            }
            Wanted::Host => return in_host().map_err(ConnectError::Namespace),
            Wanted::Nothing => {}
        }
        let ready = self.pool().pop_front();
        self.refill.notify_one();
        let Prepared { slot, listener, resolver } = match ready {
            Some(prepared) => prepared,
            None => self.prepare().await.map_err(ConnectError::Prepare)?,
        };
        match self.admit(task, &slot, wanted, bridge.as_ref()).await {
            Ok(()) => {
                let connected = connect(Some(slot), kept, listener, Some(resolver), bridge);
                connected.map_err(ConnectError::Namespace)
            }
            Err(error) => {
                let held = Held { slot: Some(slot), _ports: kept };
                if let Err(error) = self.disconnect(task, Some(held), public_ip(wanted)).await {
                    tracing::error!(%task, error = chain(&error), "network of a task that failed not given back");
                }
                Err(error)
            }
        }
    }

    /// Lets a slot take part as a task's.
    async fn admit(
        &self,
        task: &TaskId,
        slot: &Slot,
        wanted: &Wanted,
        bridge: Option<&Bridge>,
    ) -> Result<(), ConnectError> {
        let address = match (wanted, bridge) {
            (Wanted::Interface(interface), _) => address(interface),
            (_, Some(bridge)) => {
                self.network.open_loopback(slot).map_err(ConnectError::Assign)?;
                bridge.address()
            }
            (Wanted::Bridge(_) | Wanted::Host | Wanted::Nothing, None) => return Ok(()),
        };
        let admitted = tokio::task::block_in_place(|| {
            let mut state = self.lock();
            let member = match (wanted, bridge) {
                (Wanted::Interface(interface), _) => {
                    let known = flows::interface(interface, &state.settings);
                    state.interfaces.extend(known.map(|known| (task.clone(), known)));
                    state.count_flows();
                    rules::member(slot, interface, &state.settings)
                }
                (_, Some(bridge)) => rules::bridged(slot, bridge),
                (_, None) => return Ok(()),
            };
            state.admit(task, member)
        });
        admitted.map_err(ConnectError::Firewall)?;
        self.network.assign(slot, &address).await.map_err(ConnectError::Assign)
    }

    /// Gives a task's network back.
    pub(crate) async fn disconnect(
        &self,
        task: &TaskId,
        held: Option<Held>,
        public_ip: Option<Ipv4Addr>,
    ) -> Result<(), Error> {
        tokio::task::block_in_place(|| {
            let mut state = self.lock();
            if state.interfaces.remove(task).is_some() {
                state.count_flows();
            }
            match state.members.remove(task) {
                Some(member) => {
                    state.gone.push(member.ip);
                    state.firewall.remove(&member)
                }
                None => Ok(()),
            }
        })?;
        match held.and_then(|held| held.slot) {
            Some(slot) => Ok(self.network.release(slot, public_ip).await?),
            None => Ok(()),
        }
    }

    /// Takes back everything that was made on this host.
    pub(crate) async fn tear_down(self) -> Result<(), Error> {
        for slot in self.network.adopt().await? {
            self.network.release(slot, None).await?;
        }
        {
            let mut state = self.lock();
            state.meter.tear_down()?;
            state.firewall.tear_down()?;
        }
        Ok(self.network.tear_down().await?)
    }

    /// Serves a task's resolver until the handle aborts it.
    pub(crate) fn answer_names(
        &self,
        (udp, tcp): Sockets,
        vpc: Option<String>,
    ) -> Result<AbortHandle, std::io::Error> {
        wharf_dns::serve(udp, tcp, vpc, self.names.subscribe(), Upstreams::of(files::RESOLV_CONF))
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
        let listening = self.network.listen_for_metadata(&slot);
        match listening.and_then(|listener| Ok((listener, self.network.listen_for_names(&slot)?))) {
            Ok((listener, resolver)) => Ok(Prepared { slot, listener, resolver }),
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

fn address(interface: &InterfaceAssignment) -> Address {
    Address {
        ip: interface.private_ip,
        gateway: interface.subnet_cidr.gateway(),
        mac: interface.mac.0,
        public_ip: interface.public_ip,
    }
}

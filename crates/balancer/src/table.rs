//! A table as requests read it: compiled, never changed, swapped as a whole.

use crate::{
    choose::{choose, weighted},
    connect, host,
    redirect::{Asked, Parts, location},
    target::Target,
};
use pingora_core::upstreams::peer::HttpPeer;
use std::{
    collections::{BTreeMap, HashMap},
    net::{Ipv4Addr, SocketAddrV4},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use wharf_model::{
    Arn,
    routing::{Action, RoutingTable},
    target_group::TargetAddress,
};

/// Targets by group and address.
pub(crate) type Targets = HashMap<(Arn, TargetAddress), Arc<Target>>;

/// A compiled table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Control's number of it.
    pub(crate) version: u64,
    /// This process's number of it, new even when control sends a version again.
    pub(crate) generation: u64,
    ports: BTreeMap<SocketAddrV4, Vec<Arc<Listener>>>,
}

/// A listener, as seen at one of its addresses.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Its ARN.
    pub(crate) arn: Arn,
    /// The load balancer's DNS name.
    pub(crate) dns_name: String,
    /// Its port.
    pub(crate) port: u16,
    /// How long a connection may be without a byte.
    pub(crate) idle: Duration,
    /// What is done with requests.
    pub(crate) action: Done,
}

/// What is done with a request.
#[derive(Debug)]
pub(crate) enum Done {
    /// Send it to a target of one of these groups, by weight.
    Forward(Vec<(u32, Route)>),
    /// Answer it.
    Fixed { status: u16, content_type: String, body: String },
    /// Send the client elsewhere.
    Redirect { status: u16, protocol: String, host: String, port: String, path: String, query: String },
}

/// A target group, as one load balancer reaches it.
#[derive(Debug)]
pub(crate) struct Route {
    turn: Arc<AtomicUsize>,
    backends: Vec<Backend>,
}

/// A target, as one load balancer reaches it.
#[derive(Debug)]
pub(crate) struct Backend {
    /// The target.
    pub(crate) target: Arc<Target>,
    /// How pingora connects to it.
    pub(crate) peer: HttpPeer,
    /// The address that connections to it come from.
    pub(crate) source: Option<Ipv4Addr>,
}

impl Table {
    /// Compiles what control sent, with the targets and the turns of the groups as they are.
    pub(crate) fn compile(
        sent: &RoutingTable,
        generation: u64,
        targets: &Targets,
        turns: &HashMap<Arn, Arc<AtomicUsize>>,
    ) -> Table {
        let groups: HashMap<_, _> = sent.target_groups.iter().map(|group| (&group.arn, group)).collect();
        let mut ports: BTreeMap<SocketAddrV4, Vec<Arc<Listener>>> = BTreeMap::new();
        for balancer in &sent.load_balancers {
            let source = balancer.addresses.first().copied();
            let idle = Duration::from_secs(balancer.idle_timeout_secs.max(1).into());
            let route = |arn: &Arn| {
                let members = groups.get(arn).map(|group| group.targets.as_slice()).unwrap_or_default();
                let known = members.iter().filter_map(|member| targets.get(&(arn.clone(), member.address)));
                let backends = known.map(|target| Backend {
                    target: target.clone(),
                    peer: connect::peer(target, source, idle),
                    source,
                });
                Route { turn: turns.get(arn).cloned().unwrap_or_default(), backends: backends.collect() }
            };
            for listener in &balancer.listeners {
                let compiled = Arc::new(Listener {
                    arn: listener.arn.clone(),
                    dns_name: balancer.dns_name.clone(),
                    port: listener.port,
                    idle,
                    action: Done::compile(&listener.default_action, route),
                });
                for address in balancer.addresses.iter().chain(&balancer.host_addresses) {
                    let at = SocketAddrV4::new(*address, listener.port);
                    ports.entry(at).or_default().push(compiled.clone());
                }
            }
        }
        Table { version: sent.version, generation, ports }
    }

    /// Returns the addresses to listen on, with the listeners at each.
    pub(crate) fn ports(&self) -> impl Iterator<Item = (SocketAddrV4, &[Arc<Listener>])> {
        self.ports.iter().map(|(at, listeners)| (*at, listeners.as_slice()))
    }

    /// Returns the listener that a request is for.
    pub(crate) fn listener(&self, at: SocketAddrV4, host: Option<&str>) -> Option<&Arc<Listener>> {
        let listeners = self.ports.get(&at)?;
        match listeners.as_slice() {
            [only] => Some(only),
            several => {
                let names = several.iter().map(|listener| listener.dns_name.as_str());
                several.get(host::choose(names, host))
            }
        }
    }

    /// Returns the longest that a connection to this address may be without a byte.
    pub(crate) fn idle(&self, at: SocketAddrV4) -> Option<Duration> {
        self.ports.get(&at)?.iter().map(|listener| listener.idle).max()
    }
}

impl Done {
    fn compile(action: &Action, route: impl Fn(&Arn) -> Route) -> Done {
        match action {
            Action::Forward { target_groups } => {
                Done::Forward(target_groups.iter().map(|(arn, weight)| (*weight, route(arn))).collect())
            }
            Action::FixedResponse { status_code, content_type, message_body } => Done::Fixed {
                status: *status_code,
                content_type: content_type.clone().unwrap_or_else(|| "text/plain; charset=utf-8".to_owned()),
                body: message_body.clone().unwrap_or_default(),
            },
            Action::Redirect { status_code, protocol, host, port, path, query } => Done::Redirect {
                status: *status_code,
                protocol: protocol.clone(),
                host: host.clone(),
                port: port.clone(),
                path: path.clone(),
                query: query.clone(),
            },
        }
    }

    /// Returns where a redirect sends a request; nothing for other actions.
    pub(crate) fn location(&self, asked: Asked<'_>) -> Option<(u16, String)> {
        let Done::Redirect { status, protocol, host, port, path, query } = self else { return None };
        Some((*status, location(Parts { protocol, host, port, path, query }, asked)))
    }
}

/// Returns the route that `draw` falls on.
pub(crate) fn route(routes: &[(u32, Route)], draw: u64) -> Option<&Route> {
    if let [(_, only)] = routes {
        return Some(only);
    }
    let index = weighted(routes.iter().map(|(weight, _)| *weight), draw)?;
    routes.get(index).map(|(_, route)| route)
}

impl Route {
    /// Returns the target whose turn it is, without those tried already.
    pub(crate) fn choose(&self, tried: &[u64]) -> Option<&Backend> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let candidate = |backend: &Backend| backend.target.candidate(tried.contains(&backend.target.id));
        self.backends.get(choose(self.backends.iter().map(candidate), turn)?)
    }
}

/// Returns, for each group, an address of the first load balancer that forwards to it.
pub(crate) fn sources(sent: &RoutingTable) -> HashMap<&Arn, Option<Ipv4Addr>> {
    let mut sources = HashMap::new();
    for balancer in &sent.load_balancers {
        for listener in &balancer.listeners {
            let Action::Forward { target_groups } = &listener.default_action else { continue };
            for (arn, _) in target_groups {
                sources.entry(arn).or_insert_with(|| balancer.addresses.first().copied());
            }
        }
    }
    sources
}

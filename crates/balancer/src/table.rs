//! A table as requests read it: compiled, never changed, swapped as a whole.

use crate::{
    answer::Own,
    connect,
    group::{Backend, Forward, Group, Route},
    host,
    redirect::{Asked, Parts, location},
    rewrite::Rewrites,
    rule::{Question, Rules},
    tally::BalancerTally,
    target::Target,
    tls::{self, Spoken},
};
use rustls::ServerConfig;
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    net::{Ipv4Addr, SocketAddrV4},
    sync::Arc,
    time::Duration,
};
use wharf_model::{
    Arn,
    attributes::{ListenerAttributes, LoadBalancerAttributes},
    routing::{Action, RoutingTable, TlsRoutes},
    target_group::TargetAddress,
};
use wharf_nodelink::balancer::ListenProblem;

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
    secure: HashMap<SocketAddrV4, Secure>,
    problems: Vec<ListenProblem>,
}

/// How TLS is spoken at an address, and what that came from.
#[derive(Debug)]
struct Secure {
    of: Vec<TlsRoutes>,
    http2: bool,
    spoken: Spoken,
}

/// What is spoken at an address.
#[derive(Debug)]
pub(crate) enum Speaks {
    /// HTTP.
    Plain,
    /// HTTP by TLS.
    Tls(Arc<ServerConfig>),
    /// TLS, but it cannot be.
    Nothing,
}

/// A listener, as seen at one of its addresses.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Its ARN.
    pub(crate) arn: Arn,
    /// The first of the load balancer's addresses.
    pub(crate) address: Ipv4Addr,
    /// The load balancer's DNS name.
    pub(crate) dns_name: String,
    /// Its port.
    pub(crate) port: u16,
    /// How long a connection may be without a byte.
    pub(crate) idle: Duration,
    /// What is set of the load balancer.
    pub(crate) settings: Arc<LoadBalancerAttributes>,
    /// What is set of the listener.
    pub(crate) attributes: ListenerAttributes,
    /// What is counted of the load balancer.
    pub(crate) tally: Arc<BalancerTally>,
    /// Whether it speaks TLS.
    pub(crate) secure: bool,
    /// The names of its certificates.
    certified: Vec<String>,
    rules: Rules<Done>,
    default: Done,
}

/// The rule that a request is for; the default one when there is none.
pub(crate) type Decided = Option<usize>;

/// What is done with a request.
#[derive(Debug)]
pub(crate) enum Done {
    /// Send it to a target of one of these groups.
    Forward(Forward),
    /// Answer it.
    Fixed { status: u16, content_type: String, body: String },
    /// Send the client elsewhere.
    Redirect { status: u16, protocol: String, host: String, port: String, path: String, query: String },
}

impl Table {
    /// Compiles what control sent, with the targets, groups and counts as they are. What TLS needs is taken from
    /// the table before, where it is the same.
    pub(crate) fn compile(
        sent: &RoutingTable,
        generation: u64,
        targets: &Targets,
        groups: &HashMap<Arn, Arc<Group>>,
        tallies: &HashMap<Arn, Arc<BalancerTally>>,
        before: &Table,
    ) -> Table {
        let members: HashMap<_, _> = sent.target_groups.iter().map(|group| (&group.arn, group)).collect();
        let mut ports: BTreeMap<SocketAddrV4, Vec<Arc<Listener>>> = BTreeMap::new();
        for balancer in &sent.load_balancers {
            let source = balancer.addresses.first().copied();
            let idle = Duration::from_secs(balancer.idle_timeout_secs.max(1).into());
            let settings = Arc::new(balancer.attributes.clone());
            let tally = tallies.get(&balancer.arn).cloned().unwrap_or_default();
            // Many rules may lead to one group.
            let known = RefCell::new(HashMap::<Arn, Arc<Route>>::new());
            let route = |arn: &Arn| -> Option<Arc<Route>> {
                if let Some(known) = known.borrow().get(arn) {
                    return Some(known.clone());
                }
                let (group, sent) = (groups.get(arn)?, members.get(arn)?);
                let targets =
                    sent.targets.iter().filter_map(|route| targets.get(&(arn.clone(), route.address)));
                let backends = targets.map(|target| Backend {
                    target: target.clone(),
                    peer: connect::peer(target, source, idle, sent.protocol_version),
                    source,
                });
                let route = Route::new(group.clone(), sent, backends.collect());
                let route = Arc::new(route);
                known.borrow_mut().insert(arn.clone(), route.clone());
                Some(route)
            };
            for listener in &balancer.listeners {
                let compiled = Arc::new(Listener {
                    arn: listener.arn.clone(),
                    address: source.unwrap_or(Ipv4Addr::UNSPECIFIED),
                    dns_name: balancer.dns_name.clone(),
                    port: listener.port,
                    idle,
                    settings: settings.clone(),
                    attributes: listener.attributes.clone(),
                    tally: tally.clone(),
                    secure: listener.tls.is_some(),
                    certified: listener.tls.iter().flat_map(TlsRoutes::names).cloned().collect(),
                    rules: Rules::new(&listener.rules, |rule| Done::compile(&rule.action, route)),
                    default: Done::compile(&listener.default_action, route),
                });
                for address in balancer.addresses.iter().chain(&balancer.host_addresses) {
                    let at = SocketAddrV4::new(*address, listener.port);
                    ports.entry(at).or_default().push(compiled.clone());
                }
            }
        }
        let mut table = Table { version: sent.version, generation, ports, ..Table::default() };
        table.secure(sent, before);
        table
    }

    /// Sees to TLS, and to addresses where it is spoken by some only: the first load balancer's way is everybody's.
    fn secure(&mut self, sent: &RoutingTable, before: &Table) {
        let listeners = sent.load_balancers.iter().flat_map(|balancer| &balancer.listeners);
        let routes: HashMap<_, _> =
            listeners.filter_map(|listener| Some((&listener.arn, listener.tls.as_ref()?))).collect();
        for (at, listeners) in &mut self.ports {
            let problem = |listener: &Listener, reason: String| ListenProblem {
                listener: listener.arn.clone(),
                address: at.to_string(),
                reason,
            };
            let secure = listeners.first().is_some_and(|listener| listener.secure);
            let (ours, others): (Vec<_>, Vec<_>) =
                std::mem::take(listeners).into_iter().partition(|listener| listener.secure == secure);
            *listeners = ours;
            let spoken = if secure { "HTTPS" } else { "HTTP" };
            let reason = || format!("another load balancer speaks {spoken} there");
            self.problems.extend(others.iter().map(|listener| problem(listener, reason())));
            if !secure {
                continue;
            }
            let of = listeners.iter().filter_map(|listener| routes.get(&listener.arn).copied().cloned());
            let of: Vec<TlsRoutes> = of.collect();
            let http2 = listeners.first().is_some_and(|listener| listener.settings.http2);
            let same = before.secure.get(at).filter(|before| before.of == of && before.http2 == http2);
            let spoken = match same {
                Some(same) => same.spoken.clone(),
                None => {
                    let spoken = tls::spoken(&of, http2);
                    for (_, reason) in &spoken.problems {
                        tracing::error!(%at, reason, "TLS cannot be spoken");
                    }
                    spoken
                }
            };
            for (index, reason) in &spoken.problems {
                let reason = format!("TLS cannot be spoken: {reason}");
                self.problems.extend(listeners.get(*index).map(|listener| problem(listener, reason)));
            }
            self.secure.insert(*at, Secure { of, http2, spoken });
        }
    }

    /// Returns what of it cannot be served, whatever the sockets do.
    pub(crate) fn problems(&self) -> &[ListenProblem] {
        &self.problems
    }

    /// Returns what is spoken at an address.
    pub(crate) fn speaks(&self, at: SocketAddrV4) -> Speaks {
        match self.secure.get(&at).map(|secure| &secure.spoken.config) {
            None => Speaks::Plain,
            Some(Some(config)) => Speaks::Tls(config.clone()),
            Some(None) => Speaks::Nothing,
        }
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
                let names = several.iter().map(|of| (of.dns_name.as_str(), of.certified.as_slice()));
                several.get(host::choose(names, host))
            }
        }
    }

    /// Returns the listeners at an address.
    pub(crate) fn at(&self, at: SocketAddrV4) -> &[Arc<Listener>] {
        self.ports.get(&at).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the longest that a connection to this address may be without a byte, and the longest that it may be
    /// used.
    pub(crate) fn limits(&self, at: SocketAddrV4) -> Option<(Duration, Duration)> {
        let listeners = self.at(at).iter();
        let keep_alive = |listener: &Arc<Listener>| listener.settings.client_keep_alive_secs;
        let idle = listeners.clone().map(|listener| listener.idle).max()?;
        Some((idle, Duration::from_secs(listeners.map(keep_alive).max()?.into())))
    }
}

impl Listener {
    /// Returns the rule that a request is for.
    pub(crate) fn decide(&self, asked: &Question<'_>) -> Decided {
        self.rules.decide(asked)
    }

    /// Returns what is done with the requests of a rule.
    pub(crate) fn done(&self, decided: Decided) -> &Done {
        decided.and_then(|number| self.rules.get(number)).map_or(&self.default, |rule| &rule.done)
    }

    /// Returns the answer to a request of a rule that needs no target.
    pub(crate) fn own(&self, decided: Decided, host: Option<&str>, path: &[u8], query: &[u8]) -> Option<Own> {
        match self.done(decided) {
            Done::Forward(_) => None,
            Done::Fixed { status, content_type, body } => Some(Own {
                status: *status,
                content_type: content_type.clone(),
                body: body.clone(),
                location: None,
            }),
            Done::Redirect { status, protocol, host: to, port, path: way, query: pairs } => {
                let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
                let asked = Asked {
                    secure: self.secure,
                    host: host::bare(host.unwrap_or(&self.dns_name)),
                    port: self.port,
                    path: text(path),
                    query: text(query),
                };
                let location = location(Parts { protocol, host: to, port, path: way, query: pairs }, asked);
                Some(Own::page(*status, Some(location)))
            }
        }
    }

    /// Returns a rule's priority, 0 for the default one, and what its action is called in logs.
    pub(crate) fn called(&self, decided: Decided) -> (u32, &'static str) {
        let priority = decided.and_then(|number| self.rules.get(number)).map_or(0, |rule| rule.priority);
        let action = match self.done(decided) {
            Done::Forward(_) => "forward",
            Done::Fixed { .. } => "fixed-response",
            Done::Redirect { .. } => "redirect",
        };
        (priority, action)
    }

    /// Returns how the requests of a rule are rewritten.
    pub(crate) fn rewrites(&self, decided: Decided) -> Option<&Rewrites> {
        decided.and_then(|number| self.rules.get(number)).map(|rule| &rule.rewrites)
    }
}

impl Done {
    fn compile(action: &Action, route: impl Fn(&Arn) -> Option<Arc<Route>>) -> Done {
        match action {
            Action::Forward { target_groups, sticky_secs } => {
                let routes = target_groups.iter().filter_map(|(arn, weight)| Some((*weight, route(arn)?)));
                Done::Forward(Forward::new(routes.collect(), *sticky_secs))
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
}

/// Returns, for each group, an address of the first load balancer that forwards to it.
pub(crate) fn sources(sent: &RoutingTable) -> HashMap<&Arn, Option<Ipv4Addr>> {
    let mut sources = HashMap::new();
    for balancer in &sent.load_balancers {
        let actions = balancer.listeners.iter().flat_map(|listener| listener.actions());
        for arn in actions.flat_map(Action::forwards_to) {
            sources.entry(arn).or_insert_with(|| balancer.addresses.first().copied());
        }
    }
    sources
}

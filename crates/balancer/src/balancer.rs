//! The balancer as a whole: applies tables, and knows what to tell control.
//!
//! Applying is one step under one lock. Targets that leave are marked first, then the table and its generation are
//! swapped; a request that has chosen its target looks at both again once it is counted in (`proxy`). So when
//! `Applied` is sent, no request can start by an older table, and whoever waits for a leaving target sees every
//! request that has.

use crate::{
    BalancerConfig,
    client::Front,
    group::Group,
    health::Health,
    listen::Listeners,
    logs::Logs,
    probe::{self, Plan},
    saved::{Saved, SavedHealth},
    sticky::Marker,
    table::{Table, Targets, sources},
    tally::BalancerTally,
    target::Target,
};
use arc_swap::{ArcSwap, Guard};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    task::AbortHandle,
    time::{sleep, timeout},
};
use wharf_model::{
    Arn,
    attributes::TargetGroupAttributes,
    measures::Measures,
    routing::{Action, RoutingTable},
    target_group::{TargetAddress, TargetHealth},
};
use wharf_nodelink::balancer::{FromBalancer, ListenProblem};

/// How long health that changes is gathered before it is saved.
const SAVE_AFTER: Duration = Duration::from_millis(100);
/// How often control is told what was counted.
const MEASURE_EVERY: Duration = Duration::from_secs(1);
/// How often a port that was taken is tried again.
const LISTEN_AGAIN: Duration = Duration::from_millis(200);
/// How long requests may take to end when the balancer stops.
const STOP_MAX: Duration = Duration::from_secs(30);

/// The balancer.
#[derive(Debug)]
pub(crate) struct Balancer {
    table: ArcSwap<Table>,
    generation: AtomicU64,
    state: Mutex<State>,
    outgoing: UnboundedSender<FromBalancer>,
    saved: Saved,
    logs: Logs,
    marker: Marker,
    health_changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    targets: Targets,
    probes: HashMap<u64, (Plan, AbortHandle)>,
    groups: HashMap<Arn, Arc<Group>>,
    attributes: HashMap<Arn, TargetGroupAttributes>,
    tallies: HashMap<Arn, Arc<BalancerTally>>,
    /// The load balancer of each group.
    forwarding: HashMap<Arn, Arn>,
    listeners: Listeners,
    problems: Vec<ListenProblem>,
    listening_again: bool,
}

impl Balancer {
    /// Starts with the saved table, if there is one; returns what is to be told to control as well.
    pub(crate) fn start(config: &BalancerConfig) -> (Arc<Balancer>, UnboundedReceiver<FromBalancer>) {
        let (outgoing, messages) = unbounded_channel();
        let saved = Saved::new(&config.state_dir);
        let marker = Marker::new(saved.cookies());
        let gathering = config.state_dir.join("logs");
        let logs = Logs::start(gathering, config.buckets.clone(), config.log_every);
        let balancer = Arc::new(Balancer {
            table: ArcSwap::default(),
            generation: AtomicU64::new(0),
            state: Mutex::default(),
            outgoing,
            saved,
            logs,
            marker,
            health_changed: Notify::new(),
        });
        balancer.state().listeners.serve_with(Front::new(balancer.clone()));
        if let Some((table, health)) = balancer.saved.load() {
            tracing::info!(version = table.version, "serving the saved table");
            balancer.state().targets = health
                .into_iter()
                .map(|saved| {
                    let key = (saved.target_group, saved.target);
                    let target = balancer.target(&key, saved.health);
                    (key, target)
                })
                .collect();
            balancer.apply(table);
        }
        tokio::spawn(save_health(Arc::downgrade(&balancer)));
        tokio::spawn(tell_measures(Arc::downgrade(&balancer)));
        (balancer, messages)
    }

    /// Returns the logs.
    pub(crate) fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Returns the table in force.
    pub(crate) fn table(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    /// Returns whether this is still the table in force.
    pub(crate) fn is_current(&self, table: &Table) -> bool {
        self.is_generation(table.generation)
    }

    /// Returns whether the table in force is of this generation.
    pub(crate) fn is_generation(&self, generation: u64) -> bool {
        self.generation.load(SeqCst) == generation
    }

    /// Puts a table in force, and tells control.
    pub(crate) fn apply(self: &Arc<Balancer>, sent: RoutingTable) {
        let mut state = self.state();
        let state = &mut *state;
        let mut old = std::mem::take(&mut state.targets);
        let mut leaving = Vec::new();
        for group in &sent.target_groups {
            let fresh = || Arc::new(Group::new(&group.arn, &self.marker));
            state.groups.entry(group.arn.clone()).or_insert_with(fresh);
            for route in &group.targets {
                let key = (group.arn.clone(), route.address);
                let known = old.remove(&key);
                let target = match known {
                    // Registered again after it drained: another target.
                    Some(known) if known.is_leaving() && !route.draining => {
                        self.target(&key, first_health(group.health_check.enabled))
                    }
                    Some(known) => known,
                    None => self.target(&key, first_health(group.health_check.enabled)),
                };
                if route.draining && !target.is_leaving() {
                    let delay = Duration::from_secs(group.deregistration_delay_secs.into());
                    leaving.push((target.clone(), Some(delay)));
                }
                state.targets.insert(key, target);
            }
        }
        leaving.extend(old.into_values().filter(|target| !target.is_leaving()).map(|target| (target, None)));
        state.attributes =
            sent.target_groups.iter().map(|group| (group.arn.clone(), group.attributes.clone())).collect();
        state.groups.retain(|arn, _| state.attributes.contains_key(arn));
        state.forward(&sent);

        let generation = self.generation.load(SeqCst) + 1;
        let table = Arc::new(Table::compile(
            &sent,
            generation,
            &state.targets,
            &state.groups,
            &state.tallies,
            &self.table.load(),
        ));
        for (target, _) in &leaving {
            target.leave();
        }
        state.look_at_all();
        self.table.store(table.clone());
        self.generation.store(generation, SeqCst);

        self.saved.table(&sent);
        self.health_changed.notify_one();
        state.listeners.update(&table);
        state.problems = state.listeners.problems(&table);
        tracing::info!(version = sent.version, problems = state.problems.len(), "table applied");
        self.say(FromBalancer::Applied { version: sent.version, problems: state.problems.clone() });
        for (target, delay) in leaving {
            tokio::spawn(self.clone().drain(target, delay));
        }
        self.check_health(state, &sent);
        if !state.problems.is_empty() && !state.listening_again {
            state.listening_again = true;
            tokio::spawn(self.clone().listen_again());
        }
    }

    /// Returns all that control cannot know after a reconnect.
    pub(crate) fn everything(&self) -> Vec<FromBalancer> {
        let measured = FromBalancer::Measured(self.measures());
        let state = self.state();
        let said =
            state.targets.values().filter_map(|target| match (target.is_leaving(), target.is_drained()) {
                (false, _) => Some(health_of(target, target.health().report())),
                (true, true) => Some(drained(target)),
                (true, false) => None,
            });
        said.chain([measured]).collect()
    }

    /// Returns what was counted of all that is served.
    fn measures(&self) -> Measures {
        self.state().measures()
    }

    /// Tells control of a target's health, if the target is still one of the table.
    pub(crate) fn health_changed(&self, target: &Arc<Target>, health: TargetHealth) {
        let state = self.state();
        if state.names(target) {
            state.look_at(&target.group);
            drop(state);
            self.say(health_of(target, health));
            self.health_changed.notify_one();
        }
    }

    /// Accepts no more, and waits a while for the requests in flight.
    pub(crate) async fn stop(&self) {
        let ended = {
            let mut state = self.state();
            for (_, probe) in state.probes.values() {
                probe.abort();
            }
            state.listeners.close()
        };
        if timeout(STOP_MAX, ended).await.is_err() {
            tracing::warn!("requests were cut after {} s", STOP_MAX.as_secs());
        }
        self.logs.finish().await;
    }

    /// Waits for the last request of a target that leaves, or for its delay, and ends its connections.
    async fn drain(self: Arc<Balancer>, target: Arc<Target>, delay: Option<Duration>) {
        match delay {
            Some(delay) if timeout(delay, target.quiet()).await.is_err() => {
                tracing::warn!(target = %target.address, "requests were cut after the deregistration delay");
            }
            Some(_) => {}
            None => target.quiet().await,
        }
        target.cut();
        if self.state().names(&target) {
            self.say(drained(&target));
        }
    }

    /// Starts the checks of new targets and those whose settings changed; ends those of targets that leave.
    fn check_health(self: &Arc<Balancer>, state: &mut State, sent: &RoutingTable) {
        let sources = sources(sent);
        let mut kept = HashMap::new();
        let mut unchecked = false;
        for group in &sent.target_groups {
            for route in &group.targets {
                let Some(target) = state.targets.get(&(group.arn.clone(), route.address)) else { continue };
                if target.is_leaving() {
                    continue;
                }
                if !group.health_check.enabled {
                    if target.set_health(Health::Unchecked) {
                        unchecked = true;
                        self.say(health_of(target, Health::Unchecked.report()));
                    }
                    continue;
                }
                let source = sources.get(&group.arn).copied().flatten();
                let plan =
                    Plan { check: group.health_check.clone(), source, version: group.protocol_version };
                match state.probes.remove(&target.id) {
                    Some((same, probe)) if same == plan => kept.insert(target.id, (same, probe)),
                    other => {
                        if let Some((_, probe)) = other {
                            probe.abort();
                        }
                        let task =
                            tokio::spawn(probe::keep(Arc::downgrade(self), target.clone(), plan.clone()));
                        if target.health() == Health::Registering {
                            self.say(health_of(target, Health::Registering.report()));
                        }
                        kept.insert(target.id, (plan, task.abort_handle()))
                    }
                };
            }
        }
        for (_, probe) in std::mem::replace(&mut state.probes, kept).into_values() {
            probe.abort();
        }
        if unchecked {
            state.look_at_all();
        }
    }

    /// Tries ports that were taken until all are served or no longer wanted.
    async fn listen_again(self: Arc<Balancer>) {
        loop {
            sleep(LISTEN_AGAIN).await;
            let mut state = self.state();
            let table = self.table.load_full();
            state.listeners.update(&table);
            let problems = state.listeners.problems(&table);
            if problems != state.problems {
                state.problems.clone_from(&problems);
                self.say(FromBalancer::Applied { version: table.version, problems });
            }
            if state.problems.is_empty() {
                state.listening_again = false;
                return;
            }
        }
    }

    fn target(&self, (group, address): &(Arn, TargetAddress), health: Health) -> Arc<Target> {
        let mark = self.marker.mark(&format!("{group} {address}"));
        Arc::new(Target::new(group.clone(), *address, mark, health))
    }

    /// Queues a message; without a connection it is dropped, for everything is said again on the next.
    fn say(&self, message: FromBalancer) {
        let _ = self.outgoing.send(message);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns whether the table in force names this very target.
    fn names(&self, target: &Arc<Target>) -> bool {
        let named = self.targets.get(&(target.group.clone(), target.address));
        named.is_some_and(|named| named.id == target.id)
    }

    /// Notes which load balancers there are, and to which groups they forward.
    fn forward(&mut self, sent: &RoutingTable) {
        self.tallies.retain(|arn, _| sent.load_balancers.iter().any(|balancer| balancer.arn == *arn));
        self.forwarding.clear();
        for balancer in &sent.load_balancers {
            self.tallies.entry(balancer.arn.clone()).or_default();
            let actions = balancer.listeners.iter().flat_map(|listener| listener.actions());
            let groups = actions.flat_map(Action::forwards_to);
            self.forwarding.extend(groups.map(|group| (group.clone(), balancer.arn.clone())));
        }
    }

    fn measures(&self) -> Measures {
        let mut hosts = HashMap::<&Arn, [u64; 2]>::new();
        for target in self.targets.values().filter(|target| !target.is_leaving()) {
            let [healthy, unhealthy] = hosts.entry(&target.group).or_default();
            match target.health() {
                Health::Healthy { .. } | Health::Unchecked => *healthy += 1,
                Health::Unhealthy { .. } => *unhealthy += 1,
                Health::Registering | Health::Checking { .. } => {}
            }
        }
        let groups = self.groups.iter().map(|(arn, group)| {
            let hosts = hosts.get(arn).copied().unwrap_or_default();
            group.tally.measures(arn, self.forwarding.get(arn), hosts)
        });
        let mut measures = Measures {
            load_balancers: self.tallies.iter().map(|(arn, tally)| tally.measures(arn)).collect(),
            target_groups: groups.collect(),
        };
        measures.load_balancers.sort_by_cached_key(|of| of.arn.to_string());
        measures.target_groups.sort_by_cached_key(|of| of.arn.to_string());
        measures
    }

    /// Looks whether enough targets of a group are healthy.
    fn look_at(&self, arn: &Arn) {
        if let (Some(group), Some(attributes)) = (self.groups.get(arn), self.attributes.get(arn)) {
            let members = self.targets.values().filter(|target| target.group == *arn);
            group.look(attributes, members.cloned());
        }
    }

    fn look_at_all(&self) {
        let mut members: HashMap<&Arn, Vec<Arc<Target>>> = HashMap::new();
        for target in self.targets.values() {
            members.entry(&target.group).or_default().push(target.clone());
        }
        for (arn, group) in &self.groups {
            if let Some(attributes) = self.attributes.get(arn) {
                group.look(attributes, members.remove(arn).into_iter().flatten());
            }
        }
    }
}

fn first_health(checked: bool) -> Health {
    if checked { Health::Registering } else { Health::Unchecked }
}

fn health_of(target: &Target, health: TargetHealth) -> FromBalancer {
    FromBalancer::Health { target_group: target.group.clone(), target: target.address, health }
}

fn drained(target: &Target) -> FromBalancer {
    FromBalancer::Drained { target_group: target.group.clone(), target: target.address }
}

/// Tells control what was counted, as long as it changes.
async fn tell_measures(balancer: Weak<Balancer>) {
    let mut told = Measures::default();
    loop {
        sleep(MEASURE_EVERY).await;
        let Some(balancer) = balancer.upgrade() else { return };
        let measures = balancer.measures();
        if measures != told {
            balancer.say(FromBalancer::Measured(measures.clone()));
            told = measures;
        }
    }
}

/// Saves the targets' health whenever it has changed.
async fn save_health(balancer: Weak<Balancer>) {
    while let Some(balancer) = balancer.upgrade() {
        balancer.health_changed.notified().await;
        sleep(SAVE_AFTER).await;
        let health: Vec<_> = {
            let state = balancer.state();
            let staying = state.targets.values().filter(|target| !target.is_leaving());
            let saved = staying.map(|target| SavedHealth {
                target_group: target.group.clone(),
                target: target.address,
                health: target.health(),
            });
            saved.collect()
        };
        balancer.saved.health(&health);
    }
}

//! A balancer that is played: targets are what they are told to be, and drain when they are let.

use crate::world::World;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::{net::UnixStream, sync::mpsc, task::JoinHandle};
use wharf_control::operations::{
    listeners::{self, NewListener},
    load_balancers::{self, NewLoadBalancer},
    target_groups::{self, NewTargetGroup},
};
use wharf_model::{
    Arn,
    load_balancer::{ListenerProtocol, Scheme},
    network::Vpc,
    routing::{Action, RoutingTable},
    service::ServiceLoadBalancer,
    target_group::{HealthCheck, TargetAddress, TargetHealth, TargetState},
};
use wharf_nodelink::{
    VERSION,
    balancer::{FromBalancer, ToBalancer},
    read_frame, write_frame,
};

pub(crate) struct Balancer {
    mood: Arc<Mutex<Mood>>,
    again: mpsc::UnboundedSender<()>,
    player: JoinHandle<()>,
}

struct Mood {
    /// What targets are that have not been seen before.
    health: TargetState,
    /// What those are that have.
    known: HashMap<TargetAddress, TargetState>,
    /// Whether draining targets become drained.
    drains: bool,
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.player.abort();
    }
}

impl Balancer {
    pub(crate) async fn join(world: &World) -> Balancer {
        let (mut from, mut to) = UnixStream::connect(world.socket("balancer")).await.unwrap().into_split();
        let hello = FromBalancer::Hello { version: VERSION, table_version: 0 };
        write_frame(&mut to, &hello).await.unwrap();
        let mood =
            Arc::new(Mutex::new(Mood { health: TargetState::Healthy, known: HashMap::new(), drains: true }));
        let (tables, mut news) = mpsc::unbounded_channel();
        let (again, mut asked) = mpsc::unbounded_channel();
        let player = tokio::spawn({
            let mood = Arc::clone(&mood);
            async move {
                let reader = tokio::spawn(async move {
                    while let Ok(Some(ToBalancer::Table(table))) = read_frame(&mut from).await {
                        let _ = tables.send(table);
                    }
                });
                let mut table = RoutingTable::default();
                loop {
                    tokio::select! {
                        Some(newer) = news.recv() => table = newer,
                        Some(()) = asked.recv() => {}
                        else => break,
                    }
                    let frames = play(&table, &mut mood.lock().unwrap());
                    for frame in frames {
                        let _ = write_frame(&mut to, &frame).await;
                    }
                }
                reader.abort();
            }
        });
        Balancer { mood, again, player }
    }

    /// Makes all targets this, now and from now on.
    pub(crate) fn all_targets_are(&self, health: TargetState) {
        self.new_targets_are(health);
        self.mood.lock().unwrap().known.clear();
        self.again.send(()).unwrap();
    }

    /// Makes targets this that are not there yet.
    pub(crate) fn new_targets_are(&self, health: TargetState) {
        self.mood.lock().unwrap().health = health;
    }

    /// Says whether draining targets become drained.
    pub(crate) fn drains(&self, drains: bool) {
        self.mood.lock().unwrap().drains = drains;
        self.again.send(()).unwrap();
    }
}

fn play(table: &RoutingTable, mood: &mut Mood) -> Vec<FromBalancer> {
    let mut frames = vec![FromBalancer::Applied { version: table.version, problems: Vec::new() }];
    for group in &table.target_groups {
        for route in &group.targets {
            let (target_group, target) = (group.arn.clone(), route.address);
            if !route.draining {
                let state = *mood.known.entry(target).or_insert(mood.health);
                let health = TargetHealth { state, reason: None, description: None };
                frames.push(FromBalancer::Health { target_group, target, health });
            } else if mood.drains {
                frames.push(FromBalancer::Drained { target_group, target });
            }
        }
    }
    frames
}

/// Makes a load balancer with a target group behind it; returns how a service names that.
pub(crate) async fn load_balancer(world: &World) -> ServiceLoadBalancer {
    let vpc = world.control.store().view().list::<Vpc>("")[0].id.clone();
    let new = NewTargetGroup {
        protocol_version: Default::default(),
        name: "shop".into(),
        port: 80,
        vpc,
        health_check: HealthCheck::default(),
        tags: Vec::new(),
    };
    let group: Arn = target_groups::create(&world.control, new).await.unwrap().arn.clone();
    let new = NewLoadBalancer {
        name: "shop".into(),
        subnets: world.network().subnets,
        security_groups: Vec::new(),
        scheme: Scheme::Internal,
        tags: Vec::new(),
    };
    let load_balancer = load_balancers::create(&world.control, new).await.unwrap().arn.clone();
    let new = NewListener {
        load_balancer,
        port: 80,
        protocol: ListenerProtocol::Http,
        certificate: None,
        ssl_policy: None,
        default_action: Action::Forward { target_groups: vec![(group.clone(), 1)], sticky_secs: None },
        tags: Vec::new(),
    };
    listeners::create(&world.control, new).await.unwrap();
    ServiceLoadBalancer { target_group: group, container_name: "app".into(), container_port: 80 }
}

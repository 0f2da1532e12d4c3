use super::*;
use crate::{
    loops,
    operations::{
        balancing::Error,
        listeners::{self, NewListener},
        load_balancers::{self, NewLoadBalancer},
        networks, target_groups, world,
    },
};
use std::net::Ipv4Addr;
use wharf_model::{
    Arn,
    load_balancer::{ListenerProtocol, Scheme},
    network::{Subnet, Vpc},
    routing::Action,
    target_group::{HealthCheck, TargetAddress, TargetHealth, TargetState},
};

/// A control plane with its routing loop, and a balancer that the test plays.
struct World {
    control: Control,
    balancer: UnixStream,
    _dir: tempfile::TempDir,
    _running: JoinSet<()>,
}

impl World {
    async fn new() -> World {
        let (control, dir) = world::control();
        networks::ensure_default(&control).await.unwrap();
        let socket = dir.path().join("balancer.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let mut running = JoinSet::new();
        running.spawn(serve(control.clone(), listener));
        running.spawn(loops::routing::run(control.clone()));
        let mut balancer = UnixStream::connect(&socket).await.unwrap();
        say(&mut balancer, FromBalancer::Hello { version: VERSION, table_version: 0 }).await;
        World { control, balancer, _dir: dir, _running: running }
    }

    /// Returns the first table that `wanted` likes, after acknowledging each with the problems it has.
    async fn table(
        &mut self,
        wanted: impl Fn(&RoutingTable) -> bool,
        problems: impl Fn(&RoutingTable) -> Vec<ListenProblem>,
    ) -> RoutingTable {
        loop {
            let frame = tokio::time::timeout(Duration::from_secs(10), read_frame(&mut self.balancer));
            let ToBalancer::Table(table) = frame.await.expect("a table comes").unwrap().unwrap();
            let applied = FromBalancer::Applied { version: table.version, problems: problems(&table) };
            say(&mut self.balancer, applied).await;
            if wanted(&table) {
                return table;
            }
        }
    }

    async fn load_balancer(&self) -> Arc<LoadBalancer> {
        let subnets = self.control.store().view().list::<Subnet>("");
        let new = NewLoadBalancer {
            name: "web".to_owned(),
            subnets: subnets.iter().map(|subnet| subnet.id.clone()).collect(),
            security_groups: Vec::new(),
            scheme: Scheme::InternetFacing,
            tags: Vec::new(),
        };
        load_balancers::create(&self.control, new).await.unwrap()
    }

    async fn group(&self) -> Arn {
        let vpc = self.control.store().view().list::<Vpc>("").remove(0);
        let new = target_groups::NewTargetGroup {
            protocol_version: Default::default(),
            name: "web".to_owned(),
            port: 80,
            vpc: vpc.id.clone(),
            health_check: HealthCheck::default(),
            tags: Vec::new(),
        };
        target_groups::create(&self.control, new).await.unwrap().arn.clone()
    }

    /// Waits until the store shows what `wanted` looks for.
    async fn until(&self, wanted: impl Fn(&Control) -> bool) {
        let mut bell = self.control.store().watch();
        while !wanted(&self.control) {
            tokio::time::timeout(Duration::from_secs(10), bell.changed()).await.unwrap().unwrap();
        }
    }
}

async fn say(balancer: &mut UnixStream, message: FromBalancer) {
    write_frame(balancer, &message).await.unwrap();
}

fn listener(load_balancer: &Arn, group: &Arn) -> NewListener {
    NewListener {
        load_balancer: load_balancer.clone(),
        port: 80,
        protocol: ListenerProtocol::Http,
        certificate: None,
        ssl_policy: None,
        default_action: Action::Forward { target_groups: vec![(group.clone(), 1)], sticky_secs: None },
        tags: Vec::new(),
    }
}

#[tokio::test]
async fn a_load_balancer_is_active_once_its_table_is_in_force() {
    let mut world = World::new().await;
    let made = world.load_balancer().await;
    assert_eq!(made.state, LoadBalancerState::Provisioning);
    let table = world.table(|table| !table.load_balancers.is_empty(), |_| Vec::new()).await;
    assert_eq!(table.load_balancers[0].addresses.len(), 3);
    world
        .until(|control| load_balancers::find(control, &made.arn).unwrap().state == LoadBalancerState::Active)
        .await;
}

#[tokio::test]
async fn a_listener_whose_port_is_taken_is_refused_and_removed() {
    let mut world = World::new().await;
    let (made, group) = (world.load_balancer().await, world.group().await);
    // A balancer that has not said hello yet counts as away.
    world.table(|table| !table.load_balancers.is_empty(), |_| Vec::new()).await;
    let control = world.control.clone();
    let asked = tokio::spawn(async move { listeners::create(&control, listener(&made.arn, &group)).await });
    let taken = |table: &RoutingTable| -> Vec<ListenProblem> {
        let listeners = table.load_balancers.iter().flat_map(|routes| &routes.listeners);
        listeners
            .map(|listener| ListenProblem {
                listener: listener.arn.clone(),
                address: "127.0.0.1:80".to_owned(),
                reason: "address in use".to_owned(),
            })
            .collect()
    };
    world.table(|table| !taken(table).is_empty(), taken).await;
    world.table(|table| taken(table).is_empty(), taken).await;
    let Err(Error::InvalidConfiguration(message)) = asked.await.unwrap() else { panic!("it was made") };
    assert_eq!(message, "Port 80 cannot be served: 127.0.0.1:80: address in use");
    assert!(listeners::list(&world.control).is_empty());
}

#[tokio::test]
async fn a_target_lives_from_its_first_check_until_it_has_drained() {
    let mut world = World::new().await;
    let (made, group) = (world.load_balancer().await, world.group().await);
    let control = world.control.clone();
    let new = listener(&made.arn, &group);
    let asked = tokio::spawn(async move { listeners::create(&control, new).await });
    world.table(|table| !table.target_groups.is_empty(), |_| Vec::new()).await;
    asked.await.unwrap().unwrap();
    let target = TargetAddress { ip: Ipv4Addr::new(10, 0, 0, 1), port: 80 };
    target_groups::register(&world.control, &group, &[(target.ip, None)]).await.unwrap();
    let serving = |table: &RoutingTable| table.target_groups[0].targets.len() == 1;
    world.table(serving, |_| Vec::new()).await;
    let health = TargetHealth { state: TargetState::Healthy, reason: None, description: None };
    say(&mut world.balancer, FromBalancer::Health { target_group: group.clone(), target, health }).await;
    let known = group.clone();
    let state = move |control: &Control| {
        let found = target_groups::find(control, &known).unwrap();
        let known = targets::health(&control.store().view(), &found);
        known.first().map(|(_, health)| health.state)
    };
    world.until(|control| state(control) == Some(TargetState::Healthy)).await;
    target_groups::deregister(&world.control, &group, &[(target.ip, None)]).await.unwrap();
    assert_eq!(state(&world.control), Some(TargetState::Draining));
    world.table(|table| table.target_groups[0].targets[0].draining, |_| Vec::new()).await;
    say(&mut world.balancer, FromBalancer::Drained { target_group: group.clone(), target }).await;
    world.until(|control| state(control).is_none()).await;
}

#[tokio::test]
async fn versions_go_on_after_those_a_balancer_has_seen() {
    let mut world = World::new().await;
    let first = world.table(|_| true, |_| Vec::new()).await;
    let socket = world._dir.path().join("balancer.sock");
    world.balancer = UnixStream::connect(&socket).await.unwrap();
    let seen = first.version + 1_000_000_000_000;
    say(&mut world.balancer, FromBalancer::Hello { version: VERSION, table_version: seen }).await;
    let next = world.table(|_| true, |_| Vec::new()).await;
    assert_eq!(next.version, seen + 1);
}

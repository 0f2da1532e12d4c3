use super::*;
use wharf_model::{
    Place, Timestamp,
    load_balancer::{ListenerProtocol, LoadBalancerState},
    target_group::{HealthCheck, TargetAddress},
};

fn arn(resource: &str) -> Arn {
    Place { region: "us-east-1".to_owned(), account: "123456789012".to_owned() }
        .arn("elasticloadbalancing", resource)
}

fn load_balancer(name: &str, scheme: Scheme) -> Arc<LoadBalancer> {
    Arc::new(LoadBalancer {
        arn: arn(&format!("loadbalancer/app/{name}/0")),
        name: name.to_owned(),
        dns_name: format!("{name}.elb.localhost"),
        scheme,
        vpc: "vpc-00000000".parse().unwrap(),
        subnets: vec![("subnet-00000001".parse().unwrap(), "eni-00000001".parse().unwrap())],
        security_groups: Vec::new(),
        idle_timeout_secs: 60,
        attributes: Default::default(),
        state: LoadBalancerState::Active,
        created_at: Timestamp(0),
        tags: Vec::new(),
    })
}

fn listener(balancer: &LoadBalancer, port: u16, groups: &[&TargetGroup]) -> Arc<Listener> {
    Arc::new(Listener {
        arn: arn(&format!("listener/app/{}/0/{port}", balancer.name)),
        load_balancer: balancer.arn.clone(),
        port,
        protocol: ListenerProtocol::Http,
        default_action: Action::Forward {
            target_groups: groups.iter().map(|group| (group.arn.clone(), 1)).collect(),
            sticky_secs: None,
        },
        attributes: Default::default(),
        certificates: Vec::new(),
        ssl_policy: None,
        created_at: Timestamp(0),
        tags: Vec::new(),
    })
}

fn group(name: &str) -> Arc<TargetGroup> {
    Arc::new(TargetGroup {
        arn: arn(&format!("targetgroup/{name}/0")),
        name: name.to_owned(),
        port: 80,
        protocol_version: Default::default(),
        vpc: "vpc-00000000".parse().unwrap(),
        health_check: HealthCheck::default(),
        deregistration_delay_secs: 300,
        attributes: Default::default(),
        created_at: Timestamp(0),
        tags: Vec::new(),
    })
}

fn target(group: &TargetGroup, last: u8, draining: bool) -> Arc<Target> {
    Arc::new(Target {
        target_group: group.arn.clone(),
        address: TargetAddress { ip: Ipv4Addr::new(172, 31, 0, last), port: 80 },
        task: None,
        registered_at: Timestamp(0),
        draining_since: draining.then_some(Timestamp(1)),
    })
}

#[test]
fn a_table_has_every_balancer_and_the_groups_that_listeners_reach() {
    let (balancer, used, idle) = (load_balancer("web", Scheme::InternetFacing), group("used"), group("idle"));
    let made = table(&Seen {
        certificates: Default::default(),
        addresses: [("eni-00000001".parse().unwrap(), Ipv4Addr::new(172, 31, 0, 9))].into(),
        listeners: vec![listener(&balancer, 80, &[&used])],
        rules: Vec::new(),
        targets: vec![target(&idle, 4, false), target(&used, 5, false), target(&used, 6, true)],
        target_groups: vec![idle, used],
        load_balancers: vec![balancer],
        host_addresses: vec![Ipv4Addr::LOCALHOST],
    });
    assert_eq!(made.load_balancers.len(), 1);
    assert_eq!(made.load_balancers[0].addresses, [Ipv4Addr::new(172, 31, 0, 9)]);
    assert_eq!(made.load_balancers[0].host_addresses, [Ipv4Addr::LOCALHOST]);
    assert_eq!(made.load_balancers[0].listeners[0].port, 80);
    assert_eq!(made.target_groups.len(), 1);
    let draining: Vec<bool> = made.target_groups[0].targets.iter().map(|target| target.draining).collect();
    assert_eq!(draining, [false, true]);
}

#[test]
fn an_internal_balancer_is_not_served_on_the_host() {
    let made = table(&Seen {
        certificates: Default::default(),
        load_balancers: vec![load_balancer("web", Scheme::Internal)],
        host_addresses: vec![Ipv4Addr::LOCALHOST],
        ..Seen::default()
    });
    assert!(made.load_balancers[0].host_addresses.is_empty());
}

#[test]
fn health_is_what_the_balancer_says_only_of_targets_that_are_in_use() {
    let mut checked = group("web");
    let reported = TargetHealth { state: TargetState::Healthy, reason: None, description: None };
    let state = |target: &Target, group: &TargetGroup, reached, reported: Option<&TargetHealth>| {
        health(target, group, reached, reported).state
    };
    let (serving, draining) = (target(&checked, 4, false), target(&checked, 4, true));
    assert_eq!(state(&serving, &checked, true, Some(&reported)), TargetState::Healthy);
    assert_eq!(state(&serving, &checked, true, None), TargetState::Initial);
    assert_eq!(state(&serving, &checked, false, Some(&reported)), TargetState::Unused);
    assert_eq!(state(&draining, &checked, true, Some(&reported)), TargetState::Draining);
    Arc::make_mut(&mut checked).health_check.enabled = false;
    assert_eq!(state(&serving, &checked, true, None), TargetState::Unavailable);
}

fn rule(listener: &Listener, priority: u32, group: &TargetGroup) -> Arc<Rule> {
    Arc::new(Rule {
        arn: arn(&format!("listener-rule/app/{priority}")),
        load_balancer: listener.load_balancer.clone(),
        listener: listener.arn.clone(),
        priority,
        conditions: Vec::new(),
        action: Action::Forward { target_groups: vec![(group.arn.clone(), 1)], sticky_secs: None },
        transforms: Vec::new(),
        created_at: Timestamp(0),
        tags: Vec::new(),
    })
}

#[test]
fn rules_are_in_the_order_of_their_priorities_and_reach_their_groups() {
    let (balancer, first, second) = (load_balancer("web", Scheme::Internal), group("a"), group("b"));
    let (one, two) = (listener(&balancer, 80, &[]), listener(&balancer, 81, &[]));
    let made = table(&Seen {
        certificates: Default::default(),
        rules: vec![rule(&one, 30, &second), rule(&one, 4, &first)],
        listeners: vec![one, two],
        load_balancers: vec![balancer],
        target_groups: vec![first, second, group("idle")],
        ..Seen::default()
    });
    let [one, two] = made.load_balancers[0].listeners.as_slice() else { panic!("{made:?}") };
    let priorities: Vec<u32> = one.rules.iter().map(|rule| rule.priority).collect();
    assert_eq!((priorities, two.rules.len()), (vec![4, 30], 0));
    assert_eq!(made.target_groups.len(), 2);
}

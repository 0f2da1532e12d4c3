use super::*;
use wharf_model::{
    Arn, Place, Timestamp,
    attributes::Algorithm,
    load_balancer::{LoadBalancer, LoadBalancerState, Scheme},
    target_group::TargetGroup,
};

fn arn() -> Arn {
    Place { region: "us-east-1".to_owned(), account: "123456789012".to_owned() }
        .arn("elasticloadbalancing", "x/y")
}

fn load_balancer() -> LoadBalancer {
    LoadBalancer {
        arn: arn(),
        name: "web".to_owned(),
        dns_name: String::new(),
        scheme: Scheme::Internal,
        vpc: "vpc-00000000".parse().unwrap(),
        subnets: Vec::new(),
        security_groups: Vec::new(),
        idle_timeout_secs: 60,
        attributes: Default::default(),
        state: LoadBalancerState::Active,
        created_at: Timestamp(0),
        tags: Vec::new(),
    }
}

fn group() -> TargetGroup {
    TargetGroup {
        arn: arn(),
        name: "web".to_owned(),
        port: 80,
        protocol_version: Default::default(),
        vpc: "vpc-00000000".parse().unwrap(),
        health_check: Default::default(),
        deregistration_delay_secs: 300,
        attributes: Default::default(),
        created_at: Timestamp(0),
        tags: Vec::new(),
    }
}

fn listener() -> wharf_model::load_balancer::Listener {
    wharf_model::load_balancer::Listener {
        arn: arn(),
        load_balancer: arn(),
        port: 80,
        protocol: wharf_model::load_balancer::ListenerProtocol::Http,
        default_action: wharf_model::routing::Action::Forward {
            target_groups: Vec::new(),
            sticky_secs: None,
        },
        certificates: Vec::new(),
        ssl_policy: None,
        attributes: Default::default(),
        created_at: Timestamp(0),
        tags: Vec::new(),
    }
}

/// Sets one attribute; returns what it is then, or why it cannot be.
fn set<A: Attributes>(mut of: A::Of, key: &str, value: &str) -> Result<String, String> {
    change::<A>(&mut of, [(key, value)].into_iter())?;
    Ok(A::get(&of, key))
}

/// Every attribute can be set to what it is, and is then listed the same.
fn keeps<A: Attributes>(mut of: A::Of) {
    let listed = list::<A>(&of);
    assert_eq!(listed.len(), A::KEYS.len());
    change::<A>(&mut of, listed.iter().map(|(key, value)| (*key, value.as_str()))).unwrap();
    assert_eq!(list::<A>(&of), listed);
}

#[test]
fn what_is_listed_can_be_set() {
    keeps::<LoadBalancers>(load_balancer());
    keeps::<TargetGroups>(group());
    keeps::<Listeners>(listener());
}

#[test]
fn values_are_taken_or_refused_by_the_name_of_their_attribute() {
    let load_balancer = |key: &str, value: &str| set::<LoadBalancers>(load_balancer(), key, value);
    for (key, good, bad) in [
        ("idle_timeout.timeout_seconds", "4000", "4001"),
        ("client_keep_alive.seconds", "60", "59"),
        ("deletion_protection.enabled", "true", "yes"),
        ("routing.http.xff_header_processing.mode", "remove", "drop"),
        ("routing.http.desync_mitigation_mode", "strictest", "strict"),
        ("access_logs.s3.bucket", "my-logs.example", "../etc"),
        ("access_logs.s3.prefix", "a/b", "a/../b"),
        ("connection_logs.s3.prefix", "x", "AWSLogs"),
        ("waf.fail_open.enabled", "false", "true"),
        ("load_balancing.cross_zone.enabled", "true", "false"),
    ] {
        assert_eq!(load_balancer(key, good).as_deref(), Ok(good));
        assert!(load_balancer(key, bad).unwrap_err().contains(key), "{key}");
    }
    assert!(load_balancer("access_logs.s3.enabled", "true").unwrap_err().contains("access_logs.s3.bucket"));
    assert!(load_balancer("color", "red").unwrap_err().contains("'color' is not recognized"));
}

#[test]
fn a_groups_values_are_taken_or_refused() {
    let group = |key: &str, value: &str| set::<TargetGroups>(group(), key, value);
    for (key, good, bad) in [
        ("deregistration_delay.timeout_seconds", "0", "3601"),
        ("slow_start.duration_seconds", "30", "29"),
        ("stickiness.lb_cookie.duration_seconds", "604800", "0"),
        ("stickiness.app_cookie.cookie_name", "sid", "AWSALBX"),
        ("stickiness.type", "app_cookie", "source_ip"),
        ("load_balancing.algorithm.type", "least_outstanding_requests", "random"),
        ("load_balancing.cross_zone.enabled", "true", "false"),
        ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "50", "101"),
        ("target_group_health.dns_failover.minimum_healthy_targets.count", "1", "2"),
    ] {
        assert_eq!(group(key, good).as_deref(), Ok(good));
        assert!(group(key, bad).unwrap_err().contains(key), "{key}");
    }
}

#[test]
fn some_values_need_others() {
    let (on, random) = (("load_balancing.algorithm.anomaly_mitigation", "on"), "weighted_random");
    let mut changed = group();
    assert!(change::<TargetGroups>(&mut changed.clone(), [on].into_iter()).is_err());
    let both = [on, ("load_balancing.algorithm.type", random)];
    assert_eq!(change::<TargetGroups>(&mut changed, both.into_iter()), Ok(()));
    assert_eq!(changed.attributes.algorithm, Algorithm::WeightedRandom);
    let sticky = [("stickiness.enabled", "true"), ("stickiness.type", "app_cookie")];
    assert!(change::<TargetGroups>(&mut group(), sticky.into_iter()).unwrap_err().contains("cookie_name"));
}

#[test]
fn a_listeners_headers_are_set_and_emptied() {
    let key = "routing.http.response.x_frame_options.header_value";
    let mut changed = listener();
    change::<Listeners>(&mut changed, [(key, "DENY")].into_iter()).unwrap();
    assert_eq!(changed.attributes.response_headers, [("x-frame-options".to_owned(), "DENY".to_owned())]);
    change::<Listeners>(&mut changed, [(key, "")].into_iter()).unwrap();
    assert!(changed.attributes.response_headers.is_empty());
    assert!(set::<Listeners>(listener(), key, "ALLOW").unwrap_err().contains(key));
    let other = "routing.http.response.content_security_policy.header_value";
    assert!(set::<Listeners>(listener(), other, "a\r\nb: c").is_err());
}

use super::*;
use crate::sticky::Marker;

fn arn(resource: &str) -> Arn {
    format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:{resource}").parse().unwrap()
}

#[test]
fn an_answer_is_counted_where_it_came_from() {
    let (web, shop) = (arn("loadbalancer/app/web/1"), arn("targetgroup/shop/2"));
    let (balancer, group) = (BalancerTally::default(), Group::new(&shop, &Marker::new(vec![0; 32])));
    let count = |group, status, answered| {
        balancer.count(&Came { group, status, answered, bytes: [10, 100] });
    };
    count(Some(&group), 200, Some((200, Duration::from_millis(2))));
    count(Some(&group), 200, Some((200, Duration::from_micros(2001))));
    count(Some(&group), 200, Some((503, Duration::from_secs(70))));
    // A target was chosen, and did not answer.
    count(Some(&group), 502, None);
    count(None, 302, None);
    balancer.refused(400);
    group.tally.unreached();

    let of = balancer.measures(&web);
    assert_eq!((of.requests, of.received_bytes, of.sent_bytes), (5, 50, 500));
    assert_eq!(of.statuses, [(302, 1), (400, 1), (502, 1)]);
    let of = group.tally.measures(&shop, Some(&web), [3, 1]);
    assert_eq!((of.requests, of.connection_errors, of.healthy, of.unhealthy), (4, 1, 3, 1));
    assert_eq!(of.statuses, [(200, 2), (503, 1)]);
    let mut counts = vec![0; RESPONSE_TIME_BOUNDS_MS.len() + 1];
    (counts[1], counts[2], counts[15]) = (1, 1, 1);
    assert_eq!(of.response_times, ResponseTimes { counts, sum_us: 2000 + 2001 + 70_000_000 });
}

#[test]
fn a_connection_is_open_until_it_is_dropped() {
    let balancer = Arc::<BalancerTally>::default();
    let first = balancer.opened();
    let second = balancer.opened();
    drop(first);
    let of = balancer.measures(&arn("loadbalancer/app/web/1"));
    assert_eq!((of.connections, of.connections_active), (2, 1));
    drop(second);
    assert_eq!(balancer.measures(&of.arn).connections_active, 0);
}

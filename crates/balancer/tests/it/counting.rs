//! What control is told of the requests that were served.

use crate::world::{Server, World, get, send, status};
use wharf_model::{
    measures::{LoadBalancerMeasures, TargetGroupMeasures},
    routing::Action,
    rule::{Condition, Patterns},
    target_group::{TargetAddress, TargetState},
};
use wharf_nodelink::balancer::FromBalancer;

/// Waits until so many requests were counted; returns what was.
async fn counted(world: &World, requests: u64) -> (LoadBalancerMeasures, TargetGroupMeasures) {
    let measures = world.hear(|message| match message {
        FromBalancer::Measured(measures) => {
            let found = measures.load_balancers.first().is_some_and(|of| of.requests == requests);
            found.then(|| measures.clone())
        }
        _ => None,
    });
    let mut measures = measures.await;
    (measures.load_balancers.remove(0), measures.target_groups.remove(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_on_both_ways_and_by_who_answered() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    let fixed = Action::FixedResponse { status_code: 418, content_type: None, message_body: None };
    world.rule(vec![Condition::PathPattern(Patterns::Wildcards(vec!["/tea".to_owned()]))], fixed);
    world.apply().await;
    world.until(a.address, TargetState::Healthy).await;
    assert_eq!(status(&get(at, "/").await), 200);
    let chunked = "POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    assert_eq!(status(&send(at, chunked).await), 200);
    assert_eq!(status(&send(at, "nonsense\r\n\r\n").await), 400);
    assert_eq!(status(&get(at, "/tea").await), 418);

    let (balancer, group) = counted(&world, 3).await;
    assert_eq!(balancer.statuses, [(400, 1), (418, 1)]);
    assert_eq!(balancer.arn, world.table.load_balancers[0].arn);
    assert!(balancer.connections >= 4 && balancer.received_bytes > 100, "{balancer:?}");
    assert!(balancer.sent_bytes > 300, "{balancer:?}");
    assert_eq!((group.requests, group.statuses.as_slice()), (2, [(200, 2)].as_slice()));
    assert_eq!(group.response_times.counts.iter().sum::<u64>(), 2);
    assert_eq!((group.healthy, group.unhealthy, group.load_balancer), (1, 0, Some(balancer.arn)));

    // A target that is not there: one request is counted for the group, and answered by the load balancer.
    let gone = TargetAddress { port: 1, ..a.address };
    world.table.target_groups[0].health_check.enabled = false;
    world.table.target_groups[0].targets[0].address = gone;
    world.apply().await;
    assert_eq!(status(&get(at, "/").await), 502);
    let (balancer, group) = counted(&world, 4).await;
    assert_eq!(balancer.statuses, [(400, 1), (418, 1), (502, 1)]);
    assert_eq!((group.requests, group.connection_errors), (3, 1));
}

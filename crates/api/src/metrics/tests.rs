use super::*;

fn arn(resource: &str) -> Arn {
    format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:{resource}").parse().expect("an ARN")
}

#[test]
fn every_metric_is_named_explained_and_told_of_whom_it_is() {
    let mut counts = vec![0; RESPONSE_TIME_BOUNDS_MS.len() + 1];
    (counts[0], counts[2], counts[15]) = (7, 2, 1);
    let measures = Measures {
        load_balancers: vec![LoadBalancerMeasures {
            arn: arn("loadbalancer/app/web/1"),
            requests: 12,
            statuses: vec![(301, 1), (503, 1)],
            connections: 5,
            connections_active: 2,
            received_bytes: 1000,
            sent_bytes: 9000,
        }],
        target_groups: vec![TargetGroupMeasures {
            arn: arn("targetgroup/shop/2"),
            load_balancer: Some(arn("loadbalancer/app/web/1")),
            requests: 10,
            statuses: vec![(200, 9), (404, 1)],
            connection_errors: 3,
            response_times: ResponseTimes { counts, sum_us: 61_000_500 },
            healthy: 2,
            unhealthy: 1,
        }],
    };
    let text = text(&measures);
    let group = "load_balancer=\"app/web/1\",target_group=\"targetgroup/shop/2\"";
    for line in [
        "# TYPE wharf_alb_requests_total counter".to_owned(),
        "wharf_alb_requests_total{load_balancer=\"app/web/1\"} 12".to_owned(),
        "wharf_alb_http_code_elb_total{load_balancer=\"app/web/1\",code=\"503\"} 1".to_owned(),
        "wharf_alb_active_connections{load_balancer=\"app/web/1\"} 2".to_owned(),
        format!("wharf_alb_target_requests_total{{{group}}} 10"),
        format!("wharf_alb_http_code_target_total{{{group},code=\"404\"}} 1"),
        format!("wharf_alb_healthy_hosts{{{group}}} 2"),
        "# TYPE wharf_alb_target_response_time_seconds histogram".to_owned(),
        format!("wharf_alb_target_response_time_seconds_bucket{{{group},le=\"0.001\"}} 7"),
        format!("wharf_alb_target_response_time_seconds_bucket{{{group},le=\"0.005\"}} 9"),
        format!("wharf_alb_target_response_time_seconds_bucket{{{group},le=\"+Inf\"}} 10"),
        format!("wharf_alb_target_response_time_seconds_sum{{{group}}} 61.000500"),
        format!("wharf_alb_target_response_time_seconds_count{{{group}}} 10"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

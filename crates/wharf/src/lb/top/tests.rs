use super::*;

const BEFORE: &str = r#"# TYPE wharf_alb_requests_total counter
wharf_alb_requests_total{load_balancer="app/web/1"} 100
wharf_alb_http_code_elb_total{load_balancer="app/web/1",code="503"} 4
wharf_alb_active_connections{load_balancer="app/web/1"} 9
wharf_alb_target_requests_total{load_balancer="app/web/1",target_group="targetgroup/shop/2"} 90
wharf_alb_http_code_target_total{load_balancer="app/web/1",target_group="targetgroup/shop/2",code="200"} 90
wharf_alb_healthy_hosts{load_balancer="app/web/1",target_group="targetgroup/shop/2"} 3
wharf_alb_unhealthy_hosts{load_balancer="app/web/1",target_group="targetgroup/shop/2"} 0
wharf_alb_target_response_time_seconds_bucket{load_balancer="app/web/1",target_group="targetgroup/shop/2",le="0.01"} 90
wharf_alb_target_response_time_seconds_bucket{load_balancer="app/web/1",target_group="targetgroup/shop/2",le="1"} 90
wharf_alb_target_response_time_seconds_bucket{load_balancer="app/web/1",target_group="targetgroup/shop/2",le="+Inf"} 90
"#;

const AFTER: &str = r#"wharf_alb_requests_total{load_balancer="app/web/1"} 160
wharf_alb_http_code_elb_total{load_balancer="app/web/1",code="301"} 6
wharf_alb_http_code_elb_total{load_balancer="app/web/1",code="503"} 8
wharf_alb_active_connections{load_balancer="app/web/1"} 12
wharf_alb_target_requests_total{load_balancer="app/web/1",target_group="targetgroup/shop/2"} 140
wharf_alb_http_code_target_total{load_balancer="app/web/1",target_group="targetgroup/shop/2",code="200"} 130
wharf_alb_http_code_target_total{load_balancer="app/web/1",target_group="targetgroup/shop/2",code="404"} 10
wharf_alb_healthy_hosts{load_balancer="app/web/1",target_group="targetgroup/shop/2"} 2
wharf_alb_unhealthy_hosts{load_balancer="app/web/1",target_group="targetgroup/shop/2"} 1
wharf_alb_target_response_time_seconds_bucket{load_balancer="app/web/1",target_group="targetgroup/shop/2",le="0.01"} 130
wharf_alb_target_response_time_seconds_bucket{load_balancer="app/web/1",target_group="targetgroup/shop/2",le="1"} 139
wharf_alb_target_response_time_seconds_bucket{load_balancer="app/web/1",target_group="targetgroup/shop/2",le="+Inf"} 140
"#;

fn rows(before: &str, now: &str) -> Vec<Vec<String>> {
    let table = table(&Samples::read(before), &Samples::read(now), Duration::from_secs(2));
    table.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn what_happened_in_between_is_shown_per_second() {
    let rows = rows(BEFORE, AFTER);
    assert_eq!(rows[1], ["app/web/1", "30.0", "0.0", "3.0", "0.0", "2.0", "12", "open"]);
    let group = ["targetgroup/shop/2", "25.0", "20.0", "0.0", "5.0", "0.0", "≤10", "longer", "2/3"];
    assert_eq!(rows[2], group);
    assert_eq!(rows.len(), 3);
}

#[test]
fn a_balancer_that_was_restarted_counts_anew() {
    let rows = rows(AFTER, BEFORE);
    assert_eq!(rows[1][1], "50.0");
    assert_eq!(rows[2][1..3], ["45.0", "45.0"]);
}

#[test]
fn nobody_has_response_times_when_nothing_happens() {
    let rows = rows(AFTER, AFTER);
    assert_eq!(rows[2][1..], ["0.0", "0.0", "0.0", "0.0", "0.0", "-", "-", "2/3"]);
}

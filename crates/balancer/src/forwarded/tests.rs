use super::{forwarded_for, random, trace_id};

fn trace(came: Option<&str>) -> String {
    trace_id(came, 0x6000_0000, (0x1, 0x2))
}

const FRESH: &str = "1-60000000-000000010000000000000002";

#[test]
fn the_client_is_appended_to_those_before_it() {
    assert_eq!(forwarded_for(None, "10.0.0.9"), "10.0.0.9");
    assert_eq!(forwarded_for(Some("203.0.113.7, 10.0.0.1"), "10.0.0.9"), "203.0.113.7, 10.0.0.1, 10.0.0.9");
}

#[test]
fn a_request_without_a_trace_gets_a_root() {
    assert_eq!(trace(None), format!("Root={FRESH}"));
}

#[test]
fn a_root_that_came_is_kept_and_self_added() {
    assert_eq!(trace(Some("Root=1-5-a")), format!("Self={FRESH};Root=1-5-a"));
}

#[test]
fn a_self_that_came_is_replaced() {
    assert_eq!(trace(Some("Self=1-9-z;Root=1-5-a;app=x")), format!("Self={FRESH};Root=1-5-a;app=x"));
}

#[test]
fn other_fields_without_a_root_get_one() {
    assert_eq!(trace(Some("app=x")), format!("Root={FRESH};app=x"));
}

#[test]
fn random_numbers_differ() {
    let drawn: std::collections::HashSet<_> = (0..10_000).map(|_| random()).collect();
    assert_eq!(drawn.len(), 10_000);
}

use super::*;

#[test]
fn events_read_as_on_aws() {
    let web: ServiceName = "web".parse().unwrap();
    let task = |letter: &str| letter.repeat(32).parse::<TaskId>().unwrap();
    let (a, b) = (task("a"), task("b"));
    assert_eq!(
        started(&web, &[a.clone(), b.clone()]),
        format!("(service web) has started 2 tasks: (task {a}) (task {b}).")
    );
    assert_eq!(
        stopped(&web, std::slice::from_ref(&a)),
        format!("(service web) has stopped 1 running tasks: (task {a}).")
    );
    assert_eq!(steady(&web), "(service web) has reached a steady state.");
    assert!(is_steady(&steady(&web)));
    assert!(!is_steady(&impaired(&web)));
    assert!(
        unplaced(&web, Some(("0123", "has insufficient CPU units available"))).ends_with(
            "The closest matching (container-instance 0123) has insufficient CPU units available."
        )
    );
}

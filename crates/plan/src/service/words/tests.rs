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
}

#[test]
fn a_task_that_no_node_takes_says_which_came_closest_and_what_it_lacks() {
    let web: ServiceName = "web".parse().unwrap();
    let node: wharf_model::NodeId = "0".repeat(32).parse().unwrap();
    let ends =
        |why: &NoRoom, end: &str| assert!(unplaced(&web, why).ends_with(end), "{}", unplaced(&web, why));
    let closest = |lack| NoRoom::Closest(node.clone(), lack);
    ends(
        &NoRoom::NoNode,
        "all of its requirements. Reason: No Container Instances were found in your cluster.",
    );
    ends(&closest(Lack::Cpu), "00) has insufficient CPU units available.");
    ends(&closest(Lack::Memory), "00) has insufficient memory available.");
    ends(&closest(Lack::Ports), "00) is already using a port required by your task.");
    ends(&closest(Lack::Member), "00) does not satisfy a memberOf placement constraint of your task.");
}

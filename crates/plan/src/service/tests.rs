use super::*;

mod world;

/// A task by its letter.
fn id(letter: &str) -> TaskId {
    letter.repeat(32).parse().unwrap()
}

/// A service that wants `count` tasks of its newest deployment.
fn service(count: usize, healthy_min: usize, live_max: usize) -> Desired {
    Desired { count, bounds: Bounds { healthy_min, live_max }, starts: Starts::Now, even_zones: 0 }
}

/// Reads `a new ok, b old failing, c new ok protected, d new ok 2nd…`: the last is the second of its zone.
fn tasks(text: &str) -> Vec<Observed> {
    text.split(", ").filter(|part| !part.is_empty()).map(observed).collect()
}

fn observed(text: &str) -> Observed {
    let words: Vec<&str> = text.split(' ').collect();
    let [letter, deployment, health, ref more @ ..] = words[..] else { panic!("{text}") };
    let deployment = match deployment {
        "new" => 0,
        "old" => 1,
        "older" => 2,
        other => panic!("{other}"),
    };
    let health = match health {
        "ok" => Health::Healthy,
        "starting" => Health::Starting,
        "pending" => Health::Pending,
        "failing" => Health::Failing,
        other => panic!("{other}"),
    };
    let crowd = ["1st", "2nd", "3rd"].iter().position(|place| more.contains(place)).unwrap_or(0);
    Observed { task: id(letter), deployment, health, protected: more.contains(&"protected"), crowd }
}

fn check(desired: Desired, live: &str, expected: &str) {
    let step = plan(&desired, &tasks(live));
    let stops = step.stops.iter().map(|(task, why)| match why {
        Why::Scaling => format!("stop {}", &task.as_str()[..1]),
        Why::Failing => format!("replace {}", &task.as_str()[..1]),
    });
    let starts = (0..step.starts).map(|_| "start".to_owned());
    let stuck = step.stuck.then(|| "stuck".to_owned());
    let story: Vec<_> = stops.chain(starts).chain(stuck).collect();
    assert_eq!(story.join(", "), expected, "{live}");
}

#[test]
fn percentages_round_towards_safety() {
    let bounds = |min, max, count| {
        let percent = DeploymentBounds { healthy_min_percent: min, live_max_percent: max };
        let Bounds { healthy_min, live_max } = Bounds::new(percent, count);
        (healthy_min, live_max)
    };
    assert_eq!(bounds(75, 125, 3), (3, 3));
    assert_eq!(bounds(75, 125, 2), (2, 2));
    assert_eq!(bounds(100, 200, 3), (3, 6));
    assert_eq!(bounds(0, 100, 0), (0, 0));
}

#[test]
fn a_new_service_starts_all_its_tasks() {
    check(service(3, 3, 6), "", "start, start, start");
}

#[test]
fn a_service_that_has_what_it_wants_does_nothing() {
    check(service(2, 2, 4), "a new ok, b new ok", "");
    check(service(2, 2, 4), "a new ok, b new pending", "");
    check(service(0, 0, 0), "", "");
}

#[test]
fn rollout_replaces_as_many_as_the_bounds_allow() {
    check(service(4, 2, 6), "a old ok, b old ok, c old ok, d old ok", "stop a, stop b, start, start");
}

#[test]
fn a_full_second_set_comes_up_before_the_first_goes() {
    let twice = service(2, 2, 4);
    check(twice, "a old ok, b old ok", "start, start");
    check(twice, "a old ok, b old ok, c new pending, d new starting", "");
    check(twice, "a old ok, b old ok, c new ok, d new starting", "stop a");
    check(twice, "a old ok, b old ok, c new ok, d new ok", "stop a, stop b");
}

#[test]
fn tasks_that_serve_nobody_go_first() {
    check(service(2, 2, 4), "a old pending, b old failing, c old ok", "stop a, replace b, start");
}

#[test]
fn a_task_that_may_serve_goes_only_when_enough_are_known_to() {
    check(service(2, 2, 4), "a old starting, b old starting", "start, start");
    check(service(2, 2, 4), "a old starting, b old starting, c new ok, d new starting", "");
    check(service(2, 2, 4), "a old starting, b old starting, c new ok, d new ok", "stop a, stop b");
    check(service(2, 2, 4), "a new starting, b new starting, c new starting", "");
    check(service(0, 0, 0), "a new starting, b new starting", "stop a, stop b");
}

#[test]
fn the_oldest_deployment_goes_first() {
    check(service(2, 2, 4), "a old ok, b older ok, c new ok", "stop b, start");
}

#[test]
fn scaling_in_keeps_the_tasks_that_serve() {
    check(service(1, 1, 2), "a new pending, b new ok, c new ok", "stop a, stop c");
    check(service(0, 0, 0), "a new ok, b new pending", "stop b, stop a");
}

#[test]
fn a_failing_task_stays_until_its_replacement_serves() {
    check(service(2, 2, 4), "a new ok, b new failing", "start");
    check(service(2, 2, 4), "a new ok, b new failing, c new pending", "");
    check(service(2, 2, 4), "a new ok, b new failing, c new ok", "replace b");
}

#[test]
fn a_failing_task_goes_at_once_when_there_is_no_room_beside_it() {
    check(service(2, 1, 2), "a new ok, b new failing", "replace b");
    check(service(2, 1, 3), "a new failing, b new failing", "replace a, start");
}

#[test]
fn bounds_that_leave_no_way_are_told() {
    check(service(2, 2, 2), "a old ok, b old ok", "stuck");
    check(service(2, 2, 2), "a old ok, b old starting", "");
    check(service(2, 2, 2), "a old ok, b old pending", "stop b");
}

#[test]
fn a_deployment_that_must_wait_starts_nothing_and_leaves_the_old_tasks() {
    let waiting = Desired { starts: Starts::Later, ..service(2, 2, 4) };
    check(waiting, "a old ok, b old ok", "");
    check(waiting, "a new ok", "");
}

#[test]
fn a_deployment_that_failed_keeps_the_old_tasks() {
    let failed = Desired { starts: Starts::Never, ..service(2, 1, 4) };
    check(failed, "a old ok, b old ok, c old pending", "stop c");
    check(failed, "a old ok, b old ok, c new ok", "stop a");
}

#[test]
fn a_protected_task_is_not_stopped_for_being_too_many_or_too_old() {
    check(service(1, 1, 2), "a new ok, b new ok protected", "stop a");
    check(service(0, 0, 0), "a new ok protected, b new ok", "stop b");
    check(service(1, 1, 2), "a old ok protected, b new ok", "");
    check(service(1, 0, 2), "a new failing protected, b new ok", "replace a");
}

#[test]
fn a_protected_task_of_an_older_deployment_takes_the_place_of_a_new_one_until_it_goes() {
    check(service(2, 1, 2), "a old ok protected, b old ok", "stop b");
    check(service(2, 1, 2), "a old ok protected", "start");
    check(service(2, 1, 2), "a old ok protected, b new ok", "");
}

#[test]
fn zones_are_evened_by_one_task_more_where_there_are_too_few() {
    let even = Desired { even_zones: 2, ..service(4, 4, 8) };
    check(even, "a new ok 1st, b new ok 2nd, c new ok 3rd, d new ok 1st", "start");
    check(even, "a new ok 1st, b new ok 2nd, c new ok 3rd, d new ok 1st, e new pending 2nd", "");
    check(even, "a new ok 1st, b new ok 2nd, c new ok 3rd, d new ok 1st, e new ok 2nd", "stop c");
    check(even, "a new ok 1st, b new ok 2nd, d new ok 1st, e new ok 2nd", "");
    check(Desired { even_zones: 3, ..service(2, 2, 4) }, "a new ok 1st, b new ok 2nd", "start");
    check(service(2, 2, 4), "a new ok 1st, b new ok 2nd", "");
}

#[test]
fn scaling_in_takes_from_the_fullest_zone() {
    check(service(2, 2, 4), "a new ok 1st, b new ok 2nd, c new ok 1st", "stop b");
}

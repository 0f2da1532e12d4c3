use super::*;

fn node(letter: &str) -> NodeId {
    letter.repeat(32).parse().unwrap()
}

/// Reads `a new ok, b old pending`: the task on node `a`, and how it is. Tasks are named by their place, from `1`.
fn live(text: &str) -> Vec<(NodeId, Observed)> {
    let parts = text.split(", ").filter(|part| !part.is_empty()).enumerate();
    parts
        .map(|(place, part)| {
            let [on, deployment, health] = part.split(' ').collect::<Vec<_>>()[..] else { panic!("{part}") };
            let health = match health {
                "ok" => Health::Healthy,
                "pending" => Health::Pending,
                "failing" => Health::Failing,
                other => panic!("{other}"),
            };
            let task = (place + 1).to_string().repeat(32).parse().unwrap();
            let deployment = usize::from(deployment == "old");
            (node(on), Observed { task, deployment, health, protected: false, crowd: 0 })
        })
        .collect()
}

fn check(nodes: &str, healthy_min: usize, live_max: usize, there: &str, expected: &str) {
    let nodes: Vec<NodeId> = nodes.split_whitespace().map(node).collect();
    let step = plan(&nodes, Bounds { healthy_min, live_max }, Starts::Now, &live(there));
    let stops = step.stops.iter().map(|(task, why)| match why {
        Why::Scaling => format!("stop {}", &task.as_str()[..1]),
        Why::Failing => format!("replace {}", &task.as_str()[..1]),
    });
    let starts = step.starts.iter().map(|node| format!("start on {}", &node.as_str()[..1]));
    let stuck = step.stuck.then(|| "stuck".to_owned());
    let story: Vec<_> = stops.chain(starts).chain(stuck).collect();
    assert_eq!(story.join(", "), expected, "{there}");
}

#[test]
fn each_node_gets_one_task() {
    check("a b", 0, 2, "", "start on a, start on b");
    check("a b", 0, 2, "a new ok", "start on b");
    check("a b", 0, 2, "a new ok, b new pending", "");
}

#[test]
fn a_node_that_is_not_meant_any_more_loses_its_task() {
    check("a", 0, 1, "a new ok, b new ok", "stop 2");
    check("", 0, 0, "a new ok", "stop 1");
}

#[test]
fn an_old_task_goes_before_its_successor_comes_when_there_is_no_room_for_both() {
    check("a b", 0, 2, "a old ok, b old ok", "stop 1, stop 2");
    check("a b", 1, 2, "a old ok, b old ok", "stop 1");
    check("a b", 1, 2, "b old ok", "start on a");
}

#[test]
fn with_room_the_successor_comes_first() {
    check("a b", 2, 4, "a old ok, b old ok", "start on a, start on b");
    check("a b", 2, 4, "a old ok, b old ok, a new ok, b new pending", "stop 1");
}

#[test]
fn bounds_that_leave_no_way_are_told() {
    check("a", 1, 1, "a old ok", "stuck");
    check("a", 1, 1, "a old pending", "stop 1");
    check("a", 1, 2, "a old ok", "start on a");
}

#[test]
fn a_failing_task_makes_room_for_another_and_no_node_keeps_two() {
    check("a", 0, 1, "a new failing", "replace 1");
    check("a", 0, 1, "a new ok, a new ok", "stop 2");
}

/// Nodes come and go, deployments are made, tasks fail: within the bounds at each step, one healthy task on each node in
/// the end, and no plan for a settled daemon.
#[test]
fn no_seed_breaks_the_bounds_and_all_settle() {
    for seed in 0..10_000_u64 {
        let mut dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut below = |limit: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % limit
        };
        let letters = ["a", "b", "c", "d"];
        let percent = [(0, 100), (50, 100), (100, 150), (100, 200)][usize::try_from(below(4)).unwrap()];
        let mut nodes: Vec<NodeId> = Vec::new();
        let mut there: Vec<(NodeId, Observed)> = Vec::new();
        let mut made = 0;
        let mut story = String::new();
        let mut pass = |nodes: &[NodeId], there: &mut Vec<(NodeId, Observed)>, story: &mut String| {
            let count = u32::try_from(nodes.len()).unwrap();
            let bounds = Bounds::new(
                wharf_model::service::DeploymentBounds {
                    healthy_min_percent: percent.0,
                    live_max_percent: percent.1,
                },
                count,
            );
            let step = plan(nodes, bounds, Starts::Now, there);
            story.push_str(&format!("{bounds:?} {step:?}\n"));
            let healthy = |there: &[(NodeId, Observed)]| {
                let meant = there.iter().filter(|(node, _)| nodes.contains(node));
                meant.filter(|(_, task)| task.health == Health::Healthy).count()
            };
            let before = healthy(there);
            there.retain(|(_, task)| !step.stops.iter().any(|(stopped, _)| *stopped == task.task));
            assert!(healthy(there) >= before.min(bounds.healthy_min), "seed {seed}\n{story}");
            for node in &step.starts {
                made += 1;
                let task = format!("{made:032x}").parse().unwrap();
                let health = Health::Pending;
                there.push((
                    node.clone(),
                    Observed { task, deployment: 0, health, protected: false, crowd: 0 },
                ));
            }
            !step.starts.is_empty() || !step.stops.is_empty()
        };
        for _ in 0..40 {
            match below(6) {
                0 => there.iter_mut().for_each(|(_, task)| task.deployment += 1),
                1 => {
                    let letter = node(letters[usize::try_from(below(4)).unwrap()]);
                    match nodes.iter().position(|known| *known == letter) {
                        Some(place) => drop(nodes.remove(place)),
                        None => nodes.push(letter),
                    }
                }
                _ if there.is_empty() => {}
                change => {
                    let which = usize::try_from(below(there.len() as u64)).unwrap();
                    there[which].1.health = match change {
                        2 => Health::Failing,
                        _ => Health::Healthy,
                    };
                }
            }
            pass(&nodes, &mut there, &mut story);
        }
        for _ in 0..40 {
            for (_, task) in there.iter_mut().filter(|(_, task)| task.health != Health::Failing) {
                task.health = Health::Healthy;
            }
            pass(&nodes, &mut there, &mut story);
        }
        if percent != (100, 200) && percent != (0, 100) {
            // These leave no way to replace the task of a single node, which is told instead.
            continue;
        }
        let settled = there.iter().all(|(_, task)| task.deployment == 0 && task.health == Health::Healthy);
        assert!(settled && there.len() == nodes.len(), "seed {seed}\n{there:?}\n{story}");
        assert!(!pass(&nodes, &mut there, &mut story), "a plan for a settled daemon, seed {seed}\n{story}");
    }
}

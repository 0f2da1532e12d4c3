//! The control plane over simulated nodes.

use crate::hello::text;
use std::time::Duration;
use wharf_e2e::{Wharf, within};

#[test]
fn a_service_of_hundreds_is_spread_over_simulated_nodes_and_survives_the_death_of_control() {
    let wharf =
        Wharf::start(&["--simulated-nodes=20", "--simulated-start=50ms", "--simulated-start-spread=50ms"]);
    let aws = wharf.aws();
    aws.json("ecs create-cluster");
    aws.json(
        "ecs register-task-definition --family many --container-definitions name=main,image=none,memory=64,cpu=64",
    );
    aws.json(
        "ecs create-service --service-name many --task-definition many --desired-count 300 --launch-type EC2 \
         --placement-strategy type=spread,field=instanceId",
    );
    let running = |count: u64| {
        within(Duration::from_secs(60), format!("{count} tasks run"), || {
            let services = aws.json("ecs describe-services --services many");
            (services["services"][0]["runningCount"] == count).then_some(())
        });
    };
    running(300);
    let listed = aws.json("ecs list-container-instances");
    let nodes: Vec<String> =
        listed["containerInstanceArns"].as_array().expect("a list").iter().map(text).collect();
    assert_eq!(nodes.len(), 20);
    let described =
        aws.json(&format!("ecs describe-container-instances --container-instances {}", nodes.join(" ")));
    let nodes = described["containerInstances"].as_array().expect("a list");
    assert!(nodes.iter().all(|node| node["runningTasksCount"] == 15), "{nodes:?}");

    wharf.kill("control");
    aws.json("ecs update-service --service many --desired-count 400");
    running(400);

    // What was simulated is nothing to a real Wharf.
    assert!(wharf.output("down", &[]).status.success());
    let refused = wharf.output_with("up", &["--simulated-nodes=0", "--detach"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("that of simulated nodes"), "{said}");
    wharf.down();
}

//! A disk without room: what does not fit is refused by name, what was acknowledged stays, what runs goes on.

use crate::hello::{container, deploy, log, register, run_task, text, until};
use serde_json::json;
use std::time::Duration;
use wharf_e2e::{Aws, Wharf, get, within};

#[test]
fn an_image_without_room_is_refused_and_leaves_nothing() {
    let wharf = Wharf::start_on_disk(64, &["--healthy-after=1"]);
    let aws = wharf.aws();
    aws.json("ecr create-repository --repository-name fastapi");
    let pushed = wharf.pushing("fastapi").output().expect("skopeo is installed");
    let said = String::from_utf8_lossy(&pushed.stderr);
    assert!(!pushed.status.success() && said.contains("507 Insufficient Storage"), "{said}");
    let images = aws.json("ecr describe-images --repository-name fastapi");
    assert_eq!(images["imageDetails"], json!([]));

    // Layers that arrived whole stay, so that the next push need not repeat them; of the others nothing is left.
    let drafts = wharf.state_dir().join("registry/ingest");
    assert_eq!(std::fs::read_dir(&drafts).expect("the registry's drafts").count(), 0);

    // There is room for the push of a small image, and none for unpacking it.
    let image = wharf.push("hello");
    register(&aws, "hello", &json!([container("hello", &image, json!({"command": ["clock"]}))]));
    let before = aws.json("ecs list-task-definitions");
    wharf.disk().fill(1 << 19);
    let arn = text(&run_task(&aws, "hello", "")["taskArn"]);
    let task = until(&aws, &arn, "STOPPED");
    let reason = text(&task["stoppedReason"]);
    assert!(
        reason.starts_with("CannotPullContainerError") && reason.contains("no space left on device"),
        "{reason}"
    );
    assert_eq!(task["stopCode"], "TaskFailedToStart");

    wharf.disk().clear();
    let arn = text(&run_task(&aws, "hello", "")["taskArn"]);
    assert_eq!(until(&aws, &arn, "STOPPED")["containers"][0]["exitCode"], 0);
    assert_eq!(aws.json("ecs list-task-definitions"), before);
    wharf.down();
}

#[test]
fn a_full_disk_costs_no_acknowledged_write_and_no_request() {
    let wharf = Wharf::start_on_disk(64, &["--healthy-after=1"]);
    let hello = deploy(&wharf, 1);
    let aws = &hello.aws;
    wharf.disk().fill(0);
    let (made, said) = fill_with_definitions(aws, "first");
    assert!(said.contains("ServerException") && said.contains("no space left"), "{said}");
    assert!(said.contains("state.redb"), "the file is named: {said}");
    assert_eq!(definitions(aws, "first"), made, "what was acknowledged, and no more");
    for _ in 0..50 {
        assert_eq!(get(&format!("{}/slow?ms=20", hello.url)).expect("an answer").status, 200);
    }

    // There is room again, and nobody has to do anything.
    wharf.disk().clear();
    within(Duration::from_secs(10), "writes are taken again", || {
        aws.output("ecs create-cluster --cluster-name again").status.success().then_some(())
    });
    assert_eq!(definitions(aws, "first"), made);

    // The processes die while there is none.
    wharf.disk().fill(0);
    let (made, _) = fill_with_definitions(aws, "second");
    for process in ["control", "agent", "keeper"] {
        wharf.kill(process);
    }
    for _ in 0..50 {
        assert_eq!(get(&format!("{}/slow?ms=20", hello.url)).expect("an answer").status, 200);
    }
    wharf.disk().clear();
    within(Duration::from_secs(20), "writes are taken again", || {
        aws.output("ecs create-cluster --cluster-name third").status.success().then_some(())
    });
    assert_eq!(definitions(aws, "second"), made);
    within(Duration::from_secs(10), "the service is as it was", || hello.is_stable(1).then_some(()));
    assert!(hello.answers());
    get(&format!("{}/after-the-flood", hello.url)).expect("an answer");
    within(Duration::from_secs(10), "the log goes on", || log(aws).contains("after-the-flood").then_some(()));
    wharf.down();
}

/// Registers large task definitions until that fails; returns how many were registered, and what was said then.
fn fill_with_definitions(aws: &Aws, family: &str) -> (usize, String) {
    let large = json!([{"name": "x", "image": "x", "memory": 64, "command": ["x".repeat(60_000)]}]);
    for made in 0..100 {
        let line = format!(
            "ecs register-task-definition --family {family} --network-mode awsvpc --container-definitions '{large}'"
        );
        let output = aws.output(&line);
        if !output.status.success() {
            return (made, String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    panic!("100 large task definitions fit on a full disk");
}

fn definitions(aws: &Aws, family: &str) -> usize {
    let listed = aws.json(&format!("ecs list-task-definitions --family-prefix {family}"));
    listed["taskDefinitionArns"].as_array().expect("a list").len()
}

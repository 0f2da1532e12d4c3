//! Images on a node: brought in from files, listed, kept while somebody needs them, and removed.

use crate::hello::{container, register, run_task, text, until};
use serde_json::json;
use std::{
    process::{Command, Output},
    time::Duration,
};
use wharf_e2e::{Wharf, bundle, within};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn image(wharf: &Wharf, args: &[&str]) -> Output {
    wharf.output("image", args)
}

#[test]
fn images_come_from_files_stay_while_they_are_used_and_go_when_asked() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let layout = bundle("hello").trim_start_matches("oci:").trim_end_matches(":latest").to_owned();
    let imported = said(&image(&wharf, &["import", &layout, "--as=hello"]));
    let name = imported.lines().next().unwrap_or_default().to_owned();
    assert!(name.ends_with("/hello:latest"), "{imported}");

    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let archive = dir.path().join("hello.tar");
    let to = format!("docker-archive:{}:localhost/team/hello:v2", archive.display());
    let copied = Command::new("skopeo").args(["copy", "--quiet", &bundle("hello"), &to]).output();
    assert!(copied.expect("skopeo is installed").status.success());
    let imported = said(&image(&wharf, &["import", &archive.display().to_string()]));
    assert!(imported.contains("/team/hello:v2\n"), "{imported}");
    let listed = aws.json("ecr list-images --repository-name team/hello");
    assert_eq!(listed["imageIds"][0]["imageTag"], "v2");
    let refused = image(&wharf, &["import", &dir.path().display().to_string()]);
    assert!(!refused.status.success() && said(&refused).contains("is no image"), "{}", said(&refused));

    let pulled = image(&wharf, &["pull", &name.replace("hello:latest", "team/hello:v2")]);
    assert!(pulled.status.success(), "{}", said(&pulled));
    register(&aws, "hello", &json!([container("hello", &name, json!({}))]));
    let arn = text(&run_task(&aws, "hello", "")["taskArn"]);
    until(&aws, &arn, "RUNNING");
    let list = said(&image(&wharf, &["list"]));
    let line = |name: &str| {
        list.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{list}")).to_owned()
    };
    let repository = name.rsplit_once('/').expect("a registry").0;
    assert!(line(&name).ends_with("in use"), "{list}");
    assert!(line(&format!("{repository}/team/hello:v2")).ends_with("unused"), "{list}");
    let refused = image(&wharf, &["rm", &name]);
    assert!(said(&refused).contains("in use by a task"), "{}", said(&refused));

    // A restarted agent holds nothing in its memory, and knows all the same what its tasks have.
    wharf.kill("agent");
    let removed = within(Duration::from_secs(20), "the agent is back", || {
        let removed = image(&wharf, &["prune"]);
        removed.status.success().then(|| said(&removed))
    });
    assert!(removed.contains("1 images and 0 layers removed"), "both are the same layers: {removed}");
    assert!(said(&image(&wharf, &["list"])).contains("in use"));
    aws.json(&format!("ecs stop-task --task {arn}"));
    until(&aws, &arn, "STOPPED");
    within(Duration::from_secs(10), "nobody uses the image", || {
        said(&image(&wharf, &["prune"])).contains("1 images and").then_some(())
    });
    let layers = wharf.run_dir().join("state/images/layers");
    assert_eq!(std::fs::read_dir(layers).expect("the node's layers").count(), 0);
    wharf.down();
}

#[test]
fn a_node_killed_in_the_middle_of_a_pull_goes_on_with_it_and_leaves_nothing_half() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let python = wharf.push("fastapi");
    let ends = json!({"command": ["python3", "-c", "print('ran')"]});
    register(&aws, "ends", &json!([container("x", &python, ends)]));
    let arn = text(&run_task(&aws, "ends", "")["taskArn"]);
    for pause_ms in [60, 150, 250, 400] {
        std::thread::sleep(Duration::from_millis(pause_ms));
        wharf.kill("agent");
    }
    let task = within(Duration::from_secs(60), "the task ran", || {
        Some(crate::hello::describe(&aws, &arn)).filter(|task| task["lastStatus"] == "STOPPED")
    });
    assert_eq!(task["containers"][0]["exitCode"], 0, "{task:#}");
    let images = wharf.run_dir().join("state/images");
    for drafts in ["ingest", "unpacking"] {
        let left = std::fs::read_dir(images.join(drafts)).expect("the node's drafts").count();
        assert_eq!(left, 0, "left in {drafts}");
    }
    wharf.down();
}

//! The machine as a container instance: a daemon on it, the image it keeps, and its draining.

use crate::hello::{container, network, private_address, text};
use serde_json::{Value, json};
use std::{process::Command, time::Duration};
use wharf_e2e::{Aws, Wharf, get, within};

#[test]
fn a_daemon_keeps_its_image_until_the_next_deployment_and_leaves_a_machine_that_drains() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("hello");
    let containers = json!([container("hello", &image, json!({"portMappings": [{"containerPort": 80}]}))]);
    let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    std::fs::write(file.path(), containers.to_string()).expect("a temporary file can be written");
    aws.json(&format!(
        "ecs register-task-definition --family hello --network-mode awsvpc --requires-compatibilities EC2 --cpu 128 \
         --memory 128 --execution-role-arn arn:aws:iam::123456789012:role/ecsTaskExecutionRole \
         --container-definitions file://{}",
        file.path().display()
    ));
    aws.json(&format!(
        "ecs create-service --service-name hello --task-definition hello --launch-type EC2 --scheduling-strategy DAEMON \
         --network-configuration {}",
        network(&aws).replace(",assignPublicIp=ENABLED", "")
    ));
    let first = one(&aws, |_| true);
    let listed = aws.json("ecs list-container-instances");
    let machine = text(&listed["containerInstanceArns"][0]);
    assert_eq!(first["containerInstanceArn"], machine.as_str());
    answers(&first);

    // Another image under the same name: tasks of this deployment do not see it, those of the next one do.
    push_over(&wharf, &aws);
    let digest = text(&first["containers"][0]["imageDigest"]);
    aws.json(&format!("ecs stop-task --task {}", text(&first["taskArn"])));
    let second = one(&aws, |task| task["taskArn"] != first["taskArn"]);
    assert_eq!(second["containers"][0]["imageDigest"], digest.as_str());
    assert_eq!(second["containers"][0]["image"], image.as_str());
    answers(&second);
    aws.json("ecs update-service --service hello --force-new-deployment");
    let other = one(&aws, |task| task["containers"][0]["imageDigest"] != digest.as_str());
    assert_ne!(other["startedBy"], second["startedBy"]);

    aws.json(&format!(
        "ecs update-container-instances-state --status DRAINING --container-instances {machine}"
    ));
    within(Duration::from_secs(60), "the daemon left", || {
        let none = |status: &str| {
            let listed = aws.json(&format!("ecs list-tasks --service-name hello --desired-status {status}"));
            let arns: Vec<String> = listed["taskArns"].as_array()?.iter().map(text).collect();
            if arns.is_empty() {
                return Some(());
            }
            let described = aws.json(&format!("ecs describe-tasks --tasks {}", arns.join(" ")));
            described["tasks"].as_array()?.iter().all(|task| task["lastStatus"] == "STOPPED").then_some(())
        };
        none("RUNNING").and(none("STOPPED"))
    });
    aws.json(&format!(
        "ecs update-container-instances-state --status ACTIVE --container-instances {machine}"
    ));
    one(&aws, |_| true);
    aws.json("ecs delete-service --service hello");
    wharf.down();
}

/// Waits until the service's one task runs and passes, and returns it.
fn one(aws: &Aws, passes: impl Fn(&Value) -> bool) -> Value {
    within(Duration::from_secs(60), "the daemon runs", || {
        let listed = aws.json("ecs list-tasks --service-name hello");
        let arns: Vec<String> = listed["taskArns"].as_array()?.iter().map(text).collect();
        let [arn] = &arns[..] else { return None };
        let task = aws.json(&format!("ecs describe-tasks --tasks {arn}"))["tasks"][0].clone();
        (task["lastStatus"] == "RUNNING" && passes(&task)).then_some(task)
    })
}

fn answers(task: &Value) {
    let url = format!("http://{}/healthz", private_address(task));
    within(Duration::from_secs(10), "it answers", || {
        get(&url).is_ok_and(|answer| answer.status == 200).then_some(())
    });
}

/// Puts another bundle's image into the repository of hello.
fn push_over(wharf: &Wharf, aws: &Aws) {
    let password = aws.text("ecr get-login-password");
    let status = Command::new("skopeo")
        .args(["copy", "--quiet", "--dest-tls-verify=false"])
        .arg(format!("--dest-creds=AWS:{}", password.trim()))
        .arg(wharf_e2e::bundle("fastapi"))
        .arg(format!("docker://{}/hello", wharf.endpoint()))
        .status();
    assert!(status.expect("skopeo is installed").success());
}

//! Containers of a task that wait for each other, are checked and are started again, and what a service makes of it.

use crate::hello::{container, log, network, process, register, run_task, text, until};
use serde_json::{Value, json};
use std::time::Duration;
use wharf_e2e::{Wharf, within};

#[test]
fn what_a_definition_says_of_its_containers_lives_is_done() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let python = wharf.push("fastapi");
    let script = |text: &str| json!(["python3", "-c", text]);

    // One that prepares, one that must be well, and one that waits for both; it looks at itself from inside.
    let main = "import json,os,urllib.request as u,time,signal,sys\n\
                signal.signal(signal.SIGTERM, lambda *_: (print('main ends', flush=True), sys.exit(0)))\n\
                t=json.load(u.urlopen(os.environ['ECS_CONTAINER_METADATA_URI_V4']+'/task'))\n\
                c={c['Name']:c for c in t['Containers']}\n\
                print('base is', c['base']['Health']['status'], c['prepare']['KnownStatus'], c['prepare']['ExitCode'], flush=True)\n\
                time.sleep(600)\n";
    let base = "import time,signal,sys\n\
                signal.signal(signal.SIGTERM, lambda *_: (print('base ends', flush=True), sys.exit(0)))\n\
                time.sleep(1)\nopen('/tmp/well','w')\nprint('base well', flush=True)\ntime.sleep(600)\n";
    let check = "import os,sys; sys.exit(not os.path.exists('/tmp/well'))";
    let containers = json!([
        container(
            "main",
            &python,
            json!({"command": script(main), "dependsOn": [
            {"containerName": "prepare", "condition": "SUCCESS"},
            {"containerName": "base", "condition": "HEALTHY"}]})
        ),
        container("prepare", &python, json!({"command": script("print('prepared')"), "essential": false})),
        container(
            "base",
            &python,
            json!({"command": script(base), "healthCheck": {
            "command": ["CMD", "python3", "-c", check], "interval": 5, "retries": 2}})
        ),
    ]);
    let made = register(&aws, "waits", &containers);
    assert_eq!(made["containerDefinitions"][2]["healthCheck"]["interval"], 5);
    let arn = text(&run_task(&aws, "waits", "")["taskArn"]);
    let task = until(&aws, &arn, "RUNNING");
    assert_eq!(task["healthStatus"], "HEALTHY", "{task:#}");
    let health = |name: &str| find(&task, name)["healthStatus"].clone();
    assert_eq!((health("base"), health("main")), (json!("HEALTHY"), json!("UNKNOWN")));
    let shown = within(Duration::from_secs(10), "main's line", || {
        Some(log(&aws)).filter(|log| log.contains("base is"))
    });
    assert!(shown.contains("base is HEALTHY STOPPED 0"), "{shown}");
    aws.json(&format!("ecs stop-task --task {arn}"));
    until(&aws, &arn, "STOPPED");
    let shown = within(Duration::from_secs(10), "the last lines", || {
        Some(log(&aws)).filter(|log| log.contains("base ends") && log.contains("main ends"))
    });
    let stamp = |words: &str| {
        let line = shown.lines().find(|line| line.contains(words)).expect("it was said");
        line.split_whitespace().next().unwrap_or_default().to_owned()
    };
    // Only the second version of the CLI writes the time first; order within one stream says nothing.
    if stamp("main ends").starts_with("20") {
        assert!(stamp("main ends") <= stamp("base ends"), "{shown}");
    }

    // What can never start fails its task with the words that ECS uses.
    let containers = json!([
        container(
            "main",
            &python,
            json!({"command": script("print('never')"),
            "dependsOn": [{"containerName": "broken", "condition": "SUCCESS"}]})
        ),
        container("broken", &python, json!({"command": script("raise SystemExit(4)"), "essential": false})),
    ]);
    register(&aws, "broken", &containers);
    let arn = text(&run_task(&aws, "broken", "")["taskArn"]);
    let task = until(&aws, &arn, "STOPPED");
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    assert_eq!(
        (&find(&task, "main")["exitCode"], &find(&task, "broken")["exitCode"]),
        (&json!(143), &json!(4))
    );
    assert!(
        text(&find(&task, "main")["reason"]).starts_with("CannotStartContainerError: dependency graph: ")
    );
    wharf.down();
}

fn find(task: &Value, name: &str) -> Value {
    let containers = task["containers"].as_array().expect("a list");
    containers.iter().find(|container| container["name"] == name).expect("the container is described").clone()
}

#[test]
fn a_service_replaces_a_task_whose_container_fails_its_check() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let python = wharf.push("fastapi");
    let check = "import os, sys; sys.exit(os.path.exists('/ill'))";
    let checked = json!({
        "command": ["python3", "-c", "import time; time.sleep(600)"],
        "stopTimeout": 2,
        "healthCheck": {"command": ["CMD", "python3", "-c", check], "interval": 5, "retries": 2},
    });
    register(&aws, "checked", &json!([container("app", &python, checked)]));
    aws.json(&format!(
        "ecs create-service --service-name checked --task-definition checked --desired-count 1 --launch-type FARGATE \
         --enable-execute-command --network-configuration {}",
        network(&aws)
    ));
    let service = || aws.json("ecs describe-services --services checked")["services"][0].clone();
    let done = || {
        let service = service();
        (service["deployments"][0]["rolloutState"] == "COMPLETED" && service["runningCount"] == 1)
            .then_some(())
    };
    within(Duration::from_secs(60), "the deployment is done", done);
    let one = || {
        let listed = aws.json("ecs list-tasks --service-name checked");
        let arns: Vec<String> = listed["taskArns"].as_array()?.iter().map(text).collect();
        let [arn] = &arns[..] else { return None };
        Some(aws.json(&format!("ecs describe-tasks --tasks {arn}"))["tasks"][0].clone())
    };
    let first = within(Duration::from_secs(10), "one task", one);
    assert_eq!((&first["healthStatus"], &first["enableExecuteCommand"]), (&json!("HEALTHY"), &json!(true)));
    let arn = text(&first["taskArn"]);
    let id = arn.rsplit('/').next().expect("an id");
    std::fs::write(format!("/proc/{}/root/ill", process(id)), "")
        .expect("the container's files can be written");
    let other = within(Duration::from_secs(60), "another task is well", || {
        one().filter(|task| task["taskArn"] != arn.as_str() && task["healthStatus"] == "HEALTHY")
    });
    assert_eq!(other["lastStatus"], "RUNNING");
    let ill = until(&aws, &arn, "STOPPED");
    assert_eq!(ill["stoppedReason"], "Task failed container health checks");
    let said = format!("(service checked) (task {id}) failed container health checks.");
    assert!(service()["events"].to_string().contains(&said), "{:#}", service()["events"]);
    wharf.down();
}

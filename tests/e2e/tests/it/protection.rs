//! A task that protects itself from its service, as the program in it would.

use crate::hello::{deploy, process, text};
use serde_json::{Value, json};
use std::{process::Command, time::Duration};
use wharf_e2e::{Wharf, within};

const SCRIPT: &str = r#"
import os, sys, urllib.error, urllib.request as u
url, body = sys.argv[1:3]
ask = u.Request(url, body.encode() or None, {'content-type': 'application/json'}, method='PUT' if body else 'GET')
try: print(u.urlopen(ask).read().decode())
except urllib.error.HTTPError as error: print(error.read().decode())
"#;

#[test]
fn a_task_that_protects_itself_outlives_scaling_in() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let hello = deploy(&wharf, 3);
    let tasks = hello.tasks();
    // Without protection, it would be the newest that goes.
    let newest = tasks.iter().max_by_key(|task| task["createdAt"].to_string()).expect("a task");
    let arn = text(&newest["taskArn"]);
    let told = ask(&arn, &json!({"ProtectionEnabled": true, "ExpiresInMinutes": 5}).to_string());
    assert_eq!(told["protection"]["TaskArn"], arn.as_str(), "{told}");
    assert_eq!(told["protection"]["ProtectionEnabled"], true);
    assert_eq!(ask(&arn, ""), told);
    let shown = hello.aws.json(&format!("ecs get-task-protection --cluster default --tasks {arn}"));
    assert_eq!(shown["protectedTasks"][0]["protectionEnabled"], true);
    let refused = ask(&arn, &json!({"ProtectionEnabled": true, "ExpiresInMinutes": 0}).to_string());
    assert_eq!(refused["error"]["Code"], "InvalidParameterException");

    hello.aws.json("ecs update-service --service hello --desired-count 1");
    within(Duration::from_secs(60), "one task is left", || hello.is_stable(1).then_some(()));
    assert_eq!(hello.tasks()[0]["taskArn"], arn.as_str());
    assert_eq!(
        ask(&arn, &json!({"ProtectionEnabled": false}).to_string())["protection"]["ProtectionEnabled"],
        false
    );
    wharf.down();
}

/// Asks the agent from inside a task's network: with a body to change its protection, without one to see it.
fn ask(arn: &str, body: &str) -> Value {
    let id = arn.rsplit('/').next().expect("an id");
    let pid = process(id);
    let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("the task's environment");
    let environment = String::from_utf8_lossy(&environment).into_owned();
    let uri = environment
        .split('\0')
        .find_map(|pair| pair.strip_prefix("ECS_AGENT_URI="))
        .expect("the agent's URI");
    let asked = Command::new("nsenter")
        .args(["-t", &pid, "-n", "python", "-c", SCRIPT])
        .args([&format!("{uri}/task-protection/v1/state"), body])
        .output()
        .expect("nsenter is installed");
    serde_json::from_slice(&asked.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {} {}",
            String::from_utf8_lossy(&asked.stdout),
            String::from_utf8_lossy(&asked.stderr)
        )
    })
}

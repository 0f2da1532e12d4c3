//! What a task is given: an address, limits, its metadata, a log, its neighbours, and a firewall.

use crate::hello::{container, log, private_address, register, run_task, text, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use wharf_e2e::{Wharf, World, get, vpc_address, within};

#[test]
fn containers_of_a_task_share_its_address_and_are_limited() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let (hello, python) = (wharf.push("hello"), wharf.push("fastapi"));
    // The second container asks the first one over localhost, and says what its limits are.
    let script = "import json,os,urllib.request as u\n\
                  print('neighbour', u.urlopen('http://localhost/healthz').status, flush=True)\n\
                  m=json.load(u.urlopen(os.environ['ECS_CONTAINER_METADATA_URI_V4']+'/task'))\n\
                  print('task', m['TaskARN'], m['Family'], m['Revision'], len(m['Containers']), flush=True)\n\
                  c=json.load(u.urlopen(os.environ['ECS_CONTAINER_METADATA_URI_V4']))\n\
                  print('container', c['Name'], c['Networks'][0]['IPv4Addresses'][0], flush=True)\n\
                  s=json.load(u.urlopen(os.environ['ECS_CONTAINER_METADATA_URI_V4']+'/stats'))\n\
                  print('memory limit', s['memory_stats']['limit'], flush=True)\n\
                  b=bytearray(400<<20)\n\
                  print('never', flush=True)\n";
    let containers = json!([
        container("web", &hello, json!({"portMappings": [{"containerPort": 80}]})),
        container(
            "asks",
            &python,
            json!({
                "essential": false,
                "memory": 128,
                "command": ["python3", "-c", script],
                "environment": [{"name": "GREETING", "value": "hi"}]
            })
        ),
    ]);
    register(&aws, "pair", &containers);
    let arn = text(&run_task(&aws, "pair", "")["taskArn"]);
    until(&aws, &arn, "RUNNING");
    let task = within(Duration::from_secs(20), "the second container ended", || {
        let task = crate::hello::describe(&aws, &arn);
        let asks = find(&task, "asks");
        (asks["lastStatus"] == "STOPPED").then_some(task.clone())
    });
    let asks = find(&task, "asks");
    assert_eq!(asks["exitCode"], 137, "{asks:#}");
    assert!(
        text(&asks["reason"]).starts_with("OutOfMemoryError: Container killed due to memory usage"),
        "{asks:#}"
    );
    assert_eq!(task["lastStatus"], "RUNNING", "a container that is not essential does not end its task");
    let log = within(Duration::from_secs(10), "the log", || {
        Some(log(&aws)).filter(|log| log.contains("memory limit"))
    });
    assert!(log.contains("neighbour 200"), "{log}");
    assert!(log.contains(&format!("task {arn} pair 1 2")), "{log}");
    assert!(log.contains(&format!("container asks {}", private_address(&task))), "{log}");
    assert!(log.contains(&format!("memory limit {}", 128 << 20)), "{log}");
    assert!(!log.contains("never"), "{log}");
    aws.json(&format!("ecs stop-task --task {arn} --reason enough"));
    let task = until(&aws, &arn, "STOPPED");
    assert_eq!((&task["stopCode"], &task["stoppedReason"]), (&json!("UserInitiated"), &json!("enough")));
    assert_eq!(find(&task, "web")["exitCode"], 0, "hello ends by itself when it is asked to");
    wharf.down();
}

#[test]
fn the_default_security_group_lets_members_in_and_the_world_not() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let (hello, python) = (wharf.push("hello"), wharf.push("fastapi"));
    register(&aws, "hello", &json!([container("hello", &hello, json!({}))]));
    let arn = text(&run_task(&aws, "hello", "")["taskArn"]);
    let address = private_address(&until(&aws, &arn, "RUNNING"));
    within(Duration::from_secs(5), "the host reaches the task", || get(&format!("http://{address}/")).ok());

    let ask = format!(
        "import urllib.request as u\nprint('member', u.urlopen('http://{address}/healthz', timeout=5).status)\n\
         try:\n  u.urlopen('http://{}/_wharf/health', timeout=2); print('host reached')\n\
         except OSError as e: print('host refused')\n\
         try:\n  u.urlopen('http://169.254.169.254/', timeout=2); print('imds reached')\n\
         except OSError as e: print('imds refused')\n",
        vpc_address(0, 1)
    );
    register(&aws, "ask", &json!([container("ask", &python, json!({"command": ["python3", "-c", ask]}))]));
    let member = text(&run_task(&aws, "ask", "")["taskArn"]);
    let task = until(&aws, &member, "STOPPED");
    assert_eq!(task["containers"][0]["exitCode"], 0, "{task:#}");
    let log =
        within(Duration::from_secs(10), "the log", || Some(log(&aws)).filter(|log| log.contains("imds")));
    assert!(
        log.contains("member 200") && log.contains("host refused") && log.contains("imds refused"),
        "{log}"
    );

    let world = World::make("wharf-world");
    let asked = world.run("curl", &["-s", "-m", "2", &format!("http://{address}/healthz")]);
    assert!(!asked.status.success(), "the world reached a task: {asked:?}");
    drop(world);
    wharf.down();
}

#[test]
fn a_program_that_ignores_sigterm_is_killed_once_its_time_is_up() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let python = wharf.push("fastapi");
    let script = "import signal,time\n\
                  signal.signal(signal.SIGTERM, lambda *_: print('heard', flush=True))\n\
                  print('ready', flush=True)\n\
                  while True: time.sleep(1)\n";
    let stubborn = json!({"command": ["python3", "-c", script], "stopTimeout": 3});
    register(&aws, "stubborn", &json!([container("x", &python, stubborn)]));
    let arn = text(&run_task(&aws, "stubborn", "")["taskArn"]);
    until(&aws, &arn, "RUNNING");
    within(Duration::from_secs(20), "it is ready", || log(&aws).contains("ready").then_some(()));
    let began = Instant::now();
    assert_eq!(aws.json(&format!("ecs stop-task --task {arn}"))["task"]["desiredStatus"], "STOPPED");
    let task = until(&aws, &arn, "STOPPED");
    let took = began.elapsed();
    assert!(took > Duration::from_secs(3) && took < Duration::from_secs(8), "{took:?}");
    assert_eq!(task["containers"][0]["exitCode"], 137, "{task:#}");
    assert_eq!(task["stopCode"], "UserInitiated");
    assert!(log(&aws).contains("heard"), "it was asked first");
    wharf.down();
}

fn find(task: &Value, name: &str) -> Value {
    let containers = task["containers"].as_array().expect("a list");
    containers.iter().find(|container| container["name"] == name).expect("the container is described").clone()
}

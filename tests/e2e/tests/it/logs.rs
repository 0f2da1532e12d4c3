//! What becomes of a container's output with each log driver.

use crate::hello::{container, register, run_task, text, until};
use serde_json::{Value, json};
use std::{
    io::Read,
    os::unix::net::UnixListener,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use wharf_e2e::{Aws, Wharf, within};

const LINES: usize = 300_000;

fn lines_of(wharf: &Wharf, arn: &str) -> Vec<String> {
    let output = wharf.output("logs", &[arn]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn signal(wharf: &Wharf, process: &str, name: &str) {
    let pid = wharf.process(process).pid.to_string();
    assert!(Command::new("kill").args([name, &pid]).status().expect("kill is there").success());
}

fn python(name: &str, image: &str, script: &str, log: Value) -> Value {
    let mut made = container(name, image, json!({"command": ["python3", "-c", script], "stopTimeout": 2}));
    if !log.is_null() {
        made["logConfiguration"] = log;
    }
    made
}

fn start(aws: &Aws, containers: Value) -> String {
    register(aws, "writes", &containers);
    text(&run_task(aws, "writes", "")["taskArn"])
}

#[test]
fn no_line_is_lost_or_waited_for_however_fast_and_whoever_is_away() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let script = format!(
        "import sys,time\nb=time.time()\nfor n in range(0,{LINES},1000):\n  sys.stdout.write(''.join(f'line {{i:07d}} of a log with some words in it\\n' for i in range(n,n+1000)))\n\
         sys.stdout.flush()\nprint('took', time.time()-b, flush=True)\n"
    );
    // While everything is there.
    let began = Instant::now();
    let arn = start(&aws, json!([python("x", &image, &script, Value::Null)]));
    until(&aws, &arn, "STOPPED");
    let lines = within(Duration::from_secs(30), "every line", || {
        Some(lines_of(&wharf, &arn)).filter(|lines| lines.len() > LINES)
    });
    let all = began.elapsed();
    assert_eq!(lines.len(), LINES + 1);
    assert!(lines[..LINES].iter().enumerate().all(|(n, line)| line.starts_with(&format!("line {n:07} "))));
    let took: f64 = lines[LINES].trim_start_matches("took ").parse().expect("a number");
    assert!(took < 3.0, "the container waited: {took} s for {LINES} lines");
    assert!(all < Duration::from_secs(20), "{all:?}");

    // While nobody reads: the container ends all the same, and the lines come later.
    let arn = start(
        &aws,
        json!([python("x", &image, &format!("import time\ntime.sleep(2)\n{script}"), Value::Null)]),
    );
    until(&aws, &arn, "RUNNING");
    signal(&wharf, "control", "-STOP");
    std::thread::sleep(Duration::from_secs(8));
    signal(&wharf, "control", "-CONT");
    wharf.kill("agent");
    let lines = within(Duration::from_secs(60), "every line", || {
        Some(lines_of(&wharf, &arn)).filter(|lines| lines.iter().any(|line| line.starts_with("took")))
    });
    let mut seen: Vec<&String> = lines.iter().filter(|line| line.starts_with("line")).collect();
    // What the killed agent had sent and not noted comes a second time.
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), LINES);
    wharf.down();
}

#[test]
fn a_task_whose_log_group_is_missing_does_not_start_unless_it_asks_for_the_group() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let log = |group: &str, create: &str| {
        json!({"logDriver": "awslogs", "options": {
            "awslogs-group": group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "t",
            "awslogs-create-group": create}})
    };
    let written =
        |create| json!([python("x", &image, "print('written', flush=True)", log("/missing", create))]);
    let groups =
        || aws.json("logs describe-log-groups --log-group-name-prefix /missing")["logGroups"].clone();

    let arn = start(&aws, written("false"));
    until(&aws, &arn, "STOPPED");
    let task = aws.json(&format!("ecs describe-tasks --tasks {arn}"))["tasks"][0].clone();
    assert_eq!(task["stopCode"], "TaskFailedToStart");
    let reason = text(&task["stoppedReason"]);
    assert!(reason.starts_with("ResourceInitializationError: failed to validate logger args"), "{reason}");
    assert!(
        reason.contains("The specified log group does not exist") && reason.contains("/missing"),
        "{reason}"
    );
    assert_eq!(task["containers"][0]["exitCode"], Value::Null, "it never ran");
    assert_eq!(groups(), json!([]), "and the group was not made");

    let arn = start(&aws, written("true"));
    until(&aws, &arn, "STOPPED");
    within(Duration::from_secs(20), "its line", || (lines_of(&wharf, &arn) == ["written"]).then_some(()));
    assert_eq!(groups().as_array().map(Vec::len), Some(1));

    // Now it is there.
    let arn = start(&aws, written("false"));
    until(&aws, &arn, "STOPPED");
    within(Duration::from_secs(20), "its line", || (lines_of(&wharf, &arn) == ["written"]).then_some(()));
    wharf.down();
}

#[test]
fn each_driver_does_what_its_options_say() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let socket = dir.path().join("syslog");
    let listener = UnixListener::bind(&socket).expect("a socket can be made");
    let received = std::thread::spawn(move || {
        let mut text = String::new();
        let (mut stream, _) = listener.accept().expect("the agent connects");
        stream.read_to_string(&mut text).expect("text");
        text
    });
    let group = |more: Value| {
        let mut log = container("x", "x", json!({}))["logConfiguration"].clone();
        log["options"].as_object_mut().expect("options").extend(more.as_object().expect("an object").clone());
        log
    };
    let multiline = "print('ERROR one'); print('  at a'); print('  at b'); print('ERROR two', flush=True)";
    let large = "import sys\nfor n in range(40000): print(f'{n:>99}')\nprint('last', flush=True)\nimport time\ntime.sleep(60)";
    let syslog = json!({"logDriver": "syslog", "options": {
        "syslog-address": format!("unix://{}", socket.display()), "tag": "{{.Name}}", "syslog-facility": "local3"}});
    let containers = json!([
        python("joined", &image, multiline, group(json!({"awslogs-multiline-pattern": "^ERROR"}))),
        python("system", &image, "print('to syslog', flush=True)", syslog),
        python("nowhere", &image, "print('unheard', flush=True)", json!({"logDriver": "none"})),
        python(
            "files",
            &image,
            large,
            json!({"logDriver": "json-file", "options": {"max-size": "500k", "max-file": "2"}})
        ),
    ]);
    let mut containers = containers;
    for container in containers.as_array_mut().expect("a list").iter_mut().take(3) {
        container["essential"] = json!(false);
    }
    let arn = start(&aws, containers);
    until(&aws, &arn, "RUNNING");

    let follow = wharf.command("logs").args([&arn, "joined", "-f"]).stdout(Stdio::piped()).spawn();
    let mut follow = follow.expect("the wharf binary is built");
    let found = within(Duration::from_secs(20), "the events", || {
        let found = aws.json("logs filter-log-events --log-group-name /ecs/tests --query events[].message");
        Some(found).filter(|found| found.as_array().is_some_and(|found| found.len() == 2))
    });
    assert_eq!(found, json!(["ERROR one\n  at a\n  at b", "ERROR two"]));
    // The newest of the files, and no more than they may hold, once the agent has looked.
    let lines = within(Duration::from_secs(20), "old output is gone", || {
        let output = wharf.output("logs", &[&arn, "files"]);
        let lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        (lines.last().is_some_and(|line| line == "last") && lines.len() < 20_000).then_some(lines)
    });
    // The first one may have lost its beginning.
    assert!(lines.len() > 9_000 && lines[1].trim().parse::<u32>().is_ok(), "{} {}", lines.len(), lines[1]);
    let told = wharf.output("logs", &[&arn, "system"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("log driver 'syslog'"), "{told:?}");

    aws.json(&format!("ecs stop-task --task {arn}"));
    until(&aws, &arn, "STOPPED");
    let mut text = String::new();
    follow.stdout.take().expect("piped").read_to_string(&mut text).expect("text");
    assert!(follow.wait().expect("it ends with its task").success());
    assert_eq!(text, "ERROR one\n  at a\n  at b\nERROR two\n");
    let text = received.join().expect("what syslog got");
    assert!(
        text.starts_with("<158>") && text.trim_end().ends_with("]: to syslog") && text.contains(" system["),
        "{text}"
    );

    for (driver, options, why) in [
        ("journald", json!({}), "journald"),
        ("splunk", json!({}), "splunk"),
        (
            "awslogs",
            json!({"awslogs-group": "/x", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "x", "tag": "x"}),
            "'tag'",
        ),
        ("syslog", json!({"syslog-address": "tcp+tls://h:1"}), "tcp+tls"),
        ("json-file", json!({"max-size": "huge"}), "'max-size'"),
    ] {
        let file = dir.path().join("containers.json");
        let log = json!({"logDriver": driver, "options": options});
        std::fs::write(&file, json!([python("x", &image, "", log)]).to_string())
            .expect("a file can be written");
        let said = aws.error(&format!(
            "ecs register-task-definition --family wrong --network-mode awsvpc --requires-compatibilities FARGATE \
             --cpu 256 --memory 512 --execution-role-arn arn:aws:iam::123456789012:role/x \
             --container-definitions file://{}",
            file.display()
        ));
        assert!(said.contains("ClientException") && said.contains(why), "{driver}: {said}");
    }
    wharf.down();
}

//! Tasks without an interface of their own: behind the host, in the host's network, and without any.

use crate::hello::{container, describe, free_port, log, text, until};
use serde_json::{Value, json};
use std::time::Duration;
use wharf_e2e::{Aws, Wharf, get, vpc_address, within};

fn register(aws: &Aws, family: &str, mode: &str, container: &Value) {
    register_all(aws, family, mode, &json!([container]));
}

fn register_all(aws: &Aws, family: &str, mode: &str, containers: &Value) {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let file = dir.path().join("containers.json");
    std::fs::write(&file, containers.to_string()).expect("a temporary file can be written");
    aws.json(&format!(
        "ecs register-task-definition --family {family} --network-mode {mode} --requires-compatibilities EC2 \
         --memory 256 --container-definitions file://{}",
        file.display()
    ));
}

fn run(aws: &Aws, family: &str) -> Value {
    aws.json(&format!("ecs run-task --task-definition {family} --launch-type EC2"))
}

fn started(aws: &Aws, family: &str) -> Value {
    let run = run(aws, family);
    assert_eq!(run["failures"], json!([]), "{run:#}");
    until(aws, &text(&run["tasks"][0]["taskArn"]), "RUNNING")
}

fn is_well(address: &str, port: &Value) -> bool {
    get(&format!("http://{address}:{port}/healthz")).is_ok_and(|answer| answer.status == 200)
}

#[test]
fn bridged_tasks_are_reached_by_ports_of_the_host() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("hello");
    let port = free_port();
    let of = |mappings: Value| container("hello", &image, json!({"portMappings": mappings}));
    register(&aws, "chosen", "bridge", &of(json!([{"containerPort": 80}])));
    register(&aws, "fixed", "bridge", &of(json!([{"containerPort": 80, "hostPort": port}])));

    // Each task has the same port of its own, and another one of the host.
    let tasks = [started(&aws, "chosen"), started(&aws, "chosen")];
    let ports = tasks.each_ref().map(|task| {
        assert_eq!(task["attachments"], json!([]));
        let container = &task["containers"][0];
        assert_eq!(container["networkInterfaces"], json!([]));
        let binding = &container["networkBindings"][0];
        assert_eq!((&binding["bindIP"], &binding["containerPort"]), (&json!("0.0.0.0"), &json!(80)));
        assert_eq!(binding["protocol"], "tcp");
        binding["hostPort"].clone()
    });
    assert_ne!(ports[0], ports[1]);
    for port in &ports {
        assert!((32768..=60999).contains(&port.as_u64().expect("a port is a number")), "{port}");
        within(Duration::from_secs(5), "by the loopback", || is_well("127.0.0.1", port).then_some(()));
        assert!(is_well(&vpc_address(0, 1).to_string(), port), "by an address of the host");
    }

    // A port can be had once.
    let first = started(&aws, "fixed");
    assert_eq!(first["containers"][0]["networkBindings"][0]["hostPort"], port);
    within(Duration::from_secs(5), "the fixed port", || is_well("127.0.0.1", &json!(port)).then_some(()));
    let second = run(&aws, "fixed");
    assert_eq!((&second["tasks"], &second["failures"][0]["reason"]), (&json!([]), &json!("RESOURCE:PORTS")));
    assert!(std::net::TcpListener::bind(("0.0.0.0", port)).is_err(), "another program can take the port");

    // It leads to the task while the agent is away, and after it has come back.
    wharf.kill("agent");
    assert!(is_well("127.0.0.1", &json!(port)));
    std::thread::sleep(Duration::from_secs(1));
    within(Duration::from_secs(10), "the agent is back", || {
        let task = describe(&aws, &text(&first["taskArn"]));
        (task["lastStatus"] == "RUNNING" && is_well("127.0.0.1", &ports[0])).then_some(())
    });
    aws.json(&format!("ecs stop-task --task {}", text(&first["taskArn"])));
    until(&aws, &text(&first["taskArn"]), "STOPPED");
    assert!(!is_well("127.0.0.1", &json!(port)));
    started(&aws, "fixed");

    // A program of the host has a port: the task says so.
    let taken = std::net::TcpListener::bind("0.0.0.0:0").expect("a port is free");
    let port = taken.local_addr().expect("a bound socket has an address").port();
    register(&aws, "taken", "bridge", &of(json!([{"containerPort": 80, "hostPort": port}])));
    let arn = text(&run(&aws, "taken")["tasks"][0]["taskArn"]);
    let task = until(&aws, &arn, "STOPPED");
    assert!(text(&task["stoppedReason"]).contains(&format!("Bind for 0.0.0.0:{port} failed")), "{task:#}");

    let network = "awsvpcConfiguration={subnets=[subnet-0123456789abcdef0]}";
    let refused = aws.error(&format!(
        "ecs run-task --task-definition fixed --launch-type EC2 --network-configuration {network}"
    ));
    assert!(refused.contains("Network Configuration is not valid"), "{refused}");
    wharf.down();
}

#[test]
fn tasks_in_the_hosts_network_and_without_one_see_that() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let python = wharf.push("fastapi");
    let port = free_port();
    let script = format!(
        "import json,os,socket,urllib.request as u\n\
         names=[name for _, name in socket.if_nameindex()]\n\
         uri=os.environ['ECS_CONTAINER_METADATA_URI_V4']\n\
         m=json.load(u.urlopen(uri))\n\
         print('mode', m['Networks'][0]['NetworkMode'], len(names), socket.gethostname(), flush=True)\n\
         s=socket.socket(); s.settimeout(1)\n\
         try: s.connect(('{}', 80)); print('reached', flush=True)\n\
         except OSError as e: print('refused', flush=True)\n\
         import http.server as h,socketserver as t\n\
         t.TCPServer(('', {port}), h.SimpleHTTPRequestHandler).serve_forever()\n",
        vpc_address(0, 1)
    );
    let host = json!({"command": ["python3", "-c", script], "portMappings": [{"containerPort": port}],
                      "stopTimeout": 1});
    register(&aws, "host", "host", &container("app", &python, host));
    let task = started(&aws, "host");
    assert_eq!(task["containers"][0]["networkBindings"][0]["hostPort"], port);
    within(Duration::from_secs(20), "it listens on the host", || {
        get(&format!("http://127.0.0.1:{port}/")).ok()
    });
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a host has a name");
    let said = within(Duration::from_secs(10), "the log", || {
        log(&aws).lines().find(|line| line.contains("mode host")).map(str::to_owned)
    });
    assert!(said.ends_with(name.trim()), "{said}");
    let second = run(&aws, "host");
    assert_eq!(second["failures"][0]["reason"], "RESOURCE:PORTS");
    aws.json(&format!("ecs stop-task --task {}", text(&task["taskArn"])));
    until(&aws, &text(&task["taskArn"]), "STOPPED");

    register(&aws, "none", "none", &container("app", &python, json!({"command": ["python3", "-c", script]})));
    let task = started(&aws, "none");
    assert_eq!(task["containers"][0]["networkBindings"], json!([]));
    within(Duration::from_secs(10), "the log", || {
        let log = log(&aws);
        (log.contains("mode none") && log.contains("refused")).then_some(())
    });
    wharf.down();
}

#[test]
fn a_linked_container_is_found_by_its_alias_and_starts_first() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let (hello, python) = (wharf.push("hello"), wharf.push("fastapi"));
    let script = "import os,urllib.request as u\n\
        for name in ('store', 'db'):\n\
        \x20 for _ in range(50):\n\
        \x20\x20 try: answer=u.urlopen('http://%s/healthz' % name).status; break\n\
        \x20\x20 except OSError: import time; time.sleep(0.1)\n\
        \x20 print('linked', name, answer, flush=True)\n\
        print('told', os.environ['STORE_PORT_80_TCP_PORT'], os.environ['STORE_NAME'], os.environ['STORE_ENV_COLOUR'], flush=True)\n";
    let db = json!({
        "portMappings": [{"containerPort": 80}],
        "environment": [{"name": "COLOUR", "value": "blue"}]
    });
    let web = json!({"command": ["python3", "-c", script], "links": ["db:store"], "essential": false});
    let containers = json!([container("web", &python, web), container("db", &hello, db)]);
    register_all(&aws, "linked", "bridge", &containers);
    let task = started(&aws, "linked");
    within(Duration::from_secs(20), "what it found", || {
        let log = log(&aws);
        let lines = ["linked store 200", "linked db 200", "told 80 /web/store blue"];
        lines.iter().all(|line| log.contains(line)).then_some(())
    });
    aws.json(&format!("ecs stop-task --task {}", text(&task["taskArn"])));
    until(&aws, &text(&task["taskArn"]), "STOPPED");

    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let file = dir.path().join("containers.json");
    let odd = json!([{"name": "web", "image": "x", "memory": 64, "links": ["nobody:db"]}]);
    std::fs::write(&file, odd.to_string()).expect("a temporary file can be written");
    let refused = aws.error(&format!(
        "ecs register-task-definition --family odd --network-mode bridge --container-definitions file://{}",
        file.display()
    ));
    assert!(refused.contains("Invalid link 'nobody:db'"), "{refused}");
    wharf.down();
}

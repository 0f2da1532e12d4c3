//! A log router among a task's containers: it gets its neighbour's lines, the last ones too, and its configuration.

use crate::allowed::{says, start};
use crate::hello::{container, log, until};
use serde_json::{Value, json};
use std::time::Duration;
use wharf_e2e::{Aws, Wharf, within};

/// A router in Python: it shows its configuration and prints what comes over its socket in the forward protocol. It ends
/// well, not before it was told to, and then with a little time for what has come already, as Fluent Bit does.
const ROUTER: &str = "import signal, threading\n\
    conf=open('/fluent-bit/etc/fluent-bit.conf').read()\n\
    for line in conf.splitlines(): say('conf', line.strip())\n\
    say('password', os.environ.get('password_app'))\n\
    def value(f):\n\
    \x20 b=f.read(1)\n\
    \x20 if not b: raise EOFError\n\
    \x20 b=b[0]; n=lambda k: int.from_bytes(f.read(k),'big')\n\
    \x20 if b>>5==5: return f.read(b&31).decode()\n\
    \x20 if b in (0xd9,0xda,0xdb): return f.read(n(1<<(b-0xd9))).decode()\n\
    \x20 if b>>4==9: return [value(f) for _ in range(b&15)]\n\
    \x20 if b in (0xdc,0xdd): return [value(f) for _ in range(n(2<<(b-0xdc)))]\n\
    \x20 if b>>4==8: return {value(f): value(f) for _ in range(b&15)}\n\
    \x20 if b==0xd7: return (f.read(1)[0], n(4), n(4))\n\
    \x20 raise ValueError(hex(b))\n\
    def serve(c):\n\
    \x20 f=c.makefile('rb')\n\
    \x20 try:\n\
    \x20\x20 while True:\n\
    \x20\x20\x20 tag, entries = value(f)\n\
    \x20\x20\x20 for at, r in entries: say('routed', ' '.join([tag.split('-firelens-')[0], str(at[0]), str(abs(at[1]-time.time())<60), r['source'], r['log'], r['container_name'][:13], str(len(r['container_id']))]))\n\
    \x20 except EOFError: pass\n\
    signal.signal(signal.SIGTERM, lambda *a: (time.sleep(1), say('stopped', 'last'), os._exit(0)))\n\
    s=socket.socket(socket.AF_UNIX); s.bind('/var/run/fluent.sock'); s.listen()\n\
    while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()\n";

fn routed(options: Value, secrets: Value) -> Value {
    json!({"logDriver": "awsfirelens", "options": options, "secretOptions": secrets})
}

fn logged(aws: &Aws, line: &str) {
    within(Duration::from_secs(20), line, || log(aws).contains(line).then_some(()));
}

#[test]
fn a_log_router_gets_its_neighbours_lines_and_outlives_them() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let secret = aws.json("secretsmanager create-secret --name router --secret-string hush");
    let router = says(
        "router",
        &image,
        ROUTER,
        json!({
            "essential": true,
            "firelensConfiguration": {"type": "fluentbit", "options": {"config-file-type": "file", "config-file-value": "/extra.conf"}}
        }),
    );
    let mut app = container(
        "app",
        &image,
        json!({
            "essential": true,
            "memory": 64,
            "command": ["python3", "-u", "-c",
                "import os,signal,sys,time\n\
                 def end(*a): print('bye'); sys.exit(0)\n\
                 signal.signal(signal.SIGTERM, end)\n\
                 print('hello', os.environ['FLUENT_HOST'], os.environ['FLUENT_PORT']); print('trouble', file=sys.stderr)\n\
                 while True: time.sleep(1)"]
        }),
    );
    app["logConfiguration"] = routed(
        json!({"Name": "null", "exclude-pattern": "healthz", "log-driver-buffer-limit": "1000"}),
        json!([{"name": "password", "valueFrom": secret["ARN"]}]),
    );
    let arn = start(&aws, "routed", json!({"containerDefinitions": [app, router]}));
    until(&aws, &arn, "RUNNING");
    logged(&aws, "router routed = app 0 True stdout hello 127.0.0.1 24224 /ecs-routed-1 43");
    logged(&aws, "router routed = app 0 True stderr trouble /ecs-routed-1 43");
    aws.json(&format!("ecs stop-task --task {arn}"));
    let task = until(&aws, &arn, "STOPPED");
    let codes: Vec<&Value> =
        task["containers"].as_array().expect("a list").iter().map(|one| &one["exitCode"]).collect();
    assert_eq!(codes, [0, 0], "{task:#}");
    logged(&aws, "router stopped = last");
    let log = log(&aws);
    let place = |line: &str| log.find(line).unwrap_or_else(|| panic!("{line}\n{log}"));
    assert!(place("app 0 True stdout bye") < place("router stopped = last"), "{log}");
    for line in [
        "Regex log",
        "Exclude log healthz",
        "Record ecs_cluster default",
        "@INCLUDE /extra.conf",
        "password ${password_app}",
    ] {
        assert_eq!(log.contains(&format!("router conf = {line}")), line != "Regex log", "{line}\n{log}");
    }
    assert!(log.contains("router password = hush"), "{log}");
    wharf.down();
}

#[test]
fn a_router_must_be_there_alone_and_not_wait_for_those_it_serves() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let refused = |containers: Value| {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let file = dir.path().join("definition.json");
        let definition = json!({"family": "x", "containerDefinitions": containers});
        std::fs::write(&file, definition.to_string()).expect("a temporary file can be written");
        aws.error(&format!("ecs register-task-definition --cli-input-json file://{}", file.display()))
    };
    let plain = |name: &str, more: Value| {
        let mut one = json!({"name": name, "image": "x", "memory": 64});
        if let (Value::Object(one), Value::Object(more)) = (&mut one, more) {
            one.extend(more);
        }
        one
    };
    let app = plain("app", json!({"logConfiguration": routed(json!({}), json!([]))}));
    let router = json!({"firelensConfiguration": {"type": "fluentbit"}});
    let said = refused(json!([app]));
    assert!(said.contains("'app'") && said.contains("firelensConfiguration"), "{said}");
    let said = refused(json!([app, plain("one", router.clone()), plain("two", router)]));
    assert!(said.contains("'two'"), "{said}");
    let waits = json!({"firelensConfiguration": {"type": "fluentd"}, "dependsOn": [{"containerName": "app", "condition": "START"}]});
    let said = refused(json!([app, plain("router", waits)]));
    assert!(said.contains("cycle"), "{said}");
    let odd = json!({"firelensConfiguration": {"type": "fluentbit", "options": {"colour": "red"}}});
    let said = refused(json!([app, plain("router", odd)]));
    assert!(said.contains("'colour'"), "{said}");
    wharf.down();
}

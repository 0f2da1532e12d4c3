//! Commands in containers, by the plugin's protocol and by `wharf exec`.

use crate::hello::{container, register, run_task, text, until};
use serde_json::{Value, json};
use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Output, Stdio},
};
use wharf_e2e::{Aws, Plugin, Wharf};

/// A task of a Python that waits, which commands can be run in.
fn task(aws: &Aws, image: &str) -> String {
    let script = "import time\nopen('/tmp/mark','w').write('seen')\ntime.sleep(600)\n";
    let wait = json!({"command": ["python3", "-c", script], "stopTimeout": 0, "user": "nobody",
                      "environment": [{"name": "GREETING", "value": "hello"}]});
    register(aws, "waits", &json!([container("main", image, wait)]));
    let arn = text(&run_task(aws, "waits", "--enable-execute-command")["taskArn"]);
    let task = until(aws, &arn, "RUNNING");
    assert_eq!(task["enableExecuteCommand"], true);
    let agent = &task["containers"][0]["managedAgents"][0];
    assert_eq!((&agent["name"], &agent["lastStatus"]), (&json!("ExecuteCommandAgent"), &json!("RUNNING")));
    arn
}

/// Asks for a session as people do: with the AWS CLI, which hands what it is answered to `session-manager-plugin`. Here
/// that is a script that keeps it.
fn offer(aws: &Aws, arn: &str, command: &str) -> Value {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let (plugin, kept) = (dir.path().join("session-manager-plugin"), dir.path().join("session"));
    let script = format!("#!/bin/sh\n[ $# -gt 0 ] && printf %s \"$1\" >{}\nexit 0\n", kept.display());
    std::fs::write(&plugin, script).expect("a temporary file can be written");
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap_or_default());
    aws.with("PATH", &path)
        .text(&format!("ecs execute-command --task {arn} --interactive --command '{command}'"));
    let kept = std::fs::read(kept).expect("the plugin was called with the session");
    serde_json::from_slice(&kept).expect("the session is JSON")
}

fn exec(wharf: &Wharf, args: &[&str], input: &str) -> Output {
    let mut command = wharf.command("exec");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the wharf binary is built");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.as_bytes().to_vec();
    // A command that does not read closes its end.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("writing does not panic");
    output
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn commands_run_in_a_container_with_its_confinement_until_they_or_their_callers_end() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let arn = task(&aws, &wharf.push("fastapi"));

    // By Wharf's own command: output, exit code, standard input, the container's files, user and confinement.
    let look = "import os,sys\nprint(open('/tmp/mark').read(), os.environ['GREETING'], os.getuid())\n\
                print([l for l in open('/proc/self/status') if l.startswith(('Seccomp:','NoNewPrivs:'))])\n\
                print(sys.stdin.read(), file=sys.stderr)\nsys.exit(7)\n";
    let (code, stdout, stderr) = said(&exec(&wharf, &["-i", &arn, "python3", "-c", look], "from outside"));
    assert_eq!(code, Some(7), "{stdout}{stderr}");
    assert!(stdout.starts_with("seen hello 0\n"), "{stdout}");
    assert!(stdout.contains("NoNewPrivs:\\t1") && stdout.contains("Seccomp:\\t2"), "{stdout}");
    assert_eq!(stderr, "from outside\n");
    let many = "import sys\nfor i in range(200000): print(i)\n";
    let (code, stdout, _) = said(&exec(&wharf, &["-c", "main", &arn, "python3", "-c", many], ""));
    assert_eq!((code, stdout.lines().count()), (Some(0), 200_000));
    assert!(stdout.ends_with("\n199999\n"));
    let back = "import sys\nfor line in sys.stdin: print(line, end='')\n";
    let much: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    let (code, stdout, _) = said(&exec(&wharf, &["-i", &arn, "python3", "-c", back], &much));
    assert_eq!((code, stdout == much), (Some(0), true), "{} bytes of {}", stdout.len(), much.len());
    let (code, _, stderr) = said(&exec(&wharf, &[&arn, "--", "no-such-program"], ""));
    assert_eq!(code, Some(127));
    assert!(stderr.contains("executable file not found"), "{stderr}");
    let (code, stdout, _) = said(&exec(&wharf, &["-t", &arn, "--", "tty"], ""));
    assert_eq!((code, stdout.trim()), (Some(0), "/dev/pts/0"));
    let (code, _, stderr) = said(&exec(&wharf, &["-c", "other", &arn, "true"], ""));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("The container other does not exist"), "{stderr}");

    // By the plugin's protocol.
    let session = offer(&aws, &arn, "/bin/sh");
    assert!(text(&session["sessionId"]).starts_with("ecs-execute-command-"));
    let mut plugin = Plugin::open(&session, &text(&session["tokenValue"]));
    plugin.until_begun();
    plugin.resize(97, 31);
    plugin.type_text("stty size\r");
    plugin.until_shown("31 97");
    plugin.resize(60, 20);
    plugin.type_text("sleep 0.2; stty size; tty; echo $GREETING-there\r");
    plugin.until_shown("20 60");
    plugin.until_shown("/dev/pts/0");
    plugin.until_shown("hello-there");
    plugin.type_text("sleep 100\r");
    std::thread::sleep(std::time::Duration::from_millis(300));
    plugin.type_text("\u{3}");
    // What is typed shows on the screen, too; the quotes tell it from what the shell says.
    plugin.type_text("echo ba''ck\r");
    plugin.until_shown("back");
    plugin.type_text("exit 3\r");
    assert_eq!(plugin.until_closed(), "");

    // f84: a session is opened once, by its token, and garbage ends it and nothing else.
    let again = Plugin::open(&session, &text(&session["tokenValue"])).until_closed();
    assert!(again.contains("was opened before"), "{again}");
    let stolen = offer(&aws, &arn, "/bin/sh");
    let wrong = Plugin::open(&stolen, &"0".repeat(64)).until_closed();
    assert!(wrong.contains("token is wrong"), "{wrong}");
    let mut garbled = Plugin::open(&stolen, &text(&stolen["tokenValue"]));
    garbled.until_begun();
    garbled.send_raw(&[0xff; 300]);
    assert!(garbled.until_closed().contains("could not be understood"));
    let huge = offer(&aws, &arn, "/bin/sh");
    let mut flood = Plugin::open(&huge, &text(&huge["tokenValue"]));
    flood.until_begun();
    flood.send_raw(&vec![0; 1 << 20]);
    flood.until_closed();

    // Whoever goes takes the command along.
    let held = offer(&aws, &arn, "sleep 4242");
    let mut plugin = Plugin::open(&held, &text(&held["tokenValue"]));
    plugin.until_begun();
    let sleeping = || {
        let found = std::process::Command::new("pgrep").args(["-f", "^sleep 4242$"]).output().expect("pgrep");
        found.status.success()
    };
    wharf_e2e::eventually("the command runs", || sleeping().then_some(()));
    drop(plugin);
    wharf_e2e::eventually("the command ends with whoever looked", || (!sleeping()).then_some(()));

    // A stop ends what runs in the container, too.
    let mut plugin = {
        let session = offer(&aws, &arn, "sleep 4242");
        Plugin::open(&session, &text(&session["tokenValue"]))
    };
    plugin.until_begun();
    aws.json(&format!("ecs stop-task --task {arn}"));
    plugin.until_closed();
    until(&aws, &arn, "STOPPED");

    // Not without having been asked for.
    let closed = text(&run_task(&aws, "waits", "")["taskArn"]);
    let task = until(&aws, &closed, "RUNNING");
    assert!(task["containers"][0]["managedAgents"].is_null());
    let refused = exec(&wharf, &[&closed, "--", "true"], "");
    assert!(said(&refused).2.contains("execute command was not enabled"), "{refused:?}");
    wharf.down();
}

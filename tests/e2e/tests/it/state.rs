//! The state: backed up while it changes, restored elsewhere, refused when it is damaged, read-only when its disk fails.

use crate::hello::{deploy, log, text};
use camino::Utf8Path;
use serde_json::Value;
use std::{
    io::Read,
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use wharf_e2e::{Aws, Client, Wharf, get, run, within};

/// Runs a command that must fail, and returns what it said.
fn refused(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it succeeded: {said}");
    said
}

#[test]
fn f18_a_backup_under_writes_is_one_revision_and_is_restored_elsewhere() {
    let wharf = Wharf::start(&["--healthy-after=1", "--auth=off"]);
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let file = |name: &str| format!("{}/{name}", dir.path().display());
    let hello = deploy(&wharf, 2);
    within(Duration::from_secs(10), "the old machine's log", || {
        get(&format!("{}/before-the-backup", hello.url)).ok()?;
        log(&hello.aws).contains("before-the-backup").then_some(())
    });
    let balancer = text(
        &hello.aws.json("elbv2 describe-load-balancers --names hello")["LoadBalancers"][0]["LoadBalancerArn"],
    );
    let key = run(wharf.command("env").stderr(Stdio::null()));

    let writers = Writers::start(&wharf, &balancer);
    within(Duration::from_secs(20), "writes", || (writers.count() > 200).then_some(()));
    let (before, began) = (writers.count(), Instant::now());
    for number in 0..3 {
        run(wharf.command("backup").arg(file(&format!("during-{number}"))));
    }
    run(wharf.command("backup").args([&file("whole"), "--with-registry", "--with-logs"]));
    let (meanwhile, took) = (writers.count() - before, began.elapsed());
    let failed = writers.stop();
    assert_eq!(failed, 0, "a backup costs no write");
    assert!(meanwhile > 0, "writes went on during {took:?}");
    let said = refused(&wharf.output("backup", &[&file("whole")]));
    assert!(said.contains("not overwritten"), "{said}");
    let said = refused(&wharf.output("restore", &[&file("whole"), "--replace"]));
    assert!(said.contains("wharf down"), "a running Wharf is left alone: {said}");
    let tasks: Vec<String> = hello.tasks().iter().map(|task| text(&task["taskArn"])).collect();
    wharf.down();

    // Another machine: nothing of the first one is there.
    let other = Wharf::start(&["--healthy-after=1", "--auth=off"]);
    let node = std::fs::read(other.state_dir().join("node-id")).expect("the node has an id");
    run(&mut other.command("down"));
    let state = other.state_dir().join("state.redb");
    let untouched = std::fs::read(&state).expect("there is a state file");
    let said = refused(&other.output("restore", &[&file("whole")]));
    assert!(said.contains("--replace") && said.contains(state.as_str()), "{said}");
    let whole = std::fs::read(file("whole")).expect("the backup is there");
    std::fs::write(file("cut"), &whole[..whole.len() / 2]).expect("a file can be written");
    let said = refused(&other.output("restore", &[&file("cut"), "--replace"]));
    assert!(said.contains(&file("cut")) && said.contains("nothing was changed"), "{said}");
    assert!(std::fs::read(&state).expect("it is still there") == untouched, "the state was changed");

    for number in 0..3 {
        run(other.command("restore").args([&file(&format!("during-{number}")), "--replace"]));
        other.up();
        let (one, two) = pair(&other.aws(), &balancer);
        assert!(one == two && one > 0, "half a write: {one} and {two}");
        run(&mut other.command("down"));
    }
    let said = run(other.command("restore").args([&file("whole"), "--replace"]));
    assert!(said.contains("2 tasks that do not run here have stopped"), "{said}");
    other.up();
    let hello = crate::hello::Hello { aws: other.aws(), url: hello.url };
    assert_eq!(run(other.command("env").stderr(Stdio::null())).lines().nth(2), key.lines().nth(2));
    within(Duration::from_secs(60), "the service runs here", || hello.is_stable(2).then_some(()));
    within(Duration::from_secs(10), "it answers", || hello.answers().then_some(()));
    let listed = tasks.join(" ");
    for task in
        hello.aws.json(&format!("ecs describe-tasks --tasks {listed}"))["tasks"].as_array().expect("a list")
    {
        assert_eq!(task["lastStatus"], "STOPPED", "{task:#}");
        assert!(text(&task["stoppedReason"]).contains("restored from a backup"), "{task:#}");
    }
    let now: Vec<String> = hello.tasks().iter().map(|task| text(&task["taskArn"])).collect();
    assert!(now.len() == 2 && now.iter().all(|arn| !tasks.contains(arn)), "{now:?}");
    assert!(log(&hello.aws).contains("before-the-backup"));
    assert_eq!(std::fs::read(other.state_dir().join("node-id")).expect("it is there"), node);
    other.down();
}

/// Clients that tag a load balancer again and again, each time with one number under two names.
struct Writers {
    written: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Writers {
    fn start(wharf: &Wharf, balancer: &str) -> Writers {
        let (written, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let ended = Arc::new(AtomicBool::new(false));
        let write = |_| {
            let (written, failed, ended) = (Arc::clone(&written), Arc::clone(&failed), Arc::clone(&ended));
            let (endpoint, arn) = (wharf.endpoint(), balancer.replace(':', "%3A").replace('/', "%2F"));
            std::thread::spawn(move || {
                let mut client = Client::new(&endpoint, &endpoint);
                while !ended.load(Ordering::SeqCst) {
                    let number = written.fetch_add(1, Ordering::SeqCst) + 1;
                    let form = format!(
                        "Action=AddTags&Version=2015-12-01&ResourceArns.member.1={arn}&Tags.member.1.Key=one\
                         &Tags.member.1.Value={number}&Tags.member.2.Key=two&Tags.member.2.Value={number}"
                    );
                    match client.send("POST", "/", form.as_bytes()) {
                        Ok(answer) if answer.status == 200 => {}
                        Ok(_) | Err(_) => {
                            failed.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                    // Four of them make some 200 a second, where the disk is quick.
                    std::thread::sleep(Duration::from_millis(18));
                }
            })
        };
        let threads = (0..4).map(write).collect();
        Writers { written, failed, ended, threads }
    }

    fn count(&self) -> usize {
        self.written.load(Ordering::SeqCst)
    }

    /// Ends them and returns how many writes failed.
    fn stop(self) -> usize {
        self.ended.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().expect("a writer does not panic");
        }
        self.failed.load(Ordering::SeqCst)
    }
}

/// Returns the two numbers that a load balancer is tagged with.
fn pair(aws: &Aws, balancer: &str) -> (u64, u64) {
    let described = aws.json(&format!("elbv2 describe-tags --resource-arns {balancer}"));
    let tags = described["TagDescriptions"][0]["Tags"].as_array().cloned().unwrap_or_default();
    let of = |name: &str| {
        let value = tags.iter().find(|tag| tag["Key"] == name).map(|tag| text(&tag["Value"]));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no number '{name}' in {tags:?}"))
    };
    (of("one"), of("two"))
}

#[test]
fn f15_f17_a_damaged_state_is_named_and_left_alone_until_a_backup_is_restored() {
    let wharf = Wharf::start(&["--healthy-after=1"]);
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let backup = format!("{}/backup", dir.path().display());
    wharf.aws().json("ecs create-cluster --cluster-name kept");
    run(&mut wharf.command("down"));
    // A stopped Wharf is backed up from its directory.
    run(wharf.command("backup").arg(&backup));
    let state = wharf.state_dir().join("state.redb");
    let whole = std::fs::read(&state).expect("there is a state file");
    let damaged: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"something else".to_vec(),
        whole[..4096].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        vec![0; whole.len()],
        [whole[..4096].to_vec(), vec![0; whole.len() - 4096]].concat(),
        whole.iter().enumerate().map(|(at, byte)| if at % 1000 == 7 { !byte } else { *byte }).collect(),
    ];
    for (number, bytes) in damaged.iter().enumerate() {
        std::fs::write(&state, bytes).expect("the state file can be replaced");
        let said = refused(&wharf.output("control", &[]));
        assert!(
            said.contains(state.as_str()) && said.contains("wharf restore --replace"),
            "{number}: {said}"
        );
        assert!(std::fs::read(&state).expect("it is there") == *bytes, "{number}: the file was changed");
    }
    let said = refused(&wharf.output("up", &[]));
    assert!(said.contains(state.as_str()) && said.contains("control did not start"), "{said}");

    run(wharf.command("restore").args([&backup, "--replace"]));
    wharf.up();
    let clusters = wharf.aws().json("ecs describe-clusters --clusters kept")["clusters"].clone();
    assert_eq!(clusters[0]["clusterName"], "kept", "{clusters}");
    let kept = std::fs::read_dir(wharf.state_dir()).expect("the state directory").filter_map(Result::ok);
    let kept = kept.filter(|entry| entry.file_name().to_string_lossy().starts_with("before-restore-"));
    assert_eq!(kept.count(), 1, "the damaged state is kept");
    wharf.down();
}

#[test]
fn f12_a_disk_that_fails_makes_the_state_read_only_until_a_restart() {
    let wharf = Wharf::start(&["--healthy-after=1"]);
    let aws = wharf.aws();
    aws.json("ecs create-cluster --cluster-name before");
    let failing = fail_syncs(wharf.process("control").pid, Utf8Path::new(&wharf.run_dir()));
    let said = aws.error("ecs create-cluster --cluster-name lost");
    assert!(said.contains("ServerException") && said.contains("read-only"), "{said}");
    drop(failing);

    // The disk is well again, and nobody trusts it.
    let said = aws.error("ecs create-cluster --cluster-name late");
    assert!(said.contains("ServerException") && said.contains("read-only"), "{said}");
    let names = |aws: &Aws| -> Vec<Value> {
        let mut clusters =
            aws.json("ecs list-clusters")["clusterArns"].as_array().cloned().unwrap_or_default();
        clusters.retain(|arn| arn.as_str().is_some_and(|arn| !arn.ends_with("/default")));
        clusters
    };
    let described = names(&aws);
    assert!(described.len() == 1 && text(&described[0]).ends_with("/before"), "{described:?}");
    let said = refused(&wharf.output("status", &[]));
    assert!(said.contains("read-only"), "{said}");
    let health = get(&format!("http://{}/_wharf/health", wharf.endpoint())).expect("an answer");
    assert!(health.status == 503 && health.text().contains("read-only"), "{}", health.text());

    wharf.kill("control");
    within(Duration::from_secs(20), "it takes changes again", || {
        wharf.output("status", &["--quiet"]).status.success().then_some(())
    });
    aws.json("ecs create-cluster --cluster-name after");
    let described = names(&aws);
    assert!(described.iter().any(|arn| text(arn).ends_with("/before")), "{described:?}");
    assert!(!described.iter().any(|arn| text(arn).ends_with("/late")), "{described:?}");
    wharf.down();
}

/// A process whose syncs fail with EIO while this lives.
struct Failing(std::process::Child);

impl Drop for Failing {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.0.id()).expect("a process id"));
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

fn fail_syncs(pid: i32, dir: &Utf8Path) -> Failing {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO", "-p"]);
    strace.arg(pid.to_string()).args(["-o", dir.join("strace").as_str()]).stderr(Stdio::piped());
    let mut child = strace.spawn().expect("strace is installed by scripts/test");
    let mut said = child.stderr.take().expect("it is piped");
    let failing = Failing(child);
    let mut line = [0; 64];
    let read = said.read(&mut line).expect("strace says that it has attached");
    assert!(String::from_utf8_lossy(&line[..read]).contains("attached"));
    failing
}

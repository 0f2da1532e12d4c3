//! `kill -9` of each process, and of all at once, while a service serves.

use crate::hello::{container, deploy, describe, register, run_task, text, until};
use serde_json::json;
use std::{
    collections::BTreeMap,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use wharf_e2e::{Wharf, get, run, within};

const PROCESSES: [&str; 4] = ["control", "agent", "keeper", "balancer"];

#[test]
fn tasks_and_traffic_survive_the_death_of_every_process() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let hello = deploy(&wharf, 3);
    let before = main_processes(&hello);
    assert_eq!(before.len(), 3);

    for process in PROCESSES {
        let traffic = Traffic::start(&hello.url);
        let killed = wharf.kill(process);
        let back = Instant::now();
        within(Duration::from_secs(5), format!("{process} is back"), || {
            (wharf.process(process) != killed).then_some(())
        });
        // The API shows the truth within 2 s of being back.
        let shown = within(Duration::from_secs(10), "the truth", || {
            let output = hello.aws.output("ecs describe-services --services hello");
            let answer: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
            (answer["services"][0]["runningCount"] == 3).then(|| back.elapsed())
        });
        std::thread::sleep(Duration::from_millis(1500));
        let (asked, failed) = traffic.stop();
        assert!(asked > 50, "{process}: only {asked} requests");
        if process != "balancer" {
            assert_eq!(failed, 0, "{process}: {failed} of {asked} requests failed");
        }
        assert_eq!(main_processes(&hello), before, "{process}: the same tasks with the same processes");
        assert!(shown < Duration::from_secs(6), "{process}: the API was right only after {shown:?}");
    }

    for process in PROCESSES {
        wharf.kill(process);
    }
    within(Duration::from_secs(10), "answers after everything was killed", || hello.answers().then_some(()));
    within(Duration::from_secs(10), "a stable service", || hello.is_stable(3).then_some(()));
    assert_eq!(main_processes(&hello), before, "all at once: the same tasks with the same processes");
    wharf.down();
}

#[test]
fn an_exit_while_a_process_was_away_is_reported_with_its_code() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("hello");
    register(&aws, "hello", &json!([container("hello", &image, json!({}))]));
    for processes in [vec!["agent"], vec!["keeper"], vec!["control"], PROCESSES.to_vec()] {
        let arn = text(&run_task(&aws, "hello", "")["taskArn"]);
        let task = until(&aws, &arn, "RUNNING");
        let address = crate::hello::private_address(&task);
        within(Duration::from_secs(5), "the application answers", || get(&format!("http://{address}/")).ok());
        for process in &processes {
            wharf.kill(process);
        }
        let _ = get(&format!("http://{address}/exit?code=9"));
        let task = within(Duration::from_secs(15), format!("{processes:?}: the task stopped"), || {
            let output = aws.output(&format!("ecs describe-tasks --tasks {arn}"));
            let answer: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
            (answer["tasks"][0]["lastStatus"] == "STOPPED").then(|| answer["tasks"][0].clone())
        });
        assert_eq!(task["containers"][0]["exitCode"], 9, "{processes:?}: {task:#}");
        assert_eq!(task["stoppedReason"], "Essential container in task exited", "{processes:?}");
    }
    wharf.down();
}

#[test]
fn f07_run_task_that_was_answered_or_asked_again_with_its_token_starts_its_tasks_once() {
    let wharf = Wharf::start(&["--healthy-after=1"]);
    let aws = wharf.aws();
    let image = wharf.push("hello");
    register(&aws, "hello", &json!([container("hello", &image, json!({}))]));
    let network = crate::hello::network(&aws);
    for round in 0..5_u64 {
        let line = format!(
            "ecs run-task --task-definition hello --launch-type FARGATE --count 10 --client-token round-{round} \
             --started-by round-{round} --network-configuration {network}"
        );
        let asking = {
            let (aws, line) = (aws.clone(), line.clone());
            std::thread::spawn(move || aws.output(&line))
        };
        // Somewhere while the request is made, on its way, or answered.
        std::thread::sleep(Duration::from_millis(350 + round * 60));
        wharf.kill("control");
        let first = asking.join().expect("the CLI does not panic");
        let arns = |answer: &serde_json::Value| -> std::collections::BTreeSet<String> {
            answer["tasks"].as_array().expect("a list").iter().map(|task| text(&task["taskArn"])).collect()
        };
        let second: serde_json::Value = within(Duration::from_secs(10), "the same request again", || {
            let output = aws.output(&line);
            output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("JSON"))
        });
        assert_eq!(second["failures"], json!([]));
        assert_eq!(arns(&second).len(), 10);
        if first.status.success() {
            let first: serde_json::Value = serde_json::from_slice(&first.stdout).expect("JSON");
            assert_eq!(arns(&first), arns(&second), "round {round}: what was answered is what there is");
        }
        let all = within(Duration::from_secs(20), "ten tasks run", || {
            let listed = aws.json(&format!("ecs list-tasks --started-by round-{round}"));
            let listed = listed["taskArns"].as_array().expect("a list").clone();
            let words: Vec<String> = listed.iter().map(text).collect();
            let tasks = aws.json(&format!("ecs describe-tasks --tasks {}", words.join(" ")));
            let all_run = tasks["tasks"].as_array()?.iter().all(|task| task["lastStatus"] == "RUNNING");
            all_run.then_some(listed)
        });
        assert_eq!(all.len(), 10, "round {round}: as many as asked for");
        for arn in arns(&second) {
            aws.json(&format!("ecs stop-task --task {arn}"));
        }
    }
    wharf.down();
}

#[test]
fn f10_agent_that_hangs_and_wakes_up_finds_its_tasks_neither_lost_nor_doubled() {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    let wharf = Wharf::start(&["--ephemeral"]);
    let hello = deploy(&wharf, 2);
    let before = main_processes(&hello);
    let agent = Pid::from_raw(wharf.process("agent").pid);
    kill(agent, Signal::SIGSTOP).expect("a process of this test can be stopped");
    let traffic = Traffic::start(&hello.url);
    // Shorter than the row's minute, and long enough for whoever would lose patience with a silent node.
    for _ in 0..10 {
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(hello.tasks().len(), 2, "nobody is replaced because their node is silent");
    }
    // What is asked for meanwhile is done afterwards, once.
    hello.aws.json("ecs update-service --service hello --desired-count 3");
    kill(agent, Signal::SIGCONT).expect("it is still there");
    within(Duration::from_secs(20), "three tasks", || hello.is_stable(3).then_some(()));
    let (asked, failed) = traffic.stop();
    assert!(asked > 50 && failed == 0, "{failed} of {asked} requests failed");
    let after = main_processes(&hello);
    assert!(before.iter().all(|(task, pid)| after.get(task) == Some(pid)), "{before:?} {after:?}");
    assert_eq!(after.len(), 3);
    wharf.down();
}

#[test]
fn a_service_keeps_its_count_when_a_task_is_killed() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let hello = deploy(&wharf, 2);
    let (victim, pid) = main_processes(&hello).into_iter().next().expect("two tasks run");
    run(Command::new("kill").args(["-9", &pid]));
    let stopped = until(&hello.aws, &victim, "STOPPED");
    assert_eq!(stopped["containers"][0]["exitCode"], 137);
    within(Duration::from_secs(30), "two tasks again", || {
        let tasks = hello.tasks();
        let running = tasks.iter().filter(|task| task["lastStatus"] == "RUNNING").count();
        (running == 2 && tasks.iter().all(|task| task["taskArn"] != victim.as_str())).then_some(())
    });
    assert_eq!(describe(&hello.aws, &victim)["stopCode"], "EssentialContainerExited");
    wharf.down();
}

#[test]
fn tasks_run_on_over_down_and_up_and_over_the_death_of_up_itself() {
    let wharf = Wharf::start(&["--healthy-after=1"]);
    let hello = deploy(&wharf, 1);
    let before = main_processes(&hello);
    run(&mut wharf.command("down"));
    assert!(get(&hello.url).is_err(), "nothing listens while Wharf is down");
    wharf.up();
    within(Duration::from_secs(10), "answers again", || hello.answers().then_some(()));
    assert_eq!(main_processes(&hello), before);
    for process in ["up", "control", "agent", "balancer", "keeper"] {
        wharf.kill(process);
    }
    wharf.up();
    within(Duration::from_secs(10), "answers again", || hello.answers().then_some(()));
    assert_eq!(main_processes(&hello), before);
    wharf.down();
}

/// Returns the process of each running task's container, by the task's ARN: the one that has the task's address.
fn main_processes(hello: &crate::hello::Hello) -> BTreeMap<String, String> {
    let pids = run(Command::new("pgrep").args(["-x", "hello"]));
    let by_task: BTreeMap<String, String> = pids
        .lines()
        .filter_map(|pid| {
            let group = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
            Some((group, pid.to_owned()))
        })
        .filter_map(|(group, pid)| {
            let id = group
                .split('/')
                .find(|part| part.len() >= 32 && part.bytes().all(|b| b.is_ascii_hexdigit()))?;
            Some((id.to_owned(), pid))
        })
        .collect();
    let running = hello.tasks().into_iter().filter(|task| task["lastStatus"] == "RUNNING");
    running
        .map(|task| {
            let arn = text(&task["taskArn"]);
            let id = arn.rsplit('/').next().unwrap_or_default().to_owned();
            let pid = by_task.get(&id).unwrap_or_else(|| panic!("no process of task {id} in {by_task:?}"));
            (arn, pid.clone())
        })
        .collect()
}

/// Requests on connections of their own, one after the other, until stopped.
struct Traffic {
    stop: Arc<AtomicBool>,
    failed: Arc<AtomicUsize>,
    client: std::thread::JoinHandle<usize>,
}

impl Traffic {
    fn start(url: &str) -> Traffic {
        let (stop, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (url, stopped, failures) = (url.to_owned(), Arc::clone(&stop), Arc::clone(&failed));
        let client = std::thread::spawn(move || {
            let mut asked = 0;
            while !stopped.load(Ordering::Relaxed) && asked < 100_000 {
                asked += 1;
                if !get(&url).is_ok_and(|answer| answer.status == 200) {
                    failures.fetch_add(1, Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            asked
        });
        Traffic { stop, failed, client }
    }

    fn stop(self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        let asked = self.client.join().expect("a client does not panic");
        (asked, self.failed.load(Ordering::Relaxed))
    }
}

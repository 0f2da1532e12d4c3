//! Containers that wait for each other, are checked, and are started again.

use std::time::{Duration, Instant};

use wharf_model::task::{ContainerStatus, HealthStatus, StopCode, TaskStatus};
use wharf_model::task_definition::{
    ContainerDefinition, Dependency, DependencyCondition, HealthCheck, RestartPolicy,
};
use wharf_nodelink::agent::Assignment;

use crate::machine::{Machine, script, stopped};

/// Adds a container that is not essential to a task.
fn add(task: &mut Assignment, name: &str, script: &str) {
    let (main, arn) = task.containers[0].clone();
    let mut arn = arn;
    arn.resource.push_str(name);
    let container = ContainerDefinition {
        name: name.to_owned(),
        essential: false,
        command: Some(vec![script.to_owned()]),
        ..main
    };
    task.containers.push((container, arn));
}

fn depend(task: &mut Assignment, condition: DependencyCondition) {
    let container = task.containers[1].0.name.clone();
    task.containers[0].0.depends_on = vec![Dependency { container, condition }];
}

#[test]
fn container_starts_when_the_one_it_depends_on_has_done_its_work_and_ends_before_it() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let mut task = script(20, "echo main; trap 'echo main ends; exit 0' TERM; while :; do sleep 0.02; done");
    add(&mut task, "first", "sleep 0.3; echo first");
    depend(&mut task, DependencyCondition::Success);
    machine.control.assign(&task);
    let report = machine.control.until(TaskStatus::Running);
    assert_eq!(report.containers[1].exit_code, Some(0));
    machine.control.assign(&stopped(&task));
    machine.control.until(TaskStatus::Stopped);
    machine.forget(&task);

    let mut task = script(21, "trap 'echo main ends; exit 0' TERM; while :; do sleep 0.02; done");
    add(&mut task, "base", "trap 'echo base ends; exit 0' TERM; while :; do sleep 0.02; done");
    depend(&mut task, DependencyCondition::Start);
    machine.control.assign(&task);
    machine.control.until(TaskStatus::Running);
    std::thread::sleep(Duration::from_millis(200));
    machine.control.assign(&stopped(&task));
    let report = machine.control.until(TaskStatus::Stopped);
    assert_eq!(report.containers.iter().map(|one| one.exit_code).collect::<Vec<_>>(), [Some(0), Some(0)]);
    machine.forget(&task);
    let said = |name: &str| {
        let line = machine.control.logs.values().flatten().find(|event| event.message == name);
        line.unwrap_or_else(|| panic!("{name}: {:?}", machine.control.logs)).timestamp
    };
    assert!(said("first") <= said("main"));
    assert!(said("main ends") <= said("base ends"));
    machine.assert_clean();
    machine.done();
}

#[test]
fn container_that_waits_in_vain_fails_its_task_with_143_and_the_graphs_words() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let mut task = script(22, "echo never");
    add(&mut task, "first", "exit 9");
    depend(&mut task, DependencyCondition::Success);
    machine.control.assign(&task);
    let report = machine.control.until(TaskStatus::Stopped);
    let (code, reason) = report.stop.unwrap();
    assert_eq!(code, StopCode::TaskFailedToStart);
    assert!(reason.starts_with("CannotStartContainerError: dependency graph: failed to resolve"), "{reason}");
    assert_eq!(report.containers[0].exit_code, Some(143));
    assert_eq!(report.containers[1].exit_code, Some(9));
    machine.forget(&task);

    let mut task = script(23, "echo never");
    add(&mut task, "slow", "sleep 600");
    depend(&mut task, DependencyCondition::Complete);
    task.containers[1].0.start_timeout_secs = Some(2);
    task.containers[1].0.stop_timeout_secs = Some(0);
    let begun = Instant::now();
    machine.control.assign(&task);
    let report = machine.control.until(TaskStatus::Stopped);
    assert!(begun.elapsed() >= Duration::from_secs(2));
    let (_, reason) = report.stop.unwrap();
    assert!(
        reason.ends_with("container ordering dependency [slow] for target [main] has timed out."),
        "{reason}"
    );
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

#[test]
fn container_is_checked_from_inside_and_its_health_is_told_and_waited_for() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let text = "wget -qO- $ECS_CONTAINER_METADATA_URI_V4; echo; sleep 600";
    let mut task = script(24, text);
    add(&mut task, "base", "sleep 0.4; echo well > /state; sleep 3; rm /state; sleep 600");
    let command = ["CMD-SHELL", "echo looked; test -e /state"].map(str::to_owned).to_vec();
    let (interval_secs, retries) = (Some(1), Some(1));
    task.containers[1].0.health_check =
        Some(HealthCheck { command, interval_secs, retries, ..HealthCheck::default() });
    task.containers[1].0.essential = true;
    depend(&mut task, DependencyCondition::Healthy);
    machine.control.assign(&task);
    let report = machine.control.until_report(|report| report.last_status == TaskStatus::Running);
    assert_eq!(
        (report.health, report.containers[1].health),
        (Some(HealthStatus::Healthy), HealthStatus::Healthy)
    );
    assert_eq!(report.containers[0].health, HealthStatus::Unknown);
    // A task that no service keeps runs on when it is not well.
    let report = machine.control.until_report(|report| report.health == Some(HealthStatus::Unhealthy));
    assert_eq!(report.last_status, TaskStatus::Running);
    // What was found out lasts longer than the one who found it out.
    machine.kill_agent();
    machine.start_agent();
    machine.control.accept(vec![task.clone()]);
    let report = machine.control.until(TaskStatus::Running);
    assert_eq!(report.health, Some(HealthStatus::Unhealthy));
    machine.control.assign(&stopped(&task));
    machine.control.until(TaskStatus::Stopped);
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

#[test]
fn check_that_takes_too_long_fails_and_is_ended() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let mut task = script(25, "while :; do sleep 0.2; done");
    let command = vec!["CMD".to_owned(), "busybox".to_owned(), "sleep".to_owned(), "61".to_owned()];
    let numbers = (Some(1), Some(1), Some(1));
    let (interval_secs, timeout_secs, retries) = numbers;
    task.containers[0].0.health_check =
        Some(HealthCheck { command, interval_secs, timeout_secs, retries, start_period_secs: None });
    machine.control.assign(&task);
    machine.control.until_report(|report| report.health == Some(HealthStatus::Unhealthy));
    std::thread::sleep(Duration::from_millis(2500));
    let checks = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == b"busybox\x00sleep\x0061\x00")
    });
    assert!(checks.count() <= 1, "checks that took too long pile up");
    machine.control.assign(&stopped(&task));
    machine.control.until(TaskStatus::Stopped);
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

#[test]
fn container_with_a_restart_policy_runs_again_in_place_with_its_files() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let text = "echo x >> /runs; echo run $(grep -c x /runs); sleep 1.2; exit 5";
    let mut task = script(26, text);
    task.containers[0].0.restart_policy =
        Some(RestartPolicy { enabled: true, ignored_exit_codes: vec![0], attempt_period_secs: Some(1) });
    machine.control.assign(&task);
    let first = machine.control.until(TaskStatus::Running);
    let lines =
        |machine: &Machine| machine.control.lines().iter().map(ToString::to_string).collect::<Vec<_>>();
    while !lines(&machine).contains(&"run 3".to_owned()) {
        let report = machine.control.until_report(|_| true);
        assert_eq!(report.last_status, TaskStatus::Running, "{report:?}");
        assert_eq!(report.containers[0].last_status, ContainerStatus::Running);
        assert_eq!(report.containers[0].runtime_id, first.containers[0].runtime_id);
    }
    // Also by an agent that did not see it start.
    machine.kill_agent();
    machine.start_agent();
    machine.control.accept(vec![task.clone()]);
    machine.control.until(TaskStatus::Running);
    while !lines(&machine).contains(&"run 5".to_owned()) {
        machine.control.until_report(|_| true);
    }
    machine.control.assign(&stopped(&task));
    let report = machine.control.until(TaskStatus::Stopped);
    assert_eq!(report.stop, Some((StopCode::UserInitiated, "enough".to_owned())));
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

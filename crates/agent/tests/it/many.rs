//! Many tasks at once, and tasks that do not want to end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use wharf_model::task::{StopCode, TaskStatus};
use wharf_nodelink::agent::Assignment;

use crate::machine::{Machine, script, stopped};

/// Reads reports until each of so many tasks stands there.
fn until_all(machine: &mut Machine, count: usize, status: TaskStatus) {
    let mut there = BTreeSet::new();
    while there.len() < count {
        let report = machine.control.until_report(|report| report.last_status >= status);
        assert!(status == TaskStatus::Stopped || report.last_status == status, "{report:?}");
        there.insert(report.task);
    }
}

#[test]
fn f01_hundred_tasks_survive_twenty_deaths_of_the_agent_and_no_line_is_lost() {
    const TASKS: u8 = 100;
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let count = "trap 'exit 0' TERM; i=0; while :; do echo $i; i=$((i+1)); sleep 0.25; done";
    let tasks: Vec<Assignment> = (0..TASKS).map(|number| script(20 + number, count)).collect();
    for task in &tasks {
        machine.control.assign(task);
    }
    until_all(&mut machine, tasks.len(), TaskStatus::Running);
    let pids = |machine: &Machine| -> BTreeMap<String, i32> {
        machine.containers().into_iter().map(|container| (container.id, container.pid)).collect()
    };
    let before = pids(&machine);
    assert_eq!(before.len(), tasks.len());
    for round in 0..20_u64 {
        std::thread::sleep(Duration::from_millis(round * 37 % 190));
        machine.kill_agent();
        machine.start_agent();
        machine.control.accept(tasks.clone());
        until_all(&mut machine, tasks.len(), TaskStatus::Running);
    }
    assert_eq!(pids(&machine), before, "the same processes");
    for task in &tasks {
        machine.control.assign(&stopped(task));
    }
    until_all(&mut machine, tasks.len(), TaskStatus::Stopped);
    for task in &tasks {
        machine.forget(task);
    }
    assert_eq!(machine.control.logs.len(), tasks.len());
    for (stream, events) in &machine.control.logs {
        // Lines may come twice around a death, none is lost.
        let numbers: BTreeSet<u32> = events.iter().map(|event| event.message.parse().unwrap()).collect();
        assert!(numbers.len() > 4, "{stream}: {numbers:?}");
        assert!(
            numbers.iter().copied().eq(0..u32::try_from(numbers.len()).unwrap()),
            "{stream}: {numbers:?}"
        );
    }
    machine.assert_clean();
    machine.done();
}

#[test]
fn f03_task_that_floods_its_output_while_the_agent_is_away_is_not_held_up() {
    const BYTES: u64 = 50 << 20;
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let mut task = script(20, "while [ ! -e /go ]; do sleep 0.02; done");
    // The lines of `seq` up to here have a bit more bytes than that.
    task.containers[0].0.command = Some(vec!["sleep 1; seq 1 6800000 | busybox head -c 52428800".to_owned()]);
    task.containers[0].0.log_configuration = None;
    machine.control.assign(&task);
    machine.control.until(TaskStatus::Running);
    machine.kill_agent();
    let begun = Instant::now();
    while machine.containers()[0].exit.is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the task waits for somebody to read");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(machine.containers()[0].exit.as_ref().unwrap().code, Some(0));
    let id = machine.containers()[0].id.clone();
    let dir = machine.config.state_dir.join("tasks").join(task.task.as_str()).join(id);
    let written = std::fs::metadata(dir.join(wharf_keeper::output::LOG_FILE)).unwrap().len();
    assert_eq!(written, BYTES, "every byte is there");
    assert_eq!(machine.containers()[0].output_lost_bytes, 0);
    machine.start_agent();
    machine.control.accept(vec![task.clone()]);
    machine.control.until(TaskStatus::Stopped);
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

#[test]
fn f50_processes_that_the_kernel_does_not_end_are_told_and_their_network_is_kept() {
    // Frozen by a hierarchy of version 1, processes are as those that wait for a device: no signal ends them. The unified
    // hierarchy lets frozen ones be killed, so there is nothing to try there.
    let freezer = std::path::Path::new("/sys/fs/cgroup/freezer");
    if !freezer.exists() {
        assert!(std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists());
        return;
    }
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let mut task = script(20, "while :; do sleep 100; done");
    task.containers[0].0.stop_timeout_secs = Some(1);
    machine.control.assign(&task);
    machine.control.until(TaskStatus::Running);
    let pid = machine.containers()[0].pid;
    let group = freezer.join(format!("wharf-test-{}", std::process::id()));
    std::fs::create_dir(&group).unwrap();
    std::fs::write(group.join("cgroup.procs"), pid.to_string()).unwrap();
    std::fs::write(group.join("freezer.state"), "FROZEN").unwrap();
    machine.control.assign(&stopped(&task));
    let report = machine.control.until_report(|report| report.containers[0].reason.is_some());
    assert_eq!(report.last_status, TaskStatus::Stopping);
    let reason = report.containers[0].reason.clone().unwrap();
    assert!(reason.starts_with("CannotStopContainerError: "), "{reason}");
    // The address still leads to the task's own slot.
    let routes = std::process::Command::new("busybox").args(["ip", "route"]).output().unwrap();
    assert!(String::from_utf8_lossy(&routes.stdout).contains("172.31.0.20 "));
    std::fs::write(group.join("freezer.state"), "THAWED").unwrap();
    let report = machine.control.until(TaskStatus::Stopped);
    assert_eq!(report.containers[0].exit_code, Some(137));
    assert_eq!(report.stop.unwrap().0, StopCode::UserInitiated);
    machine.forget(&task);
    let gone = || std::fs::remove_dir(&group).is_ok();
    crate::machine::within(Duration::from_secs(5), "the frozen group goes", gone);
    machine.assert_clean();
    machine.done();
}

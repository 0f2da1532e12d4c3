//! Tasks from their assignment to their end.

use wharf_model::task::{ContainerStatus, StopCode, TaskStatus};

use crate::machine::{Machine, script, stopped};

#[test]
fn task_runs_and_its_states_exit_code_and_output_are_told() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let task = script(
        10,
        "echo hello from $(hostname); wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task; echo; exit 7",
    );
    machine.control.assign(&task);
    let report = machine.control.until(TaskStatus::Stopped);
    let order = [
        TaskStatus::Activating,
        TaskStatus::Running,
        TaskStatus::Stopping,
        TaskStatus::Deprovisioning,
        TaskStatus::Stopped,
    ];
    let mut told = machine.control.told.clone();
    told.dedup();
    assert_eq!(told, order);
    let reason = "Essential container in task exited".to_owned();
    assert_eq!(report.stop, Some((StopCode::EssentialContainerExited, reason)));
    assert_eq!(report.containers[0].exit_code, Some(7));
    assert!(report.containers[0].image_digest.as_ref().is_some_and(|digest| digest.starts_with("sha256:")));
    let lines = machine.control.lines();
    assert_eq!(lines[0], "hello from ip-172-31-0-10.us-east-1.compute.internal");
    assert!(lines[1].contains(&format!("\"TaskARN\":\"{}\"", task.arn)), "{lines:?}");
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

#[test]
fn stopped_task_ends_by_its_signal_or_is_killed_and_keeps_the_callers_reason() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let cases =
        [(11, "trap 'exit 3' TERM; while :; do sleep 0.05; done", 3), (12, "trap '' TERM; sleep 600", 137)];
    for (number, text, code) in cases {
        let task = script(number, text);
        machine.control.assign(&task);
        machine.control.until(TaskStatus::Running);
        // The trap is set a moment after the start.
        std::thread::sleep(std::time::Duration::from_millis(300));
        machine.control.assign(&stopped(&task));
        let report = machine.control.until(TaskStatus::Stopped);
        assert_eq!(report.containers[0].exit_code, Some(code));
        assert_eq!(report.stop, Some((StopCode::UserInitiated, "enough".to_owned())));
        machine.forget(&task);
    }
    machine.assert_clean();
    machine.done();
}

#[test]
fn image_that_does_not_exist_fails_the_task_and_leaves_nothing() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let mut task = script(13, "exit 0");
    task.containers[0].0.image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/box:2".to_owned();
    machine.control.assign(&task);
    let report = machine.control.until(TaskStatus::Stopped);
    let (code, reason) = report.stop.unwrap();
    assert_eq!(code, StopCode::TaskFailedToStart);
    assert!(reason.starts_with("CannotPullContainerError: "), "{reason}");
    assert_eq!(report.containers[0].last_status, ContainerStatus::Stopped);
    assert_eq!(report.containers[0].exit_code, None);
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

#[test]
fn end_of_an_essential_container_ends_its_neighbour_which_shares_its_localhost() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let mut task = script(14, "exec busybox nc -l -p 8080 -e /bin/echo hi");
    let mut neighbour = task.containers[0].clone();
    neighbour.0.name = "neighbour".to_owned();
    neighbour.0.essential = false;
    neighbour.0.log_configuration = None;
    neighbour.0.command =
        Some(vec!["until busybox nc 127.0.0.1 8080; do sleep 0.02; done; sleep 600".to_owned()]);
    neighbour.1.resource.push('2');
    task.containers.push(neighbour);
    machine.control.assign(&task);
    let report = machine.control.until(TaskStatus::Stopped);
    assert_eq!(report.containers[0].exit_code, Some(0));
    assert_eq!(report.containers[1].exit_code, Some(137), "the shell as first process takes no SIGTERM");
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

//! What survives when one of the processes dies (FAULTS.md 1, 4, 5, 6).

use std::time::Duration;

use wharf_model::task::TaskStatus;

use crate::machine::{Machine, script, stopped, within};

#[test]
fn f01_running_task_survives_the_agents_death_with_its_process_and_its_output() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let task = script(20, "trap 'exit 5' TERM; i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done");
    machine.control.assign(&task);
    machine.control.until(TaskStatus::Running);
    let pid = machine.containers()[0].pid;
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(150));
        machine.kill_agent();
        machine.start_agent();
        machine.control.accept(vec![task.clone()]);
        machine.control.until(TaskStatus::Running);
        assert_eq!(machine.containers()[0].pid, pid);
    }
    machine.control.assign(&stopped(&task));
    let report = machine.control.until(TaskStatus::Stopped);
    assert_eq!(report.containers[0].exit_code, Some(5));
    // Lines may come twice around a death, none is lost.
    let mut numbers: Vec<u32> = machine.control.lines().iter().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert!(numbers.len() > 20);
    assert!(numbers.iter().copied().eq(0..u32::try_from(numbers.len()).unwrap()), "{numbers:?}");
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

#[test]
fn exit_while_agent_and_control_are_away_is_told_with_its_code() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let task = script(21, "sleep 0.5; echo last words; exit 9");
    machine.control.assign(&task);
    machine.control.until(TaskStatus::Running);
    machine.kill_agent();
    within(Duration::from_secs(5), "the container ends", || machine.containers()[0].exit.is_some());
    machine.start_agent();
    machine.control.accept(vec![task.clone()]);
    let report = machine.control.until(TaskStatus::Stopped);
    assert_eq!(report.containers[0].exit_code, Some(9));
    assert_eq!(machine.control.lines(), ["last words"]);
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

#[test]
fn f04_keeper_that_dies_is_found_again_and_the_task_runs_on() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let task = script(22, "trap 'exit 4' TERM; while :; do sleep 0.05; done");
    machine.control.assign(&task);
    machine.control.until(TaskStatus::Running);
    let pid = machine.containers()[0].pid;
    machine.kill_keeper();
    machine.start_keeper();
    assert_eq!(machine.containers()[0].pid, pid);
    machine.control.assign(&stopped(&task));
    let report = machine.control.until(TaskStatus::Stopped);
    // The exact code where the kernel still knows it, else none; never another one.
    assert!(matches!(report.containers[0].exit_code, Some(4) | None), "{report:?}");
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

#[test]
fn f05_f06_agent_that_dies_anywhere_in_a_tasks_life_leaves_it_whole_or_gone() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    for round in 0..24_u8 {
        let task = script(30 + round, "echo ran; exit 0");
        machine.control.assign(&task);
        std::thread::sleep(Duration::from_millis(u64::from(round) * 3));
        machine.kill_agent();
        machine.start_agent();
        machine.control.accept(vec![task.clone()]);
        let report = machine.control.until(TaskStatus::Stopped);
        assert_eq!(report.containers[0].exit_code, Some(0), "round {round}: {report:?}");
        machine.forget(&task);
    }
    machine.assert_clean();
    machine.done();
}

#[test]
fn task_that_control_does_not_name_any_more_is_removed() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let task = script(60, "sleep 600");
    machine.control.assign(&task);
    machine.control.until(TaskStatus::Running);
    machine.control.hang_up();
    machine.control.accept(Vec::new());
    machine.assert_clean();
    machine.done();
}

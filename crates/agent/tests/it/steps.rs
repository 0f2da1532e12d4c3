//! The agent is killed at each step of a task's life, one after the other: what is begun is then finished or undone.

use wharf_model::task::TaskStatus;
use wharf_nodelink::agent::Assignment;

use crate::machine::{Machine, script, stopped};

/// Kills the agent at every step of a life in turn; returns how many there were. `after_running` is what control says
/// once the task runs.
fn at_every_step(
    machine: &mut Machine,
    life: &str,
    after_running: impl Fn(&Assignment) -> Option<Assignment>,
    code: i32,
) -> usize {
    for number in 0.. {
        let task = script(u8::try_from(10 + number).unwrap(), life);
        machine.kill_agent();
        machine.start_agent_that_ends_at(number);
        let mut wanted = task.clone();
        let ended = (|| {
            machine.control.accept_or_end(Vec::new())?;
            machine.control.assign(&task);
            if let Some(next) = after_running(&task) {
                machine.control.until_or_end(TaskStatus::Running)?;
                // The trap is set a moment after the start.
                std::thread::sleep(std::time::Duration::from_millis(100));
                wanted = next;
                machine.control.assign(&wanted);
            }
            machine.control.until_or_end(TaskStatus::Stopped)
        })();
        if let Some(report) = ended {
            assert_eq!(report.containers[0].exit_code, Some(code), "step {number}: {report:?}");
            if machine.forget_or_end(&task) {
                machine.assert_clean();
                return number;
            }
            // It ended while it forgot the task, which control does not name any more.
            machine.bury_agent();
            machine.start_agent();
            machine.control.accept(Vec::new());
            machine.assert_clean();
            continue;
        }
        machine.bury_agent();
        machine.start_agent();
        machine.control.accept(vec![wanted.clone()]);
        if wanted == task
            && let Some(next) = after_running(&task)
        {
            machine.control.until(TaskStatus::Running);
            std::thread::sleep(std::time::Duration::from_millis(100));
            machine.control.assign(&next);
        }
        let report = machine.control.until(TaskStatus::Stopped);
        assert_eq!(report.containers[0].exit_code, Some(code), "step {number}: {report:?}");
        machine.forget(&task);
        machine.assert_clean();
    }
    unreachable!("the loop ends with the first life that is not cut short")
}

#[test]
fn f05_agent_that_dies_at_any_step_of_a_start_leaves_the_task_whole() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let steps = at_every_step(&mut machine, "echo ran; exit 0", |_| None, 0);
    assert!(steps > 15, "only {steps} steps");
    machine.done();
}

#[test]
fn f06_agent_that_dies_at_any_step_of_a_stop_ends_it_all_the_same() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let life = "trap 'exit 3' TERM; while :; do sleep 0.02; done";
    let steps = at_every_step(&mut machine, life, |task| Some(stopped(task)), 3);
    assert!(steps > 20, "only {steps} steps");
    machine.done();
}

#[test]
fn f90_boot_that_took_everything_is_told_and_what_is_left_is_removed() {
    let mut machine = Machine::new();
    machine.control.accept(Vec::new());
    let task = script(70, "sleep 600");
    machine.control.assign(&task);
    machine.control.until(TaskStatus::Running);
    machine.kill_agent();
    // Another boot as far as the agent can know: the journal names one that is over. Its processes are still there, as
    // leftovers of a boot that was not clean would be.
    let journal = machine.config.state_dir.join("tasks").join(task.task.as_str()).join("journal.json");
    let text = std::fs::read_to_string(&journal).unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert!(text.contains(boot.trim()));
    std::fs::write(&journal, text.replace(boot.trim(), "00000000-0000-0000-0000-000000000000")).unwrap();
    machine.start_agent();
    machine.control.accept(vec![task.clone()]);
    let report = machine.control.until(TaskStatus::Stopped);
    assert_eq!(report.containers[0].exit_code, None);
    let (code, reason) = report.stop.unwrap();
    assert_eq!(code, wharf_model::task::StopCode::TerminationNotice);
    assert!(reason.starts_with("Host (node ") && reason.ends_with(") was restarted."), "{reason}");
    machine.forget(&task);
    machine.assert_clean();
    machine.done();
}

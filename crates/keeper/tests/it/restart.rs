//! Keeper dies, and another one takes over.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wharf_keeper::protocol::State;

use crate::machine::{Machine, wait_for};

#[test]
fn f04_containers_outlive_keeper_and_the_next_one_learns_code_and_output() {
    let mut machine = Machine::new();
    let script = "echo before; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo after; exit 3";
    let mut spec = machine.spec("survivor", &["sh", "-c", script]);
    let shared = machine.dir.join("shared");
    std::fs::create_dir(&shared).unwrap();
    spec.mounts = vec![wharf_sandbox::spec::BindMount {
        source: shared.clone(),
        destination: "/tmp".to_owned(),
        ..Default::default()
    }];
    let created = machine.run_spec("survivor", &spec).unwrap();
    while machine.output("survivor").0 != "before\n" {
        std::thread::sleep(Duration::from_millis(2));
    }
    machine.kill_keeper();
    assert!(std::path::Path::new(&format!("/proc/{}", created.pid)).exists());
    machine.start_keeper();
    let listed = machine.client().list().unwrap();
    assert_eq!((listed[0].state, listed[0].pid), (State::Running, created.pid));
    let exits = machine.exits();
    std::fs::write(shared.join("go"), "").unwrap();
    let exit = wait_for(exits, "survivor");
    assert_eq!((exit.code, exit.signal), (Some(3), None));
    assert_eq!(machine.output("survivor").0, "before\nafter\n");
    machine.client().delete("survivor").unwrap();
    machine.client().forget("survivor").unwrap();
    machine.done();
}

#[test]
fn f04_exit_while_keeper_is_away_is_unknown_and_never_invented() {
    let mut machine = Machine::new();
    let created = machine.run("gone", &["sleep", "100"]);
    machine.kill_keeper();
    kill(Pid::from_raw(created.pid), Signal::SIGKILL).unwrap();
    while std::path::Path::new(&format!("/proc/{}", created.pid)).exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    machine.start_keeper();
    let exit = wait_for(machine.exits(), "gone");
    assert_eq!((exit.code, exit.signal), (None, None));
    machine.client().delete("gone").unwrap();
    machine.client().forget("gone").unwrap();
    machine.done();
}

#[test]
fn exit_that_nobody_forgot_is_told_again_by_the_next_keeper() {
    let mut machine = Machine::new();
    let exits = machine.exits();
    machine.run("told", &["sh", "-c", "exit 5"]);
    let first = wait_for(exits, "told");
    machine.kill_keeper();
    machine.start_keeper();
    assert_eq!(wait_for(machine.exits(), "told"), first);
    machine.client().delete("told").unwrap();
    machine.client().forget("told").unwrap();
    machine.done();
}

#[test]
fn container_that_was_only_created_is_removed_by_the_next_keeper() {
    let mut machine = Machine::new();
    let created = machine.create("waiting", &machine.spec("waiting", &["true"])).unwrap();
    machine.kill_keeper();
    machine.start_keeper();
    assert_eq!(machine.client().list().unwrap(), []);
    while std::path::Path::new(&format!("/proc/{}", created.pid)).exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    machine.done();
}

#[test]
fn f05_keeper_killed_while_it_creates_leaves_nothing_or_all() {
    for delay_micros in (0..12_000).step_by(750) {
        let mut machine = Machine::new();
        let spec = machine.spec("half", &["sleep", "100"]);
        std::thread::scope(|scope| {
            let mut client = machine.client();
            let (machine, spec) = (&machine, &spec);
            let asked = scope.spawn(move || client.run("half", spec, machine.netns()));
            std::thread::sleep(Duration::from_micros(delay_micros));
            kill(machine.keeper, Signal::SIGKILL).unwrap();
            let _either = asked.join().unwrap();
        });
        nix::sys::wait::waitpid(machine.keeper, None).unwrap();
        machine.start_keeper();
        for container in machine.client().list().unwrap() {
            assert!(matches!(container.state, State::Running | State::Exited), "{container:?}");
            machine.client().delete("half").unwrap();
            machine.client().forget("half").unwrap();
        }
        machine.done();
    }
}

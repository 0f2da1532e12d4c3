//! What a container can be given: a terminal, an init, open input, the namespaces of another.

use std::time::{Duration, Instant};

use wharf_sandbox::spec::{First, Sharing};

use crate::machine::{Machine, wait_for};

#[test]
fn a_terminals_output_is_kept_to_its_end_and_also_that_of_another_user() {
    let machine = Machine::new();
    let mut spec = machine.spec(
        "tty",
        &["sh", "-c", "[ -t 0 ] && [ -t 1 ] && echo $TERM; echo anew >/dev/stdout; seq 1 20000; exit 4"],
    );
    spec.terminal = true;
    spec.user = "1000:1000".to_owned();
    let (exit, stdout, stderr) = machine.finish("tty", &spec);
    assert_eq!((exit.code, stderr.as_str()), (Some(4), ""));
    assert!(stdout.starts_with("xterm\r\nanew\r\n1\r\n"), "{}", &stdout[..stdout.len().min(200)]);
    assert!(stdout.ends_with("\r\n20000\r\n"));
    machine.done();
}

#[test]
fn f04_a_terminal_outlives_keeper() {
    let mut machine = Machine::new();
    let shared = machine.dir.join("shared");
    std::fs::create_dir(&shared).unwrap();
    let script = "echo before; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo after; exit 3";
    let mut spec = machine.spec("tty", &["sh", "-c", script]);
    spec.terminal = true;
    spec.mounts = vec![wharf_sandbox::spec::BindMount {
        source: shared.clone(),
        destination: "/tmp".to_owned(),
        ..Default::default()
    }];
    machine.run_spec("tty", &spec).unwrap();
    while machine.output("tty").0 != "before\r\n" {
        std::thread::sleep(Duration::from_millis(2));
    }
    machine.kill_keeper();
    machine.start_keeper();
    let exits = machine.exits();
    std::fs::write(shared.join("go"), "").unwrap();
    assert_eq!(wait_for(exits, "tty").code, Some(3));
    assert_eq!(machine.output("tty").0, "before\r\nafter\r\n");
    machine.client().delete("tty").unwrap();
    machine.client().forget("tty").unwrap();
    machine.done();
}

#[test]
fn an_init_runs_the_program_hands_on_signals_and_ends_as_it_ended() {
    let machine = Machine::new();
    let mut spec = machine.spec("init", &["sh", "-c", "cat /proc/1/comm; exit 5"]);
    spec.first = First::Init;
    let (exit, stdout, _) = machine.finish("init", &spec);
    assert_eq!((exit.code, stdout.as_str()), (Some(5), "init\n"));

    spec.args = ["sh", "-c", "trap 'echo heard; exit 6' TERM; echo ready; while :; do sleep 0.05; done"]
        .map(str::to_owned)
        .to_vec();
    let exits = machine.exits();
    machine.run_spec("asked", &spec_in(&machine, "asked", &spec)).unwrap();
    while machine.output("asked").0 != "ready\n" {
        std::thread::sleep(Duration::from_millis(2));
    }
    machine.client().kill("asked", 15).unwrap();
    assert_eq!(wait_for(exits, "asked").code, Some(6));
    assert_eq!(machine.output("asked").0, "ready\nheard\n");
    machine.client().delete("asked").unwrap();
    machine.client().forget("asked").unwrap();
    machine.done();
}

#[test]
fn input_is_at_its_end_unless_it_is_to_stay_open() {
    let machine = Machine::new();
    let (exit, ..) = machine.script("closed", "cat");
    assert_eq!(exit.code, Some(0));
    // In the background the shell gives a command /dev/null, so it is handed its input by another number.
    let script = "exec 3<&0; cat <&3 & sleep 0.3; kill -0 $! && exit 8";
    let mut spec = machine.spec("open", &["sh", "-c", script]);
    spec.interactive = true;
    let (exit, ..) = machine.finish("open", &spec);
    assert_eq!(exit.code, Some(8));
    machine.done();
}

#[test]
fn containers_share_the_namespaces_of_one_that_holds_them() {
    let machine = Machine::new();
    let mut holder = machine.spec("holder", &[]);
    holder.first = First::Holder;
    machine.run_spec("holder", &holder).unwrap();
    let shares = |id: &str, script: &str| {
        let mut spec = machine.spec(id, &["sh", "-c", script]);
        spec.pid = Sharing::With("holder".to_owned());
        spec.ipc = Sharing::With("holder".to_owned());
        spec
    };
    // What it leaves running ends with it, although the first process of the namespace goes on.
    let began = Instant::now();
    let first = shares("first", "cat /proc/1/comm; echo said >/dev/shm/word; sleep 100 & exit 3");
    let (exit, stdout, _) = machine.finish("first", &first);
    assert_eq!((exit.code, stdout.as_str()), (Some(3), "init\n"));
    assert!(began.elapsed() < Duration::from_secs(5));
    let (_, stdout, _) =
        machine.finish("second", &shares("second", "cat /dev/shm/word; ls /proc | grep -c '^[0-9]'"));
    assert!(stdout.starts_with("said\n"), "{stdout}");
    let exits = machine.exits();
    machine.client().kill("holder", 15).unwrap();
    assert_eq!(wait_for(exits, "holder").code, Some(0));
    machine.client().delete("holder").unwrap();
    machine.client().forget("holder").unwrap();
    let refused = machine.run_spec("late", &shares("late", "true")).unwrap_err();
    assert!(
        refused.to_string().contains("holder, whose namespace is to be joined, does not run"),
        "{refused}"
    );
    machine.done();
}

#[test]
fn f44_a_child_that_is_killed_for_memory_takes_its_container_along() {
    let machine = Machine::new();
    let mut spec = machine.spec("hog", &["sh", "-c", "tail /dev/zero; echo survived; sleep 100"]);
    spec.limits.memory_bytes = 16 << 20;
    let (exit, stdout, _) = machine.finish("hog", &spec);
    assert_eq!((exit.code, exit.out_of_memory), (Some(137), true));
    assert_eq!(
        stdout,
        "survived\n".repeat(stdout.lines().count()),
        "at most what it said before it was reached"
    );
    machine.done();
}

#[test]
fn programs_gain_privileges_only_where_that_was_asked_for() {
    let machine = Machine::new();
    let script = "grep -E '^(NoNewPrivs|Seccomp|CapEff|CapBnd):' /proc/self/status";
    let (_, stdout, _) = machine.script("plain", script);
    let bounds = "00000000a00425fb";
    assert_eq!(stdout, format!("CapEff:\t{bounds}\nCapBnd:\t{bounds}\nNoNewPrivs:\t1\nSeccomp:\t2\n"));
    let mut spec = machine.spec("gains", &["sh", "-c", script]);
    spec.gains_privileges = true;
    let (_, stdout, _) = machine.finish("gains", &spec);
    assert_eq!(stdout, format!("CapEff:\t{bounds}\nCapBnd:\t{bounds}\nNoNewPrivs:\t0\nSeccomp:\t2\n"));
    spec.user = "1000:1000".to_owned();
    let (_, stdout, _) = machine.finish("user", &spec_in(&machine, "user", &spec));
    let none = "0000000000000000";
    assert_eq!(stdout, format!("CapEff:\t{none}\nCapBnd:\t{bounds}\nNoNewPrivs:\t0\nSeccomp:\t2\n"));
    machine.done();
}

/// Returns the same container with a directory of its own.
fn spec_in(
    machine: &Machine,
    id: &str,
    spec: &wharf_sandbox::spec::ContainerSpec,
) -> wharf_sandbox::spec::ContainerSpec {
    wharf_sandbox::spec::ContainerSpec { dir: machine.spec(id, &[]).dir, ..spec.clone() }
}

//! From Run to Forget.

use std::time::Instant;

use wharf_keeper::ClientError;
use wharf_keeper::protocol::{Refusal, State};

use crate::machine::{Machine, wait_for};

#[test]
fn container_runs_and_its_exit_code_and_both_streams_are_known() {
    let machine = Machine::new();
    let (exit, stdout, stderr) = machine.script("one", "echo out; echo err >&2; exit 7");
    assert_eq!((exit.code, exit.signal, exit.out_of_memory), (Some(7), None, false));
    assert_eq!((stdout.as_str(), stderr.as_str()), ("out\n", "err\n"));
    machine.done();
}

#[test]
fn container_sees_its_own_files_user_and_processes() {
    let machine = Machine::new();
    let mut spec = machine.spec(
        "seen",
        &["sh", "-c", "cat /etc/hosts /etc/hostname /etc/resolv.conf; hostname; id -u; id -G; echo $PATH; echo $$; echo hi >/dev/stdout; grep -c . /proc/self/mountinfo >/dev/stderr"],
    );
    spec.user = "app".to_owned();
    let (exit, stdout, stderr) = machine.finish("seen", &spec);
    assert_eq!(exit.code, Some(0), "{stdout} {stderr}");
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let expected =
        format!("127.0.0.1 localhost\nbox\nnameserver 169.254.170.2\nbox\n1000\n1001 1002\n{path}\n1\nhi\n");
    assert_eq!(stdout, expected);
    machine.done();
}

#[test]
fn signal_ends_a_container_with_128_and_its_number() {
    let machine = Machine::new();
    let exits = machine.exits();
    machine.run("sleeper", &["sleep", "100"]);
    machine.client().kill("sleeper", 9).unwrap();
    let exit = wait_for(exits, "sleeper");
    assert_eq!((exit.code, exit.signal), (Some(137), Some(9)));
    machine.client().delete("sleeper").unwrap();
    machine.client().forget("sleeper").unwrap();
    machine.done();
}

#[test]
fn delete_of_a_running_container_kills_it() {
    let machine = Machine::new();
    machine.run("busy", &["sh", "-c", "trap '' TERM; sleep 100 & sleep 100; wait"]);
    machine.client().delete("busy").unwrap();
    let listed = machine.client().list().unwrap();
    assert_eq!(listed[0].state, State::Deleted);
    assert_eq!(listed[0].exit.as_ref().unwrap().code, Some(137));
    machine.client().forget("busy").unwrap();
    machine.done();
}

#[test]
fn created_container_waits_for_start() {
    let machine = Machine::new();
    let exits = machine.exits();
    machine.create("patient", &machine.spec("patient", &["echo", "begun"])).unwrap();
    assert_eq!(machine.client().list().unwrap()[0].state, State::Created);
    assert_eq!(machine.output("patient").0, "");
    machine.client().start("patient").unwrap();
    assert_eq!(wait_for(exits, "patient").code, Some(0));
    assert_eq!(machine.output("patient").0, "begun\n");
    machine.client().delete("patient").unwrap();
    machine.client().forget("patient").unwrap();
    machine.done();
}

#[test]
fn program_that_is_not_in_the_image_is_refused_with_its_name() {
    let machine = Machine::new();
    let refused = machine.run_spec("none", &machine.spec("none", &["no-such-program"]));
    match refused {
        Err(ClientError::Refused(Refusal::CannotCreate { reason, .. })) => {
            assert!(reason.contains("\"no-such-program\": executable file not found in $PATH"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    machine.done();
}

#[test]
fn f33_f34_image_whose_dev_or_proc_leads_elsewhere_is_refused() {
    for name in ["dev", "proc", "sys"] {
        let machine = Machine::new();
        let canary = machine.dir.join("canary");
        std::fs::create_dir(&canary).unwrap();
        let layer = machine.dir.join("layer");
        std::fs::remove_dir(layer.join(name)).unwrap();
        std::os::unix::fs::symlink(&canary, layer.join(name)).unwrap();
        let refused = machine.run_spec("trick", &machine.spec("trick", &["true"])).unwrap_err();
        assert!(
            refused.to_string().contains(&format!("/{name} in the image is not a directory")),
            "{refused}"
        );
        assert_eq!(std::fs::read_dir(&canary).unwrap().count(), 0);
        machine.done();
    }
}

#[test]
fn f44_memory_hog_is_reported_as_out_of_memory() {
    let machine = Machine::new();
    let mut spec = machine.spec("hog", &["tail", "/dev/zero"]);
    spec.limits.memory_bytes = 16 << 20;
    let (exit, _, _) = machine.finish("hog", &spec);
    assert_eq!((exit.code, exit.out_of_memory), (Some(137), true));
    machine.done();
}

#[test]
fn f39_f41_container_cannot_leave_its_box() {
    let machine = Machine::new();
    let (_, stdout, _) = machine.script(
        "probe",
        "unshare -U true 2>/dev/null && echo userns; mount -t tmpfs x /tmp 2>/dev/null && echo mount; \
         echo 1 2>/dev/null >/proc/sys/kernel/panic && echo sysctl; grep -E 'Seccomp:|NoNewPrivs' /proc/self/status",
    );
    assert_eq!(stdout, "NoNewPrivs:\t1\nSeccomp:\t2\n");
    machine.done();
}

#[test]
fn large_output_is_complete_when_the_exit_is_told() {
    let machine = Machine::new();
    let (exit, stdout, _) = machine.script("chatty", "seq 1 300000");
    assert_eq!(exit.code, Some(0));
    assert_eq!(stdout.lines().count(), 300_000);
    assert!(stdout.ends_with("\n300000\n"));
    machine.done();
}

#[test]
fn many_containers_at_once_all_end_with_their_own_code() {
    let machine = Machine::new();
    let exits = machine.exits();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let machine = &machine;
            scope.spawn(move || {
                for turn in 0..8 {
                    let code = worker * 8 + turn;
                    machine.run(&format!("many-{code}"), &["sh", "-c", &format!("exit {code}")]);
                }
            });
        }
    });
    let mut codes: Vec<_> = exits.map(Result::unwrap).take(32).map(|exit| (exit.id, exit.code)).collect();
    codes.sort();
    let mut expected: Vec<_> = (0..32).map(|code| (format!("many-{code}"), Some(code))).collect();
    expected.sort();
    assert_eq!(codes, expected);
    for (id, _) in codes {
        machine.client().delete(&id).unwrap();
        machine.client().forget(&id).unwrap();
    }
    machine.done();
}

#[test]
fn time_from_request_to_first_instruction_is_measured() {
    let machine = Machine::new();
    let (mut begun, mut whole) = (Vec::new(), Vec::new());
    for turn in 0..30 {
        let id = format!("quick-{turn}");
        let exits = machine.exits();
        let spec = machine.spec(&id, &["echo", "x"]);
        let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        let clock = Instant::now();
        machine.run_spec(&id, &spec).unwrap();
        wait_for(exits, &id);
        let dir = machine.dir.join("containers").join(&id);
        let chunk = wharf_keeper::output::Follower::open(&dir, 0).unwrap().read().unwrap().unwrap();
        begun.push((i128::from(chunk.at_nanos) - i128::try_from(at).unwrap()) / 1_000);
        machine.client().delete(&id).unwrap();
        machine.client().forget(&id).unwrap();
        whole.push(clock.elapsed().as_micros());
    }
    begun.sort_unstable();
    whole.sort_unstable();
    println!("request to first write: median {} µs, best {} µs", begun[15], begun[0]);
    println!("request to deleted: median {} µs, best {} µs", whole[15], whole[0]);
    machine.done();
}

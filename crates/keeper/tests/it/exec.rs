//! Further processes in a container.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use wharf_keeper::{
    ClientError,
    protocol::{Ended, Refusal},
};
use wharf_model::secret::Plain;
use wharf_sandbox::{
    exec::{ExecSpec, TerminalSize, resize},
    spec::{ContainerSpec, First, Sharing},
};

use crate::machine::{Machine, wait_for};

fn spec(args: &[&str]) -> ExecSpec {
    ExecSpec { args: args.iter().map(|word| (*word).to_owned()).collect(), ..ExecSpec::default() }
}

/// Runs a further process to its end and returns it and what it wrote to both streams.
fn exec(machine: &Machine, id: &str, spec: &ExecSpec) -> (Ended, String, String) {
    let (mut output, stdout) = std::io::pipe().unwrap();
    let (mut error, stderr) = std::io::pipe().unwrap();
    let stdin: OwnedFd = std::fs::File::open("/dev/null").unwrap().into();
    let streams = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
    let executing = machine.client().exec(id, spec, &streams).unwrap();
    drop((stdout, stderr));
    let (mut said, mut complained) = (String::new(), String::new());
    output.read_to_string(&mut said).unwrap();
    error.read_to_string(&mut complained).unwrap();
    (executing.wait().unwrap(), said, complained)
}

fn sleeper(machine: &Machine, id: &str) {
    machine.run(id, &["sh", "-c", "echo 'of the container' > /tmp/mark; exec sleep 100"]);
    let deadline = Instant::now() + Duration::from_secs(5);
    let there = || exec(machine, id, &spec(&["cat", "/tmp/mark"])).1 == "of the container\n";
    while !there() {
        assert!(Instant::now() < deadline, "the container's file is not there");
    }
}

fn end(machine: Machine, id: &str) {
    machine.client().delete(id).unwrap();
    machine.client().forget(id).unwrap();
    machine.done();
}

#[test]
fn further_process_sees_what_the_container_sees_and_is_confined_as_it_is() {
    let machine = Machine::new();
    sleeper(&machine, "box");
    let look = "id -u; hostname; echo $PATH $A; cat /proc/1/comm; \
                grep -E '^(Seccomp|NoNewPrivs|CapBnd|CapEff|CapPrm|CapInh|CapAmb):' /proc/self/status; \
                cut -d: -f3 /proc/self/cgroup | sort -u; ls -l /proc/self/fd | wc -l; cat /proc/self/oom_score_adj; \
                unshare -U true 2>/dev/null && echo userns; exit 6";
    let (ended, said, complained) =
        exec(&machine, "box", &ExecSpec { env: vec!["A=b".to_owned()], ..spec(&["sh", "-c", look]) });
    assert_eq!(ended, Ended { code: 6, signal: None }, "{complained}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines[..4],
        ["0", "box", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin b", "sleep"]
    );
    let (_, own, _) =
        exec(&machine, "box", &spec(&["grep", "-E", "^(Seccomp|NoNewPrivs|Cap...):", "/proc/1/status"]));
    for line in own.lines() {
        assert!(lines.contains(&line), "{line} of the container's own process is not in {said}");
    }
    assert!(lines.contains(&"Seccomp:\t2") && lines.contains(&"NoNewPrivs:\t1"), "{said}");
    assert!(!said.contains("userns"), "{said}");
    assert!(
        lines
            .iter()
            .filter(|line| line.starts_with('/'))
            .all(|line| *line == "/" || line.contains("PATH") || line.contains("bin")),
        "{said}"
    );
    end(machine, "box");
}

#[test]
fn further_process_runs_as_the_containers_user_or_as_its_root() {
    let machine = Machine::new();
    let app = ContainerSpec { user: "app".to_owned(), ..machine.spec("app", &["sleep", "100"]) };
    machine.run_spec("app", &app).unwrap();
    let look = ["sh", "-c", "id -u; id -g; id -G; grep CapEff /proc/self/status; echo $HOME"];
    let (_, said, _) = exec(&machine, "app", &spec(&look));
    let none = "CapEff:\t0000000000000000";
    assert_eq!(said, format!("1000\n1001\n1001 1002\n{none}\n/home/app\n"));
    let (_, said, _) = exec(&machine, "app", &ExecSpec { as_root: true, ..spec(&look) });
    assert_eq!(said, "0\n0\n0\nCapEff:\t00000000a00425fb\n/root\n");
    end(machine, "app");
}

#[test]
fn further_process_is_confined_as_the_container_is_however_that_is() {
    let mut machine = Machine::new();
    let holder = ContainerSpec { first: First::Holder, ..machine.spec("holder", &[]) };
    machine.run_spec("holder", &holder).unwrap();
    let look = "grep -E '^(Uid|Groups|Seccomp|NoNewPrivs|Cap...):' /proc/self/status; \
                for kind in cgroup ipc mnt net pid uts; do readlink /proc/self/ns/$kind; done; \
                echo $TOKEN; dd if=/proc/timer_list bs=1 count=1 2>/dev/null | wc -c; echo x 2>/dev/null > /proc/sys/kernel/hostname || echo kept";
    let script = format!("{look}; echo done; sleep 100");
    let shell = ["sh", "-c", script.as_str()];
    let all = || ContainerSpec {
        secret_env: vec![("TOKEN".to_owned(), Plain::new("hidden"))],
        ..ContainerSpec::default()
    };
    let kinds = [
        ("plain", all()),
        ("gains", ContainerSpec { gains_privileges: true, ..all() }),
        ("user", ContainerSpec { gains_privileges: true, user: "1000:1001".to_owned(), ..all() }),
        ("powerful", ContainerSpec { privileged: true, ..all() }),
        ("init", ContainerSpec { first: First::Init, ..all() }),
        ("terminal", ContainerSpec { terminal: true, ..all() }),
        ("host", ContainerSpec { pid: Sharing::Host, ipc: Sharing::Host, ..all() }),
        (
            "shares",
            ContainerSpec {
                pid: Sharing::With("holder".to_owned()),
                ipc: Sharing::With("holder".to_owned()),
                ..all()
            },
        ),
    ];
    for (id, kind) in &kinds {
        let plain = machine.spec(id, &shell);
        let spec = ContainerSpec {
            secret_env: kind.secret_env.clone(),
            gains_privileges: kind.gains_privileges,
            privileged: kind.privileged,
            first: kind.first,
            terminal: kind.terminal,
            user: kind.user.clone(),
            pid: kind.pid.clone(),
            ipc: kind.ipc.clone(),
            ..plain
        };
        machine.run_spec(id, &spec).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        while !machine.output(id).0.contains("done") {
            assert!(Instant::now() < deadline, "{id} does not look at itself");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let compare = |machine: &Machine| {
        for (id, _) in &kinds {
            let own = machine.output(id).0.replace("\r\n", "\n");
            let own = own.strip_suffix("done\n").unwrap();
            let (_, said, complained) = exec(machine, id, &spec(&["sh", "-c", look]));
            assert!(own.contains("\nhidden\n"), "{id}: {own}");
            assert_eq!(said, own, "{id}: {complained}");
        }
    };
    compare(&machine);
    // A later keeper never knew the secrets.
    machine.kill_keeper();
    machine.start_keeper();
    compare(&machine);
    for id in kinds.iter().map(|(id, _)| *id).chain(["holder"]) {
        machine.client().delete(id).unwrap();
        machine.client().forget(id).unwrap();
    }
    machine.done();
}

#[test]
fn container_runs_again_with_the_files_that_its_last_run_left() {
    let machine = Machine::new();
    let storage = machine.dir.join("storage");
    std::fs::create_dir(&storage).unwrap();
    for (id, storage) in [("dir", None), ("disk", Some(storage))] {
        let spec = ContainerSpec {
            storage,
            ..machine.spec(id, &["sh", "-c", "echo run >> /tmp/runs; cat /tmp/runs"])
        };
        for run in 1..=3 {
            let exits = machine.exits();
            machine.run_spec(id, &spec).unwrap();
            assert_eq!(wait_for(exits, id).code, Some(0));
            assert_eq!(machine.output(id).0.lines().count(), run * (run + 1) / 2, "{id}");
            if run < 3 {
                machine.client().delete_but_files(id).unwrap();
                machine.client().forget(id).unwrap();
            }
        }
        machine.client().delete(id).unwrap();
        machine.client().forget(id).unwrap();
    }
    machine.done();
}

#[test]
fn program_that_is_not_there_says_so_and_ends_with_127() {
    let machine = Machine::new();
    sleeper(&machine, "box");
    let (ended, _, complained) = exec(&machine, "box", &spec(&["no-such-program"]));
    assert_eq!(ended.code, 127);
    assert!(
        complained.contains("exec: \"no-such-program\": executable file not found in $PATH"),
        "{complained}"
    );
    end(machine, "box");
}

#[test]
fn terminal_is_the_containers_own_and_can_be_resized() {
    let machine = Machine::new();
    sleeper(&machine, "box");
    let size = Some(TerminalSize { columns: 80, rows: 24 });
    let script = "tty; stty size; read line; echo got $line; stty size; exit 4";
    let shell = ExecSpec { terminal: size, ..spec(&["sh", "-c", script]) };
    let (executing, terminal) = machine.client().exec_in_terminal("box", &shell).unwrap();
    let mut terminal = std::fs::File::from(terminal);
    let mut screen = String::new();
    read_until(&mut terminal, &mut screen, "24 80");
    assert!(screen.contains("/dev/pts/0"), "{screen}");
    resize(terminal.as_fd(), TerminalSize { columns: 132, rows: 43 }).unwrap();
    terminal.write_all(b"hello\n").unwrap();
    read_until(&mut terminal, &mut screen, "43 132");
    assert!(screen.contains("got hello"), "{screen}");
    assert_eq!(executing.wait().unwrap().code, 4);
    end(machine, "box");
}

#[test]
fn interrupt_typed_at_the_terminal_ends_the_program_in_it() {
    let machine = Machine::new();
    sleeper(&machine, "box");
    let size = Some(TerminalSize { columns: 80, rows: 24 });
    let shell = ExecSpec { terminal: size, ..spec(&["sh", "-c", "echo ready; sleep 100; echo never"]) };
    let (executing, terminal) = machine.client().exec_in_terminal("box", &shell).unwrap();
    let mut terminal = std::fs::File::from(terminal);
    let mut screen = String::new();
    read_until(&mut terminal, &mut screen, "ready");
    terminal.write_all(&[3]).unwrap();
    assert_eq!(executing.wait().unwrap().code, 130);
    end(machine, "box");
}

#[test]
fn further_process_ends_with_its_container_and_with_whoever_asked_for_it() {
    let machine = Machine::new();
    sleeper(&machine, "box");
    let null: OwnedFd = std::fs::File::options().read(true).write(true).open("/dev/null").unwrap().into();
    let begin = || machine.client().exec("box", &spec(&["sleep", "100"]), &[null.as_fd(); 3]).unwrap();
    let alive = |pid: i32| std::path::Path::new(&format!("/proc/{pid}")).exists();
    let asked = begin();
    let pid = asked.pid;
    assert!(alive(pid));
    drop(asked);
    let deadline = Instant::now() + Duration::from_secs(5);
    while alive(pid) {
        assert!(Instant::now() < deadline, "it outlives its connection");
        std::thread::sleep(Duration::from_millis(2));
    }
    let asked = begin();
    let exits = machine.exits();
    machine.client().kill("box", 9).unwrap();
    wait_for(exits, "box");
    assert_eq!(asked.wait().unwrap().signal, Some(9));
    let refused = machine.client().exec("box", &spec(&["true"]), &[null.as_fd(); 3]).unwrap_err();
    assert!(matches!(refused, ClientError::Refused(Refusal::WrongState { .. })), "{refused}");
    end(machine, "box");
}

#[test]
fn further_process_ends_with_keeper() {
    let mut machine = Machine::new();
    sleeper(&machine, "box");
    let null: OwnedFd = std::fs::File::options().read(true).write(true).open("/dev/null").unwrap().into();
    let asked = machine.client().exec("box", &spec(&["sleep", "100"]), &[null.as_fd(); 3]).unwrap();
    // What becomes the program sets this right before.
    std::thread::sleep(Duration::from_millis(100));
    machine.kill_keeper();
    let deadline = Instant::now() + Duration::from_secs(5);
    let path = format!("/proc/{}/stat", asked.pid);
    while std::fs::read_to_string(&path).is_ok_and(|stat| !stat.contains(") Z")) {
        assert!(Instant::now() < deadline, "it outlives keeper");
        std::thread::sleep(Duration::from_millis(2));
    }
    machine.start_keeper();
    end(machine, "box");
}

#[test]
fn f36_container_that_tries_to_open_keepers_program_while_it_is_entered_never_can() {
    let machine = Machine::new();
    // Whoever runs `/proc/self/exe` in the container, or finds another's in /proc, tries to write to it.
    let attack = "cp /bin/busybox /tmp/real; while :; do for exe in /proc/[0-9]*/exe; do \
                  (printf x >> $exe) 2>/dev/null && case $(readlink $exe) in /tmp/*|/bin/busybox) ;; \
                  *) echo wrote $(readlink $exe) ;; esac; done; done";
    machine.run("evil", &["sh", "-c", attack]);
    let before = digest();
    for _ in 0..200 {
        exec(&machine, "evil", &spec(&["/proc/self/exe", "true"]));
    }
    let (said, _) = machine.output("evil");
    assert!(!said.contains("wrote"), "{said}");
    assert_eq!(digest(), before);
    end(machine, "evil");
}

/// What the program that keeper runs from holds; keeper is a fork of this test.
fn digest() -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    std::fs::read("/proc/self/exe").unwrap().hash(&mut hasher);
    hasher.finish()
}

fn read_until(terminal: &mut std::fs::File, screen: &mut String, end: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut buffer = [0; 1024];
    while !screen.contains(end) {
        assert!(Instant::now() < deadline, "no {end:?} in {screen:?}");
        match terminal.read(&mut buffer) {
            Ok(length) => screen.push_str(&String::from_utf8_lossy(&buffer[..length])),
            Err(_not_yet) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

use crate::journal::{Entry, Journal, replay};
use crate::mounts::needless;
use crate::process::{PidFd, decode_wait_status, parse_stat, stat};
use crate::protocol::{Exit, Request};
use crate::sealed::loaded_length;

fn exit(id: &str) -> Exit {
    Exit { id: id.to_owned(), code: Some(3), signal: None, at_nanos: 9, out_of_memory: false }
}

fn life(id: &str) -> Vec<Entry> {
    let id = id.to_owned();
    vec![
        Entry::Creating { id: id.clone(), dir: "/d".into(), cgroup: "/c".to_owned(), at_nanos: 1 },
        Entry::Created { id: id.clone(), pid: 7, start_ticks: 70 },
        Entry::Started { id: id.clone(), at_nanos: 2 },
        Entry::Exited { exit: exit(&id) },
        Entry::Deleted { id: id.clone() },
        Entry::Forgotten { id },
    ]
}

#[test]
fn journal_says_after_every_step_what_was_and_a_torn_line_is_skipped() {
    let temp = tempfile::tempdir().unwrap();
    let path = camino::Utf8Path::from_path(temp.path()).unwrap().join("journal");
    let (mut journal, past) = Journal::open(&path, "boot").unwrap();
    assert!(past.is_empty());
    for (step, entry) in life("a").iter().enumerate() {
        journal.append(entry).unwrap();
        journal.flush().unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"step\":\"forgott");
        let past = replay(&text, "boot");
        assert_eq!(past.len(), usize::from(step < 5));
        if let Some(past) = past.get("a") {
            assert_eq!(past.process.is_some(), step >= 1);
            assert_eq!(past.started_nanos.is_some(), step >= 2);
            assert_eq!(past.exit.is_some(), step >= 3);
            assert_eq!(past.deleted, step >= 4);
            // Rewriting loses nothing.
            std::fs::write(&path, &text).unwrap();
            let (reopened, same) = Journal::open(&path, "boot").unwrap();
            journal = reopened;
            assert_eq!(&same["a"], past);
        }
    }
}

#[test]
fn pids_of_another_boot_mean_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let path = camino::Utf8Path::from_path(temp.path()).unwrap().join("journal");
    let (mut journal, _) = Journal::open(&path, "before").unwrap();
    for entry in &life("a")[..3] {
        journal.append(entry).unwrap();
    }
    let (_, past) = Journal::open(&path, "after").unwrap();
    assert_eq!((past["a"].process, past["a"].started_nanos), (None, Some(2)));
}

#[test]
fn stat_is_read_past_any_name() {
    let tail =
        "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 12345 ".to_owned() + &"0 ".repeat(29) + "1792 0 0";
    let parsed = parse_stat(&format!("42 (a) b ( c)) {tail}")).unwrap();
    assert_eq!((parsed.zombie, parsed.start_ticks, parsed.wait_status), (false, 12_345, 1_792));
    assert_eq!(parse_stat("nonsense"), None);
}

#[test]
fn wait_status_is_a_code_or_a_signal() {
    assert_eq!(decode_wait_status(7 << 8), (7, None));
    assert_eq!(decode_wait_status(9), (137, Some(9)));
    // With a core dump.
    assert_eq!(decode_wait_status(11 | 0x80), (139, Some(11)));
}

#[test]
fn pidfd_tells_the_code_of_a_process_that_somebody_else_reaped() {
    let mut child = std::process::Command::new("sh")
        .args(["-c", "read x; exit 6"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    let handle = PidFd::open(pid).unwrap();
    assert_eq!(handle.wait_status(), None);
    assert!(stat(pid).is_some_and(|stat| !stat.zombie));
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_eq!(handle.wait_status(), Some(6 << 8));
    assert!(handle.signal(9).is_err());
}

#[test]
fn mounts_of_others_are_dropped_innermost_first_and_disks_are_kept() {
    let text = "\
1 0 8:1 / / rw - ext4 /dev/vda rw
2 1 0:4 net:[1] /run/netns/a\\040b rw - nsfs nsfs rw
3 1 0:5 / /data rw - ext4 /dev/vdb rw
4 1 0:6 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
5 4 0:7 / /sys/kernel/debug rw - debugfs debugfs rw
";
    assert_eq!(needless(text), ["/sys/kernel/debug", "/var/lib/docker/overlay2/x/merged", "/run/netns/a b"]);
}

#[test]
fn only_the_hierarchies_that_containers_get_are_kept() {
    let line = |at: &str, kind: &str, options: &str| format!("9 1 0:3 / {at} rw - {kind} cgroup {options}\n");
    let old: String = [
        line("/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"),
        line("/sys/fs/cgroup/memory", "cgroup", "rw,memory"),
        line("/sys/fs/cgroup/freezer", "cgroup", "rw,freezer"),
        line("/sys/fs/cgroup/systemd", "cgroup", "rw,name=systemd"),
        line("/sys/fs/cgroup/unified", "cgroup2", "rw"),
    ]
    .concat();
    let dropped = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/freezer"];
    assert_eq!(needless(&old), dropped);
    assert!(needless(&line("/sys/fs/cgroup", "cgroup2", "rw,nsdelegate")).is_empty());
}

#[test]
fn a_program_still_runs_without_what_only_debuggers_read() {
    use std::os::unix::fs::PermissionsExt;
    let whole = std::fs::read("/bin/true").unwrap();
    let length = loaded_length(&std::fs::File::open("/bin/true").unwrap()).unwrap();
    let length = usize::try_from(length).unwrap();
    assert!(length < whole.len());
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("true");
    std::fs::write(&path, &whole[..length]).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert!(std::process::Command::new(&path).status().unwrap().success());
    assert_eq!(loaded_length(&std::fs::File::open("/etc/passwd").unwrap()), None);
}

#[test]
fn requests_are_plain_json() {
    let request: Request = serde_json::from_str(r#"{"ask":"kill","id":"a","signal":15}"#).unwrap();
    assert!(matches!(request, Request::Kill { id, signal: 15 } if id == "a"));
}

use std::time::Duration;

use super::{Cgroup, Hierarchy, TaskLimits, cpu_weight, quota_micros};

const HYBRID: &str = "\
31 24 0:26 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755
32 31 0:27 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw
33 31 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
34 31 0:29 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
35 31 0:30 / /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids
36 31 0:31 / /sys/fs/cgroup/systemd rw,nosuid - cgroup cgroup rw,xattr,name=systemd
";

#[test]
fn hybrid_machine_uses_the_v1_controllers() {
    let Some(Hierarchy::V1 { mounts }) = Hierarchy::parse(HYBRID) else { panic!("not v1") };
    let names: Vec<_> = mounts.keys().map(String::as_str).collect();
    assert_eq!(names, ["cpu", "cpuacct", "memory", "name=systemd", "pids"]);
    assert_eq!(mounts["cpuacct"], "/sys/fs/cgroup/cpu,cpuacct");
}

#[test]
fn pure_v2_machine_uses_the_unified_tree() {
    let line = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
    assert_eq!(Hierarchy::parse(line), Some(Hierarchy::V2 { mount: "/sys/fs/cgroup".into() }));
    assert_eq!(Hierarchy::parse(""), None);
}

#[test]
fn cpu_units_become_quota_and_weight() {
    assert_eq!((quota_micros(1024), quota_micros(256), quota_micros(4)), (100_000, 25_000, 1_000));
    assert_eq!((cpu_weight(2), cpu_weight(1024), cpu_weight(262_144)), (1, 39, 10_000));
}

#[test]
fn group_takes_limits_counts_kills_and_goes() {
    let hierarchy = Hierarchy::detect().unwrap();
    let group = Cgroup::new(&hierarchy, &format!("/wharf-unit-{}", std::process::id()));
    let limits =
        TaskLimits { cpu_units: Some(512), memory_bytes: Some(64 << 20), pids: 100, ..TaskLimits::default() };
    group.create(&limits).unwrap();
    // Lower and higher than before: memory and swap limits must be written in the order that fits.
    for bytes in [32 << 20, 128 << 20] {
        group.create(&TaskLimits { memory_bytes: Some(bytes), ..limits }).unwrap();
    }
    let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
    for dir in group.dirs() {
        if dir.exists() {
            std::fs::write(dir.join("cgroup.procs"), child.id().to_string()).unwrap();
        }
    }
    assert_eq!(group.stats().unwrap().pids, 1);
    assert_eq!(group.pids(), [i32::try_from(child.id()).unwrap()]);
    let reaper = std::thread::spawn(move || child.wait().unwrap());
    group.kill_all(Duration::from_secs(5)).unwrap();
    reaper.join().unwrap();
    assert_eq!(group.oom_kills(), 0);
    group.remove().unwrap();
    group.remove().unwrap();
    assert!(!group.exists());
}

//! What the kernel holds that a Wharf could have made: equal before and after, or something was left behind.

use crate::places::run;
use std::{collections::BTreeSet, fmt, process::Command};

/// What `scripts/lib/container` begins its containers' names with: what is in one of them is another run's.
const CONTAINERS: &str = "tests-of-wharf-";

/// Mounts, network namespaces, links, routes, nftables tables, cgroups and Wharf's processes.
#[derive(Clone, PartialEq, Eq)]
pub struct Census(BTreeSet<String>);

impl Census {
    /// Counts.
    pub fn take() -> Census {
        let mut held = BTreeSet::new();
        let mut add = |kind: &str, text: &str, keep: &dyn Fn(&str) -> Option<String>| {
            held.extend(text.lines().filter_map(keep).map(|line| format!("{kind}: {line}")));
        };
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        add("mount", &read("/proc/self/mountinfo"), &|line| {
            // `ip netns add` leaves /run/netns mounted for the next one.
            let at = line.split(' ').nth(4);
            at.filter(|at| !at.starts_with("/proc/") && *at != "/run/netns").map(str::to_owned)
        });
        add("link", &run(Command::new("ip").args(["-o", "link"])), &|line| {
            line.split(' ').nth(1).and_then(|name| name.split('@').next()).map(str::to_owned)
        });
        add("route", &run(Command::new("ip").args(["route", "show", "table", "all"])), &|line| {
            Some(line.to_owned())
        });
        add("nft", &run(Command::new("nft").args(["list", "tables"])), &|line| Some(line.to_owned()));
        add("forwarding", &read("/proc/sys/net/ipv4/ip_forward"), &|line| Some(line.to_owned()));
        let mut find = Command::new("find");
        // Others come and go while it looks.
        find.args(["/sys/fs/cgroup", "-ignore_readdir_race", "-regextype", "posix-extended"]);
        find.args(["-name", &format!("{CONTAINERS}*"), "-prune", "-o", "-type", "d"]);
        // At the top of a hierarchy, which is at the top or one below; a container's is deeper.
        let groups = run(find.args(["-regex", "/sys/fs/cgroup/([^/]+/)?wharf.*", "-print"]));
        add("cgroup", &groups, &|line| Some(line.to_owned()));
        let hosts = read("/etc/hosts");
        add("hosts", &hosts, &|line| Some(line.to_owned()));
        let commands = std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let command = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            // What has ended and is not yet reaped holds nothing.
            let runs = !status.contains("State:\tZ");
            let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
            let ours = command.trim() == "wharf" && !groups.contains(CONTAINERS);
            (runs && ours).then(|| format!("process: {pid} {}", command.trim()))
        });
        held.extend(commands);
        Census(held)
    }

    /// Checks that nothing was left and nothing taken since `before`.
    ///
    /// # Panics
    /// With the difference, when there is one.
    pub fn assert_same(&self, before: &Census) {
        let left: Vec<_> = self.0.difference(&before.0).collect();
        let gone: Vec<_> = before.0.difference(&self.0).collect();
        assert!(left.is_empty() && gone.is_empty(), "left behind: {left:#?}\ntaken away: {gone:#?}");
    }
}

impl fmt::Debug for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

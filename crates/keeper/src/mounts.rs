//! Keeper's own view of the machine's mounts: few, because every creation of a container reads the list.

use std::fs;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use wharf_sandbox::mounts::HostMounts;

use crate::error::Error;

/// Kinds of file systems that neither keeper nor a container's volume needs.
const NEEDLESS_KINDS: [&str; 16] = [
    "nsfs",
    "squashfs",
    "autofs",
    "binfmt_misc",
    "bpf",
    "configfs",
    "debugfs",
    "devpts",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "tracefs",
];

/// Where other container engines and sessions keep theirs.
const NEEDLESS_PLACES: [&str; 7] = [
    "/run/credentials",
    "/run/user",
    "/run/docker",
    "/run/containerd",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/containers",
];

/// The cgroup v1 hierarchies that containers get; a file of limits inside the container for each. Programs that size
/// themselves by their container look at these.
const CONTROLLERS: [&str; 6] = ["cpu", "cpuacct", "cpuset", "memory", "pids", "devices"];

/// Moves keeper into a mount namespace of its own and drops what it does not need there.
///
/// A container is made from a copy of it; for its volumes the host's mounts, which are returned, are looked at as they are then.
pub(crate) fn settle() -> Result<HostMounts, Error> {
    let host = HostMounts::here();
    let host =
        host.map_err(|source| Error::File { what: "open", path: "/proc/self/ns/mnt".into(), source })?;
    unshare(CloneFlags::CLONE_NEWNS)
        .map_err(|error| Error::System("leave the host's mount namespace", error))?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .map_err(|error| Error::System("make mounts private", error))?;
    let path = "/proc/self/mountinfo";
    let text =
        fs::read_to_string(path).map_err(|source| Error::File { what: "read", path: path.into(), source })?;
    for at in needless(&text) {
        // What cannot be dropped only costs time.
        let _kept = umount2(at.as_str(), MntFlags::MNT_DETACH);
    }
    Ok(host)
}

/// Returns the mount points to drop, innermost first.
pub(crate) fn needless(mountinfo: &str) -> Vec<String> {
    let parsed: Vec<Line<'_>> = mountinfo.lines().filter_map(Line::parse).collect();
    // Beside these the unified hierarchy carries no limits.
    let version_1 = parsed.iter().any(|line| line.kind == "cgroup" && line.controls("memory"));
    let mut found: Vec<String> = parsed
        .iter()
        .filter(|line| {
            let there = |place: &str| line.at.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
            let needless = match line.kind {
                "cgroup" => !CONTROLLERS.iter().any(|controller| line.controls(controller)),
                "cgroup2" => version_1,
                kind => NEEDLESS_KINDS.contains(&kind) || NEEDLESS_PLACES.iter().any(|place| there(place)),
            };
            needless && line.at != "/"
        })
        .map(|line| unescape(line.at))
        .collect();
    found.reverse();
    found
}

/// A line of mountinfo.
struct Line<'a> {
    at: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl Line<'_> {
    fn parse(line: &str) -> Option<Line<'_>> {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let kind = after.next()?;
        Some(Line { at: before.split(' ').nth(4)?, kind, options: after.nth(1).unwrap_or_default() })
    }

    /// Says whether a cgroup hierarchy has a controller.
    fn controls(&self, controller: &str) -> bool {
        self.options.split(',').any(|option| option == controller)
    }
}

/// Mountinfo writes space, tab, newline and backslash in octal.
fn unescape(path: &str) -> String {
    let octal = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    octal.iter().fold(path.to_owned(), |path, (from, to)| path.replace(from, to))
}

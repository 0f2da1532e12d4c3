//! A [`ContainerSpec`] as an OCI runtime specification, with the defaults of Docker.
//!
//! No seccomp section: libcontainer would compile it anew inside the container's CPU quota. The executor
//! in `runtime` loads a filter that was compiled once.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::{ContainerSpec, First, Sharing, capabilities, devices, limits, mounts::mounts};
use crate::rootfs::User;

const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Other than Docker, ECS says nothing of a terminal's kind; programs expect the plainest.
const DEFAULT_TERM: &str = "TERM=xterm";

const MASKED_PATHS: [&str; 11] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];

const READONLY_PATHS: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The control groups, which the runtime leaves writable inside of its own read-only directory under cgroup v1. Those that
/// keeper does not have are not there.
const CGROUP_PATHS: [&str; 6] = [
    "/sys/fs/cgroup/cpu",
    "/sys/fs/cgroup/cpuacct",
    "/sys/fs/cgroup/cpuset",
    "/sys/fs/cgroup/devices",
    "/sys/fs/cgroup/memory",
    "/sys/fs/cgroup/pids",
];

/// Why a specification makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// There is nothing to run.
    #[error("no command specified")]
    NoCommand,
    /// There is nothing to run it in.
    #[error("no image layers")]
    NoLayers,
    /// A resource limit nobody knows.
    #[error("ulimit {0} is not known")]
    UnknownUlimit(String),
    /// A capability nobody knows.
    #[error("capability {0} is not known")]
    UnknownCapability(String),
    /// A capability that this machine cannot give.
    #[error("capability {0} is not available on this machine")]
    MissingCapability(String),
    /// A device that is not there.
    #[error("error gathering device information while adding custom device \"{path}\"")]
    Device { path: Utf8PathBuf, source: std::io::Error },
    /// A control group of the second version has no swappiness.
    #[error("swappiness is not available with cgroup v2, which this machine has")]
    Swappiness,
    /// A path that must be absolute is not.
    #[error("path {0} is not absolute")]
    RelativePath(String),
}

/// What a container joins instead of having its own, as this process can reach it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joins {
    /// Path to its network namespace.
    pub network: String,
    /// The process whose PID namespace it shares.
    pub pid: Option<i32>,
    /// The process whose IPC namespace it shares.
    pub ipc: Option<i32>,
    /// Where the other's `/dev/shm` can be bound from.
    pub shm: Option<Utf8PathBuf>,
    /// Where the container's control groups will be, by controller, when they have to be bound from there: in another's
    /// PID namespace the runtime does not find them by itself, because it looks for its own number in a `/proc` that is
    /// not that namespace's.
    pub cgroups: Vec<(String, Utf8PathBuf)>,
}

/// Returns the runtime specification and what had to be changed to fit this machine.
///
/// `root` is where the root file system is mounted, `user` what the spec's user is in it, `cgroup` the leaf's path.
pub fn oci_spec(
    spec: &ContainerSpec,
    root: &Utf8Path,
    user: &User,
    joins: &Joins,
    cgroup: &str,
) -> Result<(Value, Vec<String>), SpecError> {
    if spec.args.is_empty() && spec.first != First::Holder {
        return Err(SpecError::NoCommand);
    }
    let mut notes = Vec::new();
    let sysctls: serde_json::Map<String, Value> =
        spec.sysctls.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let cwd = if spec.cwd.is_empty() { "/" } else { &spec.cwd };
    let devices = devices::look_up(spec)?;
    let mut resources = limits::resources(&spec.limits);
    resources["devices"] = json!(devices.rules);
    let hides = !spec.privileged;
    let value = json!({
        "ociVersion": "1.0.2",
        "root": { "path": root, "readonly": spec.readonly_root },
        "hostname": spec.hostname,
        "process": {
            "terminal": spec.terminal,
            "user": { "uid": user.uid, "gid": user.gid, "additionalGids": user.groups },
            "args": if spec.args.is_empty() { vec!["init".to_owned()] } else { spec.args.clone() },
            "env": environment(spec),
            "cwd": cwd,
            "capabilities": capability_sets(spec, user)?,
            "rlimits": limits::rlimits(&spec.ulimits, &mut notes)?,
            "noNewPrivileges": !gains_privileges(spec),
        },
        "mounts": mounts(spec, &devices, joins)?,
        "linux": {
            "cgroupsPath": cgroup,
            "sysctl": sysctls,
            "resources": resources,
            "devices": devices.nodes,
            "namespaces": namespaces(spec, joins),
            "maskedPaths": if hides { &MASKED_PATHS[..] } else { &[] },
            "readonlyPaths": if hides { [&READONLY_PATHS[..], &CGROUP_PATHS].concat() } else { Vec::new() },
        },
    });
    Ok((value, notes))
}

/// Says whether a container's programs can gain privileges by setuid and the like.
pub(crate) fn gains_privileges(spec: &ContainerSpec) -> bool {
    spec.privileged || spec.gains_privileges
}

fn environment(spec: &ContainerSpec) -> Vec<String> {
    let mut env = spec.env.clone();
    let mut ensure = |name: &str, default: &str| {
        if !env.iter().any(|entry| entry.starts_with(name)) {
            env.push(default.to_owned());
        }
    };
    ensure("PATH=", DEFAULT_PATH);
    if spec.terminal {
        ensure("TERM=", DEFAULT_TERM);
    }
    env
}

/// A user other than root gains nothing from the set, as with Docker: it only bounds what root could have.
///
/// Without `no_new_privs` only root may load a system call filter, so the executor drops what is needed for that itself.
fn capability_sets(spec: &ContainerSpec, user: &User) -> Result<Value, SpecError> {
    let mut bounding = capabilities(spec)?;
    let held = if spec.gains_privileges && !spec.privileged {
        for name in LOADING {
            if !bounding.iter().any(|held| held == name) {
                bounding.push(name.to_owned());
            }
        }
        bounding.clone()
    } else if user.uid == 0 {
        bounding.clone()
    } else {
        Vec::new()
    };
    Ok(json!({
        "bounding": bounding, "effective": held, "permitted": held, "inheritable": [], "ambient": [],
    }))
}

/// What it takes to load a filter and to give that up again.
pub(crate) const LOADING: [&str; 2] = ["CAP_SYS_ADMIN", "CAP_SETPCAP"];

fn namespaces(spec: &ContainerSpec, joins: &Joins) -> Vec<Value> {
    let mut namespaces = vec![
        json!({ "type": "uts" }),
        json!({ "type": "mount" }),
        json!({ "type": "cgroup" }),
        json!({ "type": "network", "path": joins.network }),
    ];
    for (kind, sharing, process) in [("pid", &spec.pid, joins.pid), ("ipc", &spec.ipc, joins.ipc)] {
        match (sharing, process) {
            (Sharing::Host, _) => {}
            (Sharing::With(_), Some(process)) => {
                namespaces.push(json!({ "type": kind, "path": format!("/proc/{process}/ns/{kind}") }));
            }
            (Sharing::Own | Sharing::With(_), _) => namespaces.push(json!({ "type": kind })),
        }
    }
    namespaces
}

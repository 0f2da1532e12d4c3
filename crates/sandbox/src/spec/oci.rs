//! A [`ContainerSpec`] as an OCI runtime specification, with the defaults of Docker.
//!
//! No seccomp section: libcontainer would compile it anew inside the container's CPU quota. The executor
//! in `runtime` loads a filter that was compiled once.

use camino::Utf8Path;
use nix::sys::resource::{Resource, getrlimit};
use serde_json::{Value, json};

use super::{ContainerSpec, Ulimit};
use crate::rootfs::User;

/// Docker's default capabilities.
pub const DEFAULT_CAPABILITIES: [&str; 14] = [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const DEFAULT_NOFILE: u64 = 65_535;
const DEFAULT_SHM_MIB: u64 = 64;

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
    /// A path that must be absolute is not.
    #[error("path {0} is not absolute")]
    RelativePath(String),
}

/// Returns the runtime specification and what had to be changed to fit this machine.
///
/// `root` is where the root file system is mounted, `user` what the spec's user is in it, `netns` a path to
/// the network namespace, `cgroup` the leaf's path.
pub fn oci_spec(
    spec: &ContainerSpec,
    root: &Utf8Path,
    user: &User,
    netns: &str,
    cgroup: &str,
) -> Result<(Value, Vec<String>), SpecError> {
    if spec.args.is_empty() {
        return Err(SpecError::NoCommand);
    }
    let mut notes = Vec::new();
    let capabilities = capabilities(spec)?;
    // A user other than root gains nothing from the set, as with Docker: it only bounds what root could have.
    let held: &[String] = if user.uid == 0 { &capabilities } else { &[] };
    let mut env = spec.env.clone();
    if !env.iter().any(|entry| entry.starts_with("PATH=")) {
        env.push(DEFAULT_PATH.to_owned());
    }
    let sysctls: serde_json::Map<String, Value> =
        spec.sysctls.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let cwd = if spec.cwd.is_empty() { "/" } else { &spec.cwd };
    let value = json!({
        "ociVersion": "1.0.2",
        "root": { "path": root, "readonly": spec.readonly_root },
        "hostname": spec.hostname,
        "process": {
            "terminal": false,
            "user": { "uid": user.uid, "gid": user.gid, "additionalGids": user.groups },
            "args": spec.args,
            "env": env,
            "cwd": cwd,
            "capabilities": {
                "bounding": capabilities, "effective": held, "permitted": held,
                "inheritable": [], "ambient": [],
            },
            "rlimits": rlimits(&spec.ulimits, &mut notes)?,
            "noNewPrivileges": true,
        },
        "mounts": mounts(spec)?,
        "linux": {
            "cgroupsPath": cgroup,
            "sysctl": sysctls,
            "resources": resources(spec),
            "namespaces": [
                { "type": "pid" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" },
                { "type": "cgroup" }, { "type": "network", "path": netns },
            ],
            "maskedPaths": MASKED_PATHS,
            "readonlyPaths": READONLY_PATHS,
        },
    });
    Ok((value, notes))
}

/// Returns the names of the capabilities a container has.
pub fn capabilities(spec: &ContainerSpec) -> Result<Vec<String>, SpecError> {
    let mut dropped = Vec::new();
    for given in &spec.capabilities_dropped {
        dropped.push(if given == "ALL" { given.clone() } else { capability(given)? });
    }
    let all = dropped.iter().any(|name| name == "ALL");
    let defaults = DEFAULT_CAPABILITIES.iter().map(|name| (*name).to_owned());
    let mut held: Vec<String> = defaults.filter(|name| !all && !dropped.contains(name)).collect();
    for given in &spec.capabilities_added {
        let name = capability(given)?;
        if !held.contains(&name) {
            held.push(name);
        }
    }
    Ok(held)
}

fn capability(given: &str) -> Result<String, SpecError> {
    use libcontainer::oci_spec::runtime::Capability;
    let upper = given.to_ascii_uppercase();
    let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
    match bare.parse::<Capability>() {
        Ok(_) => Ok(format!("CAP_{bare}")),
        Err(_) => Err(SpecError::UnknownCapability(given.to_owned())),
    }
}

fn mounts(spec: &ContainerSpec) -> Result<Vec<Value>, SpecError> {
    let shm = if spec.shm_size_mib == 0 { DEFAULT_SHM_MIB } else { spec.shm_size_mib };
    let mount = |destination: &str, kind: &str, options: &[&str]| json!({ "destination": destination, "type": kind, "source": kind, "options": options });
    let shm_size = format!("size={shm}m");
    let mut mounts = vec![
        mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "/dev/pts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        mount("/sys/fs/cgroup", "cgroup", &["ro", "nosuid", "noexec", "nodev"]),
        mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", &shm_size]),
    ];
    for tmpfs in &spec.tmpfs {
        let mut options = vec!["nosuid".to_owned(), "nodev".to_owned(), format!("size={}m", tmpfs.size_mib)];
        options.extend(tmpfs.options.iter().cloned());
        let destination = absolute(&tmpfs.destination)?;
        mounts.push(
            json!({ "destination": destination, "type": "tmpfs", "source": "tmpfs", "options": options }),
        );
    }
    for bind in &spec.mounts {
        let access = if bind.read_only { "ro" } else { "rw" };
        let destination = absolute(&bind.destination)?;
        mounts.push(json!({
            "destination": destination, "type": "bind", "source": absolute(bind.source.as_str())?,
            "options": ["rbind", "rprivate", access],
        }));
    }
    Ok(mounts)
}

fn absolute(path: &str) -> Result<&str, SpecError> {
    if path.starts_with('/') { Ok(path) } else { Err(SpecError::RelativePath(path.to_owned())) }
}

fn resources(spec: &ContainerSpec) -> Value {
    let limits = &spec.limits;
    let mut resources = json!({ "devices": [{ "allow": false, "access": "rwm" }] });
    if limits.cpu_shares > 0 {
        resources["cpu"] = json!({ "shares": limits.cpu_shares.max(2) });
    }
    if limits.pids > 0 {
        resources["pids"] = json!({ "limit": limits.pids });
    }
    let mut memory = serde_json::Map::new();
    if limits.memory_bytes > 0 {
        // The swap limit counts memory and swap together, so this one allows no swap.
        memory.insert("limit".to_owned(), json!(limits.memory_bytes));
        memory.insert("swap".to_owned(), json!(limits.memory_bytes));
    }
    if limits.memory_reservation_bytes > 0 {
        memory.insert("reservation".to_owned(), json!(limits.memory_reservation_bytes));
    }
    if !memory.is_empty() {
        resources["memory"] = Value::Object(memory);
    }
    resources
}

fn rlimits(ulimits: &[Ulimit], notes: &mut Vec<String>) -> Result<Vec<Value>, SpecError> {
    let mut wanted = ulimits.to_vec();
    if !wanted.iter().any(|ulimit| ulimit.name == "nofile") {
        let most = hard_limit(Resource::RLIMIT_NOFILE).min(DEFAULT_NOFILE);
        wanted.push(Ulimit { name: "nofile".to_owned(), soft: most, hard: most });
    }
    wanted.iter().map(|ulimit| rlimit(ulimit, notes)).collect()
}

fn rlimit(ulimit: &Ulimit, notes: &mut Vec<String>) -> Result<Value, SpecError> {
    let resource = match ulimit.name.as_str() {
        "as" => Resource::RLIMIT_AS,
        "core" => Resource::RLIMIT_CORE,
        "cpu" => Resource::RLIMIT_CPU,
        "data" => Resource::RLIMIT_DATA,
        "fsize" => Resource::RLIMIT_FSIZE,
        "locks" => Resource::RLIMIT_LOCKS,
        "memlock" => Resource::RLIMIT_MEMLOCK,
        "msgqueue" => Resource::RLIMIT_MSGQUEUE,
        "nice" => Resource::RLIMIT_NICE,
        "nofile" => Resource::RLIMIT_NOFILE,
        "nproc" => Resource::RLIMIT_NPROC,
        "rss" => Resource::RLIMIT_RSS,
        "rtprio" => Resource::RLIMIT_RTPRIO,
        "rttime" => Resource::RLIMIT_RTTIME,
        "sigpending" => Resource::RLIMIT_SIGPENDING,
        "stack" => Resource::RLIMIT_STACK,
        other => return Err(SpecError::UnknownUlimit(other.to_owned())),
    };
    // Raising a hard limit needs a capability that even root may lack; libcontainer would only say "EPERM".
    let most = hard_limit(resource);
    let (soft, hard) = (ulimit.soft.min(most), ulimit.hard.min(most));
    if (soft, hard) != (ulimit.soft, ulimit.hard) {
        notes.push(format!(
            "ulimit {} {}:{} lowered to {soft}:{hard}, this machine's limit",
            ulimit.name, ulimit.soft, ulimit.hard
        ));
    }
    let name = format!("RLIMIT_{}", ulimit.name.to_ascii_uppercase());
    Ok(json!({ "type": name, "soft": soft.min(hard), "hard": hard }))
}

fn hard_limit(resource: Resource) -> u64 {
    getrlimit(resource).map_or(u64::MAX, |(_, hard)| hard)
}

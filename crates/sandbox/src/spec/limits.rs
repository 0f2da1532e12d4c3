//! What a container may use: the limits of its cgroup and of its processes.

use nix::sys::resource::{Resource, getrlimit};
use serde_json::{Value, json};

use super::{Limits, SpecError, Ulimit};

const DEFAULT_NOFILE: u64 = 65_535;

/// Returns the limits of the container's cgroup, without its devices.
pub(super) fn resources(limits: &Limits) -> Value {
    let mut resources = json!({});
    if limits.cpu_shares > 0 {
        resources["cpu"] = json!({ "shares": limits.cpu_shares.max(2) });
    }
    if limits.pids > 0 {
        resources["pids"] = json!({ "limit": limits.pids });
    }
    let mut memory = serde_json::Map::new();
    if limits.memory_bytes > 0 {
        memory.insert("limit".to_owned(), json!(limits.memory_bytes));
        // This one counts memory and swap together, so the same number allows no swap.
        memory.insert("swap".to_owned(), json!(limits.memory_bytes.saturating_add(limits.swap_bytes)));
    }
    if limits.memory_reservation_bytes > 0 {
        memory.insert("reservation".to_owned(), json!(limits.memory_reservation_bytes));
    }
    if let Some(swappiness) = limits.swappiness {
        memory.insert("swappiness".to_owned(), json!(swappiness));
    }
    if !memory.is_empty() {
        resources["memory"] = Value::Object(memory);
    }
    resources
}

/// Returns the limits of the container's processes; what had to be lowered is noted.
pub(super) fn rlimits(ulimits: &[Ulimit], notes: &mut Vec<String>) -> Result<Vec<Value>, SpecError> {
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

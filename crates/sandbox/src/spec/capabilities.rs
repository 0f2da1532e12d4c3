//! What of root's power a container holds.

use super::{ContainerSpec, SpecError};

/// The default capabilities: Docker's, without making device nodes, because what may be opened is not what may be made
/// on every machine.
pub const DEFAULT_CAPABILITIES: [&str; 13] = [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// Every capability, in the order of the kernel's numbers.
#[rustfmt::skip]
const ALL: [&str; 41] = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
];

/// Returns a capability's number.
pub(crate) fn number(name: &str) -> Option<usize> {
    ALL.iter().position(|known| *known == name)
}

/// Returns the names of the capabilities a container has on this machine.
///
/// `ALL` is all that this process could hand out; one that is asked for by its name must be among them.
pub fn capabilities(spec: &ContainerSpec) -> Result<Vec<String>, SpecError> {
    let there = bounding_set();
    let wanted = wanted(spec)?;
    let missing = |name: &&String| {
        !there.contains(&name.as_str()) && spec.capabilities_added.iter().any(|given| named_so(given, name))
    };
    if let Some(name) = wanted.iter().find(missing) {
        return Err(SpecError::MissingCapability(name.clone()));
    }
    Ok(wanted.into_iter().filter(|name| there.contains(&name.as_str())).collect())
}

/// Returns the names of the capabilities a container asks for, by Docker's rules: `ALL` comes first, names are changes
/// to it, and what is both added and dropped by its name is added.
fn wanted(spec: &ContainerSpec) -> Result<Vec<String>, SpecError> {
    let all = |given: &[String]| given.iter().any(|given| given.eq_ignore_ascii_case("ALL"));
    let (adds_all, drops_all) = (all(&spec.capabilities_added), all(&spec.capabilities_dropped));
    let (added, dropped) = (names(&spec.capabilities_added)?, names(&spec.capabilities_dropped)?);
    let mut held: Vec<&str> = match (spec.privileged || adds_all, drops_all) {
        (true, _) => ALL.to_vec(),
        (false, true) => Vec::new(),
        (false, false) => DEFAULT_CAPABILITIES.to_vec(),
    };
    if !spec.privileged {
        held.retain(|name| !dropped.contains(name));
        let missing: Vec<&str> = added.into_iter().filter(|name| !held.contains(name)).collect();
        held.extend(missing);
    }
    Ok(held.into_iter().map(str::to_owned).collect())
}

/// Returns the capabilities that are given by their names.
fn names(given: &[String]) -> Result<Vec<&'static str>, SpecError> {
    let named = given.iter().filter(|given| !given.eq_ignore_ascii_case("ALL"));
    named
        .map(|given| {
            let found = ALL.into_iter().find(|name| named_so(given, name));
            found.ok_or_else(|| SpecError::UnknownCapability(given.clone()))
        })
        .collect()
}

/// Says whether this is how a capability is called, with or without `CAP_`.
fn named_so(given: &str, name: &str) -> bool {
    let bare = name.strip_prefix("CAP_").unwrap_or(name);
    given.eq_ignore_ascii_case(name) || given.eq_ignore_ascii_case(bare)
}

/// What this process could hand out: not everything on a machine that is a container itself.
fn bounding_set() -> Vec<&'static str> {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let bits = line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(u64::MAX);
    (0..).zip(ALL).filter(|(number, _)| bits & (1 << number) != 0).map(|(_, name)| name).collect()
}

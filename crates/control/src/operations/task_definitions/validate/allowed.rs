//! The rules of what a container is allowed, and of what Fargate allows none.

use super::NewDefinition;
use crate::operations::Error;
use std::collections::BTreeSet;
use wharf_model::task_definition::{
    ContainerDefinition, IpcMode, LinuxParameters, NetworkMode, PidMode, SystemControl, Tmpfs,
};

/// The names of capabilities, as ECS writes them.
#[rustfmt::skip]
const CAPABILITIES: [&str; 38] = [
    "ALL", "AUDIT_CONTROL", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",
    "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD",
    "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN",
    "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE",
    "SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM",
];

/// The names of resource limits, as ECS writes them.
const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Kernel parameters of an IPC namespace.
const IPC_CONTROLS: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// Mount options that a memory file system can have. What ECS knows beyond these would tie it to other mounts.
#[rustfmt::skip]
const TMPFS_OPTIONS: [&str; 23] = [
    "defaults", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "mand",
    "nomand", "atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime",
    "private",
];
const TMPFS_OPTIONS_WITH_VALUE: [&str; 6] = ["mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"];

/// Security options that mean something here. The second opts out of what is the default.
const SECURITY_OPTIONS: [&str; 5] = [
    "no-new-privileges",
    "no-new-privileges:true",
    "no-new-privileges=true",
    "no-new-privileges:false",
    "no-new-privileges=false",
];

/// Checks them for one container.
pub(super) fn check(container: &ContainerDefinition, new: &NewDefinition) -> Result<(), Error> {
    let of = format!("in container '{}'", container.name);
    for limit in &container.ulimits {
        if !ULIMITS.contains(&limit.name.as_str()) {
            return Err(Error::client(format!("Invalid ulimit name '{}' {of}.", limit.name)));
        }
        // -1 is no limit, which no other number exceeds.
        let order = |limit: i64| u64::try_from(limit).unwrap_or(u64::MAX);
        if limit.soft < -1 || limit.hard < -1 || order(limit.soft) > order(limit.hard) {
            return Err(Error::client(format!(
                "Invalid ulimit '{}' {of}: the soft limit must not exceed the hard limit.",
                limit.name
            )));
        }
    }
    let unknown = |option: &&String| !SECURITY_OPTIONS.contains(&option.as_str());
    if let Some(option) = container.docker_security_options.iter().find(unknown) {
        return Err(Error::client(format!(
            "not supported by this version of Wharf: the security option '{option}' {of}"
        )));
    }
    check_controls(&container.system_controls, &of, new)?;
    match &container.linux_parameters {
        Some(linux) => check_linux(linux, container, &of),
        None => Ok(()),
    }
}

fn check_linux(linux: &LinuxParameters, container: &ContainerDefinition, of: &str) -> Result<(), Error> {
    let capabilities = linux.capabilities.iter();
    let mut names = capabilities.flat_map(|capabilities| capabilities.add.iter().chain(&capabilities.drop));
    if let Some(name) = names.find(|name| !CAPABILITIES.contains(&name.as_str())) {
        return Err(Error::client(format!("Invalid capability '{name}' {of}.")));
    }
    for device in &linux.devices {
        let destination = device.container_path.as_ref().unwrap_or(&device.host_path);
        if !is_path(&device.host_path) || !is_path(destination) {
            return Err(Error::client(format!(
                "Invalid device '{}:{destination}' {of}: paths must be absolute.",
                device.host_path
            )));
        }
    }
    if linux.shared_memory_size.is_some_and(|size| size.0 == 0) {
        return Err(Error::client(format!("Invalid 'sharedMemorySize' {of}: it must be greater than 0.")));
    }
    linux.tmpfs.iter().try_for_each(|tmpfs| check_tmpfs(tmpfs, of))?;
    if linux.max_swap.is_some_and(|size| size.0 > 0) && container.memory.is_none() {
        return Err(Error::client(format!("Invalid 'maxSwap' {of}: it needs a 'memory' to be added to.")));
    }
    if linux.swappiness.is_some_and(|swappiness| swappiness > 100) {
        return Err(Error::client(format!("Invalid 'swappiness' {of}: it must be between 0 and 100.")));
    }
    Ok(())
}

fn check_tmpfs(tmpfs: &Tmpfs, of: &str) -> Result<(), Error> {
    if !is_path(&tmpfs.container_path) || tmpfs.size.0 == 0 {
        return Err(Error::client(format!(
            "Invalid tmpfs '{}' {of}: it must have an absolute path and a size.",
            tmpfs.container_path
        )));
    }
    let known = |option: &&String| match option.split_once('=') {
        Some((name, value)) => TMPFS_OPTIONS_WITH_VALUE.contains(&name) && !value.is_empty(),
        None => TMPFS_OPTIONS.contains(&option.as_str()),
    };
    match tmpfs.mount_options.iter().find(|option| !known(option)) {
        Some(option) => Err(Error::client(format!("Invalid tmpfs mount option '{option}' {of}."))),
        None => Ok(()),
    }
}

fn check_controls(controls: &[SystemControl], of: &str, new: &NewDefinition) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    for control in controls {
        let name = control.namespace.as_str();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let is_plain = name.bytes().all(plain) && name.split('.').all(|part| !part.is_empty());
        let of_network = name.starts_with("net.");
        let of_ipc = IPC_CONTROLS.contains(&name) || name.starts_with("fs.mqueue.");
        if !is_plain || !(of_network || of_ipc) {
            return Err(Error::client(format!(
                "The system control '{name}' {of} is not supported: it does not belong to a namespace of the task."
            )));
        }
        if of_network && new.network_mode == NetworkMode::Host {
            return Err(Error::client(format!(
                "The system control '{name}' {of} is not supported when networkMode=host."
            )));
        }
        if of_ipc && new.ipc_mode == Some(IpcMode::Host) {
            return Err(Error::client(format!(
                "The system control '{name}' {of} is not supported when ipcMode=host."
            )));
        }
        if control.value.is_empty() || control.value.contains('\0') || !names.insert(name) {
            return Err(Error::client(format!("Invalid value for the system control '{name}' {of}.")));
        }
    }
    Ok(())
}

/// Checks what tasks on Fargate may not have.
pub(super) fn check_fargate(new: &NewDefinition) -> Result<(), Error> {
    let no =
        |what: &str| Err(Error::client(format!("Fargate compatible task definitions do not support {what}")));
    if new.ipc_mode.is_some() {
        return no("ipcMode");
    }
    if new.pid_mode == Some(PidMode::Host) {
        return Err(Error::client("Tasks using the Fargate launch type do not support pidMode 'host'"));
    }
    for container in &new.containers {
        if container.privileged == Some(true) {
            return Err(Error::client("Fargate requires that the 'privileged' setting be 'false'"));
        }
        if !container.docker_security_options.is_empty() {
            return no("dockerSecurityOptions");
        }
        let Some(linux) = &container.linux_parameters else { continue };
        let members = [
            (!linux.devices.is_empty(), "devices"),
            (linux.shared_memory_size.is_some(), "sharedMemorySize"),
            (linux.max_swap.is_some(), "maxSwap"),
            (linux.swappiness.is_some(), "swappiness"),
        ];
        if let Some((_, member)) = members.iter().find(|(asked, _)| *asked) {
            return no(member);
        }
        let mut added = linux.capabilities.iter().flat_map(|capabilities| &capabilities.add);
        if let Some(name) = added.find(|name| name.as_str() != "SYS_PTRACE") {
            return Err(Error::client(format!("{name} is not allowed on Fargate.")));
        }
    }
    Ok(())
}

fn is_path(given: &str) -> bool {
    given.starts_with('/') && !given.contains('\0') && given.split('/').all(|part| part != "..")
}

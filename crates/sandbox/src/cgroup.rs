//! Control groups of tasks and their containers, on cgroup v1, hybrid and v2.
//!
//! A task has a parent group (`/wharf/<task>`) that carries its limits; each container a leaf in it, made by
//! libcontainer and named after the container. Paths are relative to where the hierarchies are mounted, so
//! that a nested machine's own root is used. Files are read and written raw: statistics of one group cost two
//! or three reads.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

mod hierarchy;
mod oom;
mod stats;
#[cfg(test)]
mod tests;

pub use hierarchy::Hierarchy;
pub use stats::Stats;

use crate::spec::Limits;

/// Limits of a whole task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskLimits {
    /// CPU units, 1024 for one vCPU; a hard limit. `None` leaves the task unlimited.
    pub cpu_units: Option<u32>,
    /// What it gets of a processor that others want too, 1024 for one vCPU; the limit's share when absent.
    pub cpu_shares: Option<u32>,
    /// Memory. `None` leaves the task unlimited.
    pub memory_bytes: Option<u64>,
    /// Swap on top of it.
    pub swap_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
}

impl TaskLimits {
    fn memory_and_swap_bytes(&self) -> Option<u64> {
        self.memory_bytes.map(|bytes| bytes.saturating_add(self.swap_bytes))
    }
}

/// Why a control group could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// Nothing that could be used is mounted.
    #[error("no cgroup hierarchy with the cpu, memory and pids controllers is mounted")]
    NoHierarchy,
    /// A file could not be read or written.
    #[error("{what} {path}")]
    File { what: &'static str, path: Utf8PathBuf, source: io::Error },
    /// It was removed, or never made.
    #[error("cgroup {0} does not exist")]
    Gone(String),
    /// Processes would not die.
    #[error("processes remain in cgroup {0}")]
    Busy(String),
}

fn failed(what: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> CgroupError {
    let path = path.to_owned();
    move |source| CgroupError::File { what, path, source }
}

/// The controllers of version 1 that libcontainer puts a container in, whatever its limits are.
const RUNTIME_CONTROLLERS: [&str; 12] = [
    "blkio",
    "cpu",
    "cpuacct",
    "cpuset",
    "devices",
    "freezer",
    "hugetlb",
    "memory",
    "net_cls",
    "net_prio",
    "perf_event",
    "pids",
];

/// One control group, in every hierarchy that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    hierarchy: Hierarchy,
    path: String,
}

impl Cgroup {
    /// Names a group without making it; `path` begins with a slash.
    pub fn new(hierarchy: &Hierarchy, path: &str) -> Cgroup {
        Cgroup { hierarchy: hierarchy.clone(), path: path.to_owned() }
    }

    /// Returns the path below the mount points, as a container's `cgroup_parent` wants it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Names a group inside this one.
    pub fn child(&self, name: &str) -> Cgroup {
        Cgroup { hierarchy: self.hierarchy.clone(), path: format!("{}/{name}", self.path) }
    }

    /// Returns where it is in each of the hierarchies that the runtime puts a container in, by controller; nothing where
    /// there is one hierarchy for all.
    pub(crate) fn places(&self) -> Vec<(String, Utf8PathBuf)> {
        match &self.hierarchy {
            Hierarchy::V1 { mounts } => mounts
                .iter()
                .filter(|(controller, _)| RUNTIME_CONTROLLERS.contains(&controller.as_str()))
                .map(|(controller, mount)| {
                    (controller.clone(), mount.join(self.path.trim_start_matches('/')))
                })
                .collect(),
            Hierarchy::V2 { .. } => Vec::new(),
        }
    }

    /// Makes the group with a task's limits. Safe to repeat, also to change the limits.
    pub fn create(&self, limits: &TaskLimits) -> Result<(), CgroupError> {
        match &self.hierarchy {
            Hierarchy::V1 { .. } => self.create_v1(limits),
            Hierarchy::V2 { mount } => self.create_v2(mount, limits),
        }
    }

    fn create_v1(&self, limits: &TaskLimits) -> Result<(), CgroupError> {
        for controller in ["cpu", "cpuacct", "memory", "pids"] {
            let dir = self.dir(controller)?;
            fs::create_dir_all(&dir).map_err(failed("create cgroup", &dir))?;
        }
        write(&self.dir("pids")?.join("pids.max"), limits.pids)?;
        let cpu = self.dir("cpu")?;
        let quota = limits.cpu_units.map_or(-1, |units| i64::from(quota_micros(units)));
        write(&cpu.join("cpu.cfs_period_us"), PERIOD_MICROS)?;
        write(&cpu.join("cpu.cfs_quota_us"), quota)?;
        if let Some(units) = limits.cpu_shares.or(limits.cpu_units) {
            write(&cpu.join("cpu.shares"), units.max(2))?;
        }
        let memory = self.dir("memory")?;
        let number = |bytes: Option<u64>| bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let (bytes, both) = (number(limits.memory_bytes), number(limits.memory_and_swap_bytes()));
        let (plain, swap) =
            (memory.join("memory.limit_in_bytes"), memory.join("memory.memsw.limit_in_bytes"));
        // Memory and swap together may never be below memory alone, so the order depends on the direction; the
        // second attempt is the other one. Kernels without swap accounting have no such file.
        if write(&plain, bytes).is_err() {
            write(&swap, both)?;
            write(&plain, bytes)?;
        }
        if swap.exists() {
            write(&swap, both)?;
        }
        if limits.swap_bytes == 0 {
            // Also for a task without a limit; containers that are made below inherit it.
            write(&memory.join("memory.swappiness"), 0)?;
        }
        Ok(())
    }

    fn create_v2(&self, mount: &Utf8Path, limits: &TaskLimits) -> Result<(), CgroupError> {
        let dir = self.dir("")?;
        fs::create_dir_all(&dir).map_err(failed("create cgroup", &dir))?;
        let ancestors: Vec<&Utf8Path> = dir.ancestors().take_while(|at| at.starts_with(mount)).collect();
        for ancestor in ancestors.into_iter().rev() {
            for controller in ["cpu", "memory", "pids", "io"] {
                let written = write(&ancestor.join("cgroup.subtree_control"), format!("+{controller}"));
                if controller != "io" {
                    written?;
                }
            }
        }
        let quota = limits.cpu_units.map_or("max".to_owned(), |units| quota_micros(units).to_string());
        write(&dir.join("cpu.max"), format!("{quota} {PERIOD_MICROS}"))?;
        if let Some(units) = limits.cpu_shares.or(limits.cpu_units) {
            write(&dir.join("cpu.weight"), cpu_weight(u64::from(units)))?;
        }
        write(&dir.join("pids.max"), limits.pids)?;
        let bytes = limits.memory_bytes.map_or("max".to_owned(), |bytes| bytes.to_string());
        write(&dir.join("memory.max"), bytes)?;
        let swap = dir.join("memory.swap.max");
        if swap.exists() { write(&swap, limits.swap_bytes) } else { Ok(()) }
    }

    /// Limits the swap of a container's group to what its limits say, which the runtime does not do in every case.
    pub fn limit_swap(&self, limits: &Limits) -> Result<(), CgroupError> {
        let dir = self.dir("memory")?;
        match &self.hierarchy {
            Hierarchy::V2 { .. } => {
                let swap = dir.join("memory.swap.max");
                if swap.exists() { write(&swap, limits.swap_bytes) } else { Ok(()) }
            }
            // Together with memory it can only be limited where memory is.
            Hierarchy::V1 { .. } if limits.memory_bytes == 0 && limits.swap_bytes == 0 => {
                write(&dir.join("memory.swappiness"), 0)
            }
            Hierarchy::V1 { .. } => Ok(()),
        }
    }

    /// Says whether the group exists.
    pub fn exists(&self) -> bool {
        self.dirs().iter().any(|dir| dir.exists())
    }

    /// Reads what the group has used. A controller that is missing leaves zeros.
    pub fn stats(&self) -> Result<Stats, CgroupError> {
        stats::read(self)
    }

    /// Returns the processes of the group and of those below it.
    pub fn pids(&self) -> Vec<i32> {
        let mut pids = Vec::new();
        if let Some(dir) = self.dir("pids").ok().filter(|dir| dir.exists()) {
            collect_pids(&dir, &mut pids);
        }
        pids
    }

    /// Moves the calling process into the group, in every hierarchy where the group is.
    pub fn join(&self) -> Result<(), CgroupError> {
        let dirs: Vec<Utf8PathBuf> = self.dirs().into_iter().filter(|dir| dir.exists()).collect();
        if dirs.is_empty() {
            return Err(CgroupError::Gone(self.path.clone()));
        }
        dirs.iter().try_for_each(|dir| write(&dir.join("cgroup.procs"), std::process::id()))
    }

    /// Kills every process of the group and of those below it, and waits until they have gone.
    pub fn kill_all(&self, patience: Duration) -> Result<(), CgroupError> {
        let deadline = Instant::now() + patience;
        if let Hierarchy::V2 { .. } = &self.hierarchy {
            // Kernels before 5.14 have no such file; the loop below does the same with more effort.
            let _unavailable = fs::write(self.dir("")?.join("cgroup.kill"), "1");
        }
        loop {
            let pids = self.pids();
            if pids.is_empty() {
                return Ok(());
            }
            for pid in pids {
                let pid = nix::unistd::Pid::from_raw(pid);
                // It may have gone by itself.
                let _gone = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
            if Instant::now() > deadline {
                return Err(CgroupError::Busy(self.path.clone()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Removes the group and those below it, in every hierarchy. Safe to repeat; processes must have gone.
    pub fn remove(&self) -> Result<(), CgroupError> {
        self.dirs().iter().try_for_each(|dir| remove_tree(dir))
    }

    pub(crate) fn dir(&self, controller: &str) -> Result<Utf8PathBuf, CgroupError> {
        let mount = self.hierarchy.mount(controller).ok_or(CgroupError::NoHierarchy)?;
        Ok(mount.join(self.path.trim_start_matches('/')))
    }

    fn dirs(&self) -> Vec<Utf8PathBuf> {
        let below = self.path.trim_start_matches('/');
        self.hierarchy.mounts().into_iter().map(|mount| mount.join(below)).collect()
    }
}

const PERIOD_MICROS: u32 = 100_000;

fn quota_micros(cpu_units: u32) -> u32 {
    let micros = u64::from(cpu_units) * u64::from(PERIOD_MICROS) / 1024;
    u32::try_from(micros.max(1_000)).unwrap_or(u32::MAX)
}

/// The v2 weight for v1 shares, by the formula every runtime uses.
pub(crate) fn cpu_weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9_999 / 262_142
}

fn write(path: &Utf8Path, value: impl ToString) -> Result<(), CgroupError> {
    fs::write(path, value.to_string()).map_err(failed("write", path))
}

fn collect_pids(dir: &Utf8Path, pids: &mut Vec<i32>) {
    if let Ok(text) = fs::read_to_string(dir.join("cgroup.procs")) {
        pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
    }
    for child in children(dir) {
        collect_pids(&child, pids);
    }
}

fn children(dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = dir.read_dir_utf8() else { return Vec::new() };
    let entries = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    entries.map(|entry| entry.path().to_owned()).collect()
}

fn remove_tree(dir: &Utf8Path) -> Result<(), CgroupError> {
    for child in children(dir) {
        remove_tree(&child)?;
    }
    // A process that has just died leaves its group a moment later.
    for _ in 0..500 {
        match fs::remove_dir(dir) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(failed("remove cgroup", dir)(error)),
        }
    }
    Err(failed("remove cgroup", dir)(io::Error::from_raw_os_error(libc::EBUSY)))
}

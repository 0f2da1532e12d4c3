//! What a group has used, read raw.

use std::fs;

use super::{Cgroup, CgroupError, Hierarchy};

/// What a group has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// CPU time.
    pub cpu_nanos: u64,
    /// Part of it in user mode.
    pub cpu_user_nanos: u64,
    /// Part of it in the kernel.
    pub cpu_system_nanos: u64,
    /// Periods in which the quota was enforced.
    pub cpu_periods: u64,
    /// Periods in which it ran out.
    pub cpu_throttled_periods: u64,
    /// How long processes waited for the next period.
    pub cpu_throttled_nanos: u64,
    /// Memory in use, page cache included.
    pub memory_bytes: u64,
    /// The most that was ever in use; zero where the kernel does not tell.
    pub memory_max_bytes: u64,
    /// Page cache that could be dropped at once; subtract it for the working set.
    pub memory_inactive_file_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
}

/// Returns the number after a name at a line's beginning.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    let mut fields = text.lines().filter_map(|line| line.split_once(' '));
    fields.find(|(key, _)| *key == name).and_then(|(_, value)| value.trim().parse().ok())
}

pub(super) fn read(cgroup: &Cgroup) -> Result<Stats, CgroupError> {
    let text = |controller: &str, file: &str| -> Result<String, CgroupError> {
        Ok(fs::read_to_string(cgroup.dir(controller)?.join(file)).unwrap_or_default())
    };
    let number = |controller: &str, file: &str| -> Result<u64, CgroupError> {
        Ok(text(controller, file)?.trim().parse().unwrap_or(0))
    };
    let of = |text: &str, name: &str| field(text, name).unwrap_or(0);
    match cgroup.hierarchy {
        Hierarchy::V1 { .. } => {
            let (cpu, memory) = (text("cpu", "cpu.stat")?, text("memory", "memory.stat")?);
            Ok(Stats {
                cpu_nanos: number("cpuacct", "cpuacct.usage")?,
                cpu_user_nanos: number("cpuacct", "cpuacct.usage_user")?,
                cpu_system_nanos: number("cpuacct", "cpuacct.usage_sys")?,
                cpu_periods: of(&cpu, "nr_periods"),
                cpu_throttled_periods: of(&cpu, "nr_throttled"),
                cpu_throttled_nanos: of(&cpu, "throttled_time"),
                memory_bytes: number("memory", "memory.usage_in_bytes")?,
                memory_max_bytes: number("memory", "memory.max_usage_in_bytes")?,
                memory_inactive_file_bytes: of(&memory, "total_inactive_file"),
                pids: number("pids", "pids.current")?,
            })
        }
        Hierarchy::V2 { .. } => {
            let (cpu, memory) = (text("", "cpu.stat")?, text("", "memory.stat")?);
            Ok(Stats {
                cpu_nanos: of(&cpu, "usage_usec") * 1_000,
                cpu_user_nanos: of(&cpu, "user_usec") * 1_000,
                cpu_system_nanos: of(&cpu, "system_usec") * 1_000,
                cpu_periods: of(&cpu, "nr_periods"),
                cpu_throttled_periods: of(&cpu, "nr_throttled"),
                cpu_throttled_nanos: of(&cpu, "throttled_usec") * 1_000,
                memory_bytes: number("", "memory.current")?,
                memory_max_bytes: number("", "memory.peak")?,
                memory_inactive_file_bytes: of(&memory, "inactive_file"),
                pids: number("", "pids.current")?,
            })
        }
    }
}

//! Statistics in Docker's shape.

use super::Source;
use crate::{clock, record::Record};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    fs,
    sync::{Mutex, PoisonError},
};
use wharf_model::Timestamp;
use wharf_plan::task::Life;
use wharf_sandbox::cgroup::Stats;

/// Remembers the sample before, which Docker's clients subtract from the one now.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    before: Mutex<HashMap<String, Sample>>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Timestamp,
    stats: Stats,
    system_nanos: u64,
    /// Bytes that came in and went out.
    network: (u64, u64),
}

impl Meter {
    /// Returns a container's statistics; null for one that does not run, as Docker's agent answers.
    pub(super) fn container(&self, source: &Source, record: &Record, place: usize) -> Value {
        let note = &record.notes[place];
        if !matches!(record.task.containers[place].life, Life::Running | Life::Stopping { .. }) {
            return Value::Null;
        }
        let Ok(stats) = source.cgroup.child(&note.id).stats() else { return Value::Null };
        let counters = record.slot.as_ref().map(|slot| network(slot.as_str()));
        let bytes = |name: &str| counters.as_ref().and_then(|all| all[name].as_u64()).unwrap_or(0);
        let network = (bytes("rx_bytes"), bytes("tx_bytes"));
        let now = Sample { at: clock::now(), stats, system_nanos: system_nanos(), network };
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = before.insert(note.id.clone(), now);
        let limit = record.definition(place).memory.unwrap_or(record.assignment.memory).bytes();
        let mut shown = json!({
            "id": note.id,
            "name": record.definition(place).name,
            "read": now.at.to_rfc3339(),
            "preread": "0001-01-01T00:00:00Z",
            "num_procs": 0,
            "storage_stats": {},
            "blkio_stats": {
                "io_service_bytes_recursive": null,
                "io_serviced_recursive": null,
                "io_queue_recursive": null,
                "io_service_time_recursive": null,
                "io_wait_time_recursive": null,
                "io_merged_recursive": null,
                "io_time_recursive": null,
                "sectors_recursive": null,
            },
            "pids_stats": { "current": stats.pids },
            "cpu_stats": cpu(&now),
            "memory_stats": {
                "usage": stats.memory_bytes,
                "max_usage": stats.memory_max_bytes,
                "stats": {
                    "inactive_file": stats.memory_inactive_file_bytes,
                    "total_inactive_file": stats.memory_inactive_file_bytes,
                },
                "limit": limit,
            },
        });
        if let Some(previous) = previous {
            shown["preread"] = previous.at.to_rfc3339().into();
            shown["precpu_stats"] = cpu(&previous);
            shown["network_rate_stats"] = rates(&previous, &now);
        }
        if let Some(counters) = counters {
            shown["networks"] = json!({ "eth0": counters });
        }
        shown
    }

    /// Returns the statistics of every container by its id.
    pub(super) fn task(&self, source: &Source, record: &Record) -> Value {
        let all = record.notes.iter().enumerate();
        let shown: Map<String, Value> =
            all.map(|(place, note)| (note.id.clone(), self.container(source, record, place))).collect();
        Value::Object(shown)
    }
}

/// Returns what came in and went out in a second, as ECS's agent adds it to Docker's statistics.
#[expect(clippy::cast_precision_loss, reason = "nobody reads rates to the last of sixteen digits")]
fn rates(before: &Sample, now: &Sample) -> Value {
    let secs = now.at.since(before.at).as_secs_f64().max(0.001);
    let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / secs;
    json!({
        "rx_bytes_per_sec": rate(before.network.0, now.network.0),
        "tx_bytes_per_sec": rate(before.network.1, now.network.1),
    })
}

fn cpu(sample: &Sample) -> Value {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    json!({
        "cpu_usage": {
            "total_usage": sample.stats.cpu_nanos,
            "usage_in_usermode": sample.stats.cpu_user_nanos,
            "usage_in_kernelmode": sample.stats.cpu_system_nanos,
        },
        "system_cpu_usage": sample.system_nanos,
        "online_cpus": processors,
        "throttling_data": {
            "periods": sample.stats.cpu_periods,
            "throttled_periods": sample.stats.cpu_throttled_periods,
            "throttled_time": sample.stats.cpu_throttled_nanos,
        },
    })
}

/// Returns the processor time of the whole machine since its start; the kernel counts in hundredths of a second.
fn system_nanos() -> u64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or("");
    let ticks: u64 =
        line.split_whitespace().skip(1).take(8).filter_map(|tick| tick.parse::<u64>().ok()).sum();
    ticks.saturating_mul(10_000_000)
}

/// Returns the counters of a veth pair, read at the host's end: what went out there came in at the task's.
fn network(veth: &str) -> Value {
    let counter = |name: &str| -> u64 {
        let text = fs::read_to_string(format!("/sys/class/net/{veth}/statistics/{name}"));
        text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    };
    json!({
        "rx_bytes": counter("tx_bytes"),
        "rx_packets": counter("tx_packets"),
        "rx_errors": counter("tx_errors"),
        "rx_dropped": counter("tx_dropped"),
        "tx_bytes": counter("rx_bytes"),
        "tx_packets": counter("rx_packets"),
        "tx_errors": counter("rx_errors"),
        "tx_dropped": counter("rx_dropped"),
    })
}

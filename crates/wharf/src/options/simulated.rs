//! Nodes that are simulated instead of this machine's own.

use super::Options;
use anyhow::{Context, bail};
use camino::Utf8PathBuf;
use clap::Args;
use std::time::Duration;
use wharf_control::simulated::Fleet;
use wharf_model::{CpuUnits, Mebibytes};

/// The most nodes: each has a connection, with a file descriptor at both ends.
const NODES_MAX: u32 = 10_000;

/// How many nodes are simulated, and how tasks fare on them.
#[derive(Debug, Clone, PartialEq, Args)]
pub(crate) struct Simulated {
    /// Simulate so many nodes: the API and its decisions are real, and nothing runs. Needs no root, only directories
    /// of its own. There is no balancer, so targets stay as they are.
    #[arg(long, value_name = "COUNT", default_value_t = 0, hide_default_value = true)]
    pub(crate) simulated_nodes: u32,
    /// The processors of each simulated node, in CPU units.
    #[arg(long, value_name = "UNITS", default_value_t = 16_384)]
    pub(crate) simulated_cpu: u32,
    /// The memory of each simulated node, in mebibytes.
    #[arg(long, value_name = "MEBIBYTES", default_value_t = 65_536)]
    pub(crate) simulated_memory: u32,
    /// How long simulated tasks take to start, such as 100ms or 2s.
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = parse_time)]
    pub(crate) simulated_start: Duration,
    /// How much longer some of them take, at most.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = parse_time)]
    pub(crate) simulated_start_spread: Duration,
    /// The part of simulated tasks, from 0 to 1, that fails to start.
    #[arg(long, value_name = "PART", default_value_t = 0.0, value_parser = parse_part)]
    pub(crate) simulated_failures: f64,
    /// The part of simulated tasks with a health check, from 0 to 1, that fails it.
    #[arg(long, value_name = "PART", default_value_t = 0.0, value_parser = parse_part)]
    pub(crate) simulated_unhealthy: f64,
    /// Where the chance of simulated tasks begins: the same number tells the same story.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) simulated_seed: u64,
}

// Parts are read from text and never computed, so that each equals itself.
impl Eq for Simulated {}

impl Simulated {
    /// Returns the simulated nodes, if there are any.
    pub(crate) fn fleet(&self) -> Option<Fleet> {
        (self.simulated_nodes > 0).then_some(Fleet {
            nodes: self.simulated_nodes,
            cpu: CpuUnits(self.simulated_cpu),
            memory: Mebibytes(self.simulated_memory),
            start: self.simulated_start,
            spread: self.simulated_start_spread,
            failures: self.simulated_failures,
            unhealthy: self.simulated_unhealthy,
            seed: self.simulated_seed,
        })
    }

    /// Returns the same options as arguments.
    pub(super) fn to_args(&self) -> Vec<String> {
        if self.simulated_nodes == 0 {
            return Vec::new();
        }
        vec![
            format!("--simulated-nodes={}", self.simulated_nodes),
            format!("--simulated-cpu={}", self.simulated_cpu),
            format!("--simulated-memory={}", self.simulated_memory),
            format!("--simulated-start={}us", self.simulated_start.as_micros()),
            format!("--simulated-start-spread={}us", self.simulated_start_spread.as_micros()),
            format!("--simulated-failures={}", self.simulated_failures),
            format!("--simulated-unhealthy={}", self.simulated_unhealthy),
            format!("--simulated-seed={}", self.simulated_seed),
        ]
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.simulated_nodes > NODES_MAX {
            bail!("--simulated-nodes {}: there can be at most {NODES_MAX}", self.simulated_nodes);
        }
        Ok(())
    }
}

/// Keeps simulated and real nodes apart: a state belongs to the ones or to the others, because tasks of the ones are
/// nothing to the others.
pub(crate) fn claim_state(options: &Options) -> anyhow::Result<()> {
    let mark: Utf8PathBuf = options.state_dir.join("simulated");
    if options.is_simulated() {
        if !mark.exists() && options.state_file().exists() {
            bail!(
                "the state in {} is that of a real Wharf: give simulated nodes a --state-dir of their own",
                options.state_dir
            );
        }
        std::fs::write(&mark, "").with_context(|| format!("write {mark}"))
    } else if mark.exists() {
        bail!(
            "the state in {} is that of simulated nodes: start it with --simulated-nodes, or choose another --state-dir",
            options.state_dir
        );
    } else {
        Ok(())
    }
}

fn parse_part(given: &str) -> Result<f64, String> {
    let part = given.parse().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| format!("'{given}' is not a number from 0 to 1"))
}

/// Reads a time with its unit: `250us`, `100ms`, `2s`.
fn parse_time(given: &str) -> Result<Duration, String> {
    let wrong = || format!("'{given}' is not a time, such as 100ms or 2s");
    let at = given.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = given[..at].parse().map_err(|_| wrong())?;
    match &given[at..] {
        "us" => Ok(Duration::from_micros(number)),
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        _ => Err(wrong()),
    }
}

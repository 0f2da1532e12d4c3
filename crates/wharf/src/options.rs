//! What all four processes are told, and how one passes it on to the others.

mod simulated;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Parser, ValueEnum};
pub(crate) use simulated::{Simulated, claim_state};
use std::net::{Ipv4Addr, SocketAddr};
use wharf_model::network::Cidr;

/// Options that `wharf up` and each of its processes share.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Options {
    /// Where state is kept.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/wharf")]
    pub(crate) state_dir: Utf8PathBuf,
    /// Where sockets and process ids are kept; each Wharf on a machine needs its own.
    #[arg(long, value_name = "DIR", default_value = "/run/wharf")]
    pub(crate) run_dir: Utf8PathBuf,
    /// Where the API and the image registry answer.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4566")]
    pub(crate) endpoint: SocketAddr,
    /// The region that ARNs carry; requests signed for any region are served.
    #[arg(long, default_value = "us-east-1")]
    pub(crate) region: String,
    /// Whether signatures are verified; `off` only with an endpoint on loopback.
    #[arg(long, value_enum, default_value_t = Auth::On)]
    pub(crate) auth: Auth,
    /// Keep nothing after `wharf down`, and offer `POST /_wharf/reset`.
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// The default VPC's addresses, a block of /16 to /26; its three subnets have /20, or a quarter each of a smaller one.
    #[arg(long, value_name = "CIDR", default_value = "172.31.0.0/16")]
    pub(crate) vpc_cidr: Cidr,
    /// The block that public addresses are taken from.
    #[arg(long, value_name = "CIDR", default_value = "198.18.0.0/16")]
    pub(crate) public_cidr: Cidr,
    /// Addresses of this host that internet-facing load balancers are also served on.
    #[arg(long = "host-address", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host_addresses: Vec<Ipv4Addr>,
    /// Seconds that a service's task without health checks runs before it counts as healthy
    /// [default: 40 as on AWS, 2 with --ephemeral].
    #[arg(long, value_name = "SECONDS")]
    pub(crate) healthy_after: Option<u32>,
    /// Network interfaces kept ready for tasks to come.
    #[arg(long, value_name = "COUNT", default_value_t = 8)]
    pub(crate) ready_slots: usize,
    /// Bytes that unpacked images may take before those that no task has are removed, such as 20G
    /// [default: as many as the disk has].
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) image_cache_max: Option<u64>,
    /// Percent of the disk that stay free: while there is less, images that no task has are removed.
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=90))]
    pub(crate) image_disk_free: u8,
    /// Leave /etc/hosts alone: names of load balancers then resolve only where `*.localhost` does.
    #[arg(long)]
    pub(crate) no_hosts_file: bool,
    /// Leave the kernel's `favordynmods` for control groups as it is: tasks start some 10 ms later, and forks
    /// and exits of the whole machine cost as little as before.
    #[arg(long)]
    pub(crate) no_favordynmods: bool,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

/// The options alone, as a started Wharf kept them.
#[derive(Parser)]
struct Started {
    #[command(flatten)]
    options: Options,
}

/// Whether signatures are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// They are.
    On,
    /// Any caller is taken for the account's owner.
    Off,
}

impl Options {
    /// Returns the same options as arguments.
    pub(crate) fn to_args(&self) -> Vec<String> {
        let mut args = vec![
            format!("--state-dir={}", self.state_dir),
            format!("--run-dir={}", self.run_dir),
            format!("--endpoint={}", self.endpoint),
            format!("--region={}", self.region),
            format!("--auth={}", if self.auth == Auth::On { "on" } else { "off" }),
            format!("--vpc-cidr={}", self.vpc_cidr),
            format!("--public-cidr={}", self.public_cidr),
            format!("--ready-slots={}", self.ready_slots),
            format!("--image-disk-free={}", self.image_disk_free),
        ];
        args.extend(self.image_cache_max.map(|bytes| format!("--image-cache-max={bytes}")));
        args.extend(self.host_addresses.iter().map(|address| format!("--host-address={address}")));
        args.extend(self.healthy_after.map(|seconds| format!("--healthy-after={seconds}")));
        args.extend(self.ephemeral.then(|| "--ephemeral".to_owned()));
        args.extend(self.no_hosts_file.then(|| "--no-hosts-file".to_owned()));
        args.extend(self.no_favordynmods.then(|| "--no-favordynmods".to_owned()));
        args.extend(self.simulated.to_args());
        args
    }

    /// Returns the options with what follows from them: an ephemeral Wharf keeps its state beside its sockets.
    pub(crate) fn settled(mut self) -> Options {
        if self.ephemeral {
            self.state_dir = self.run_dir.join("state");
        }
        // Names of load balancers that nobody serves have no place there.
        self.no_hosts_file |= self.is_simulated();
        self
    }

    /// Returns the options that the Wharf in this run directory was last started with; these, if it never was.
    pub(crate) fn recorded(self) -> Options {
        let Ok(text) = std::fs::read_to_string(self.started_file()) else { return self.settled() };
        match Started::try_parse_from(std::iter::once("wharf").chain(text.lines())) {
            Ok(Started { options }) => options,
            Err(_) => self.settled(),
        }
    }

    /// Keeps the options for those who only name the run directory.
    pub(crate) fn keep(&self) -> anyhow::Result<()> {
        let file = self.started_file();
        std::fs::write(&file, self.to_args().join("\n")).with_context(|| format!("write {file}"))
    }

    fn started_file(&self) -> Utf8PathBuf {
        self.run_dir.join("options")
    }

    /// Returns what cannot be served, named, before anything starts.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let Options { region, vpc_cidr, public_cidr, endpoint, auth, state_dir, run_dir, .. } = self;
        if region.is_empty()
            || !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            anyhow::bail!("--region '{region}' is not a region's name, such as us-east-1");
        }
        if !(16..=26).contains(&vpc_cidr.prefix) {
            anyhow::bail!("--vpc-cidr {vpc_cidr} is not a block of /16 to /26");
        }
        self.simulated.check()?;
        if vpc_cidr.overlaps(public_cidr) {
            anyhow::bail!("--public-cidr {public_cidr} overlaps --vpc-cidr {vpc_cidr}");
        }
        if *auth == Auth::Off && !endpoint.ip().is_loopback() {
            anyhow::bail!("--auth off is only for an endpoint on loopback, not {endpoint}");
        }
        for dir in [state_dir, run_dir] {
            if !dir.is_absolute() || dir == Utf8Path::new("/") {
                anyhow::bail!(
                    "'{dir}' is not an absolute path of a directory that Wharf can have for itself"
                );
            }
        }
        Ok(())
    }

    /// Returns whether nodes are simulated, and nothing of this machine is used.
    pub(crate) fn is_simulated(&self) -> bool {
        self.simulated.simulated_nodes > 0
    }

    /// Returns the seconds after which a task without health checks counts as healthy.
    pub(crate) fn healthy_after_secs(&self) -> u32 {
        self.healthy_after.unwrap_or(if self.ephemeral { 2 } else { 40 })
    }

    /// Returns the state file.
    pub(crate) fn state_file(&self) -> Utf8PathBuf {
        self.state_dir.join("state.redb")
    }

    /// Returns the socket on which control listens for the agent.
    pub(crate) fn node_socket(&self) -> Utf8PathBuf {
        self.run_dir.join("node.sock")
    }

    /// Returns the socket on which control listens for the balancer.
    pub(crate) fn balancer_socket(&self) -> Utf8PathBuf {
        self.run_dir.join("balancer.sock")
    }

    /// Returns the socket on which keeper listens for the agent.
    pub(crate) fn keeper_socket(&self) -> Utf8PathBuf {
        self.run_dir.join("keeper.sock")
    }

    /// Returns the socket on which the command line reaches control.
    pub(crate) fn control_socket(&self) -> Utf8PathBuf {
        self.run_dir.join("control.sock")
    }

    /// Returns the socket on which the command line reaches the agent.
    pub(crate) fn agent_socket(&self) -> Utf8PathBuf {
        self.run_dir.join("agent.sock")
    }

    /// Returns the file that a running `wharf up` holds locked.
    pub(crate) fn lock_file(&self) -> Utf8PathBuf {
        self.run_dir.join("wharf.lock")
    }

    /// Returns the file that names a process of this Wharf.
    pub(crate) fn pid_file(&self, process: &str) -> Utf8PathBuf {
        self.run_dir.join(format!("{process}.pid"))
    }
}

/// Reads a number of bytes, with or without a unit: `500M`, `20G`, `1T`.
fn parse_size(given: &str) -> Result<u64, String> {
    let text = given.trim().trim_end_matches(['b', 'B']).trim_end_matches(['i', 'I']);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1_u64 << 40,
        _ => return Err(format!("'{given}' is not a size, such as 500M or 20G")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("'{given}' is not a size, such as 500M or 20G"))?;
    number.checked_mul(unit).ok_or_else(|| format!("'{given}' is too large"))
}

#[cfg(test)]
mod tests;

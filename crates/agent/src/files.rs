//! The files that a task's containers find in `/etc`.

use std::{fmt::Write, fs, net::Ipv4Addr};

/// Where the host's resolvers are named.
pub(crate) const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Returns `/etc/hosts`.
pub(crate) fn hosts(address: Option<Ipv4Addr>, name: &str) -> String {
    let own = address.unwrap_or(Ipv4Addr::LOCALHOST);
    format!("127.0.0.1 localhost\n{own} {name}\n")
}

/// Returns a file of the host as it is now; nothing when it cannot be read.
pub(crate) fn of_host(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Returns the host's name.
pub(crate) fn host_name() -> String {
    of_host("/proc/sys/kernel/hostname").trim().to_owned()
}

/// Returns `/etc/resolv.conf`.
pub(crate) fn resolv_conf(region: &str, nameservers: &[Ipv4Addr]) -> String {
    let mut text = format!("search {region}.compute.internal\n");
    for server in nameservers {
        let _infallible = writeln!(text, "nameserver {server}");
    }
    text
}

#[cfg(test)]
mod tests;

//! The files that a task's containers find in `/etc`.

use std::{fmt::Write, fs, net::Ipv4Addr};

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

/// Returns the host's name servers that a task can reach: not those that only listen on the host's loopback.
pub(crate) fn host_nameservers() -> Vec<Ipv4Addr> {
    // Where systemd-resolved is the host's resolver, the second file names the servers behind it.
    let files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
    let texts = files.iter().filter_map(|path| fs::read_to_string(path).ok());
    texts.map(|text| reachable(&text)).find(|servers| !servers.is_empty()).unwrap_or_default()
}

fn reachable(text: &str) -> Vec<Ipv4Addr> {
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let servers = servers.filter_map(|rest| rest.trim().parse::<Ipv4Addr>().ok());
    servers.filter(|server| !server.is_loopback() && !server.is_unspecified()).take(3).collect()
}

#[cfg(test)]
mod tests;

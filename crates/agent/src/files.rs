//! The files that a task's containers find in `/etc`.

use std::{fmt::Write, fs, net::Ipv4Addr};
use wharf_model::task_definition::{ContainerDefinition, HostEntry};

/// Where the host's resolvers are named.
pub(crate) const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Returns `/etc/hosts`.
pub(crate) fn hosts(address: Option<Ipv4Addr>, name: &str, more: &[HostEntry]) -> String {
    let own = address.unwrap_or(Ipv4Addr::LOCALHOST);
    format!("127.0.0.1 localhost\n{own} {name}\n{}", entries(more))
}

/// Returns further lines of `/etc/hosts`.
pub(crate) fn entries(more: &[HostEntry]) -> String {
    more.iter().fold(String::new(), |mut text, HostEntry { hostname, ip_address }| {
        let _infallible = writeln!(text, "{ip_address} {hostname}");
        text
    })
}

/// Returns a file of the host as it is now; nothing when it cannot be read.
pub(crate) fn of_host(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Returns the host's name.
pub(crate) fn host_name() -> String {
    of_host("/proc/sys/kernel/hostname").trim().to_owned()
}

/// Returns `/etc/resolv.conf`: what a container's definition says, and the node's where it says nothing.
pub(crate) fn resolv_conf(
    region: &str,
    nameservers: &[Ipv4Addr],
    definition: &ContainerDefinition,
) -> String {
    let mut text = match definition.dns_search_domains.as_slice() {
        [] => format!("search {region}.compute.internal\n"),
        domains => format!("search {}\n", domains.join(" ")),
    };
    let own = definition.dns_servers.iter().cloned();
    let nodes = nameservers.iter().filter(|_| definition.dns_servers.is_empty()).map(Ipv4Addr::to_string);
    for server in own.chain(nodes) {
        let _infallible = writeln!(text, "nameserver {server}");
    }
    text
}

/// Returns the name servers that a `resolv.conf` names.
pub(crate) fn nameservers(text: &str) -> Vec<Ipv4Addr> {
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers.filter_map(|rest| rest.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests;

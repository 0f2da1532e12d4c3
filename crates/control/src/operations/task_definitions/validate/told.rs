//! The rules of what a container is told about itself and its surroundings.

use crate::operations::Error;
use std::net::IpAddr;
use wharf_model::task_definition::{ContainerDefinition, NetworkMode};

/// The longest host name that Linux takes.
const HOSTNAME_MAX: usize = 64;

/// Checks them for one container.
pub(super) fn check(container: &ContainerDefinition, network_mode: NetworkMode) -> Result<(), Error> {
    if network_mode == NetworkMode::Awsvpc {
        check_own_interface(container)?;
    }
    if !container.links.is_empty() && network_mode != NetworkMode::Bridge {
        return Err(Error::client("Links are only supported when networkMode=bridge."));
    }
    let name = &container.name;
    let invalid = |member: &str, given: &str| {
        Err(Error::client(format!("Invalid {member} '{given}' in container '{name}'.")))
    };
    if let Some(hostname) = container.hostname.as_ref().filter(|hostname| !is_hostname(hostname)) {
        return invalid("hostname", hostname);
    }
    let is_address = |given: &str| given.parse::<IpAddr>().is_ok();
    if let Some(server) = container.dns_servers.iter().find(|server| !is_address(server)) {
        return invalid("dnsServers", server);
    }
    if let Some(domain) = container.dns_search_domains.iter().find(|domain| !is_domain(domain)) {
        return invalid("dnsSearchDomains", domain);
    }
    for entry in &container.extra_hosts {
        if !is_domain(&entry.hostname) {
            return invalid("hostname of extraHosts", &entry.hostname);
        }
        if !is_address(&entry.ip_address) {
            return invalid("ipAddress of extraHosts", &entry.ip_address);
        }
    }
    if let Some(path) = container.working_directory.as_ref().filter(|path| !path.starts_with('/')) {
        return Err(Error::client(format!(
            "The working directory '{path}' of container '{name}' is invalid, it needs to be an absolute path."
        )));
    }
    check_words(container)
}

/// With an interface of its own a task's name and name servers are the interface's, for all of its containers.
fn check_own_interface(container: &ContainerDefinition) -> Result<(), Error> {
    let refused = [
        (!container.links.is_empty(), "Links are not supported when networkMode=awsvpc."),
        (container.hostname.is_some(), "hostname is not supported on container when networkMode=awsvpc."),
        (
            !container.extra_hosts.is_empty(),
            "Extra hosts are not supported on container when networkMode=awsvpc.",
        ),
        (
            !container.dns_servers.is_empty(),
            "DNS servers are not supported on container when networkMode=awsvpc.",
        ),
        (
            !container.dns_search_domains.is_empty(),
            "DNS search domains are not supported on container when networkMode=awsvpc.",
        ),
        (
            container.disable_networking == Some(true),
            "Disable Networking is not supported on container when networkMode=awsvpc.",
        ),
    ];
    match refused.into_iter().find(|(asked, _)| *asked) {
        Some((_, reason)) => Err(Error::client(reason)),
        None => Ok(()),
    }
}

/// What no program can be given: words with a zero in them, and variables without a name.
fn check_words(container: &ContainerDefinition) -> Result<(), Error> {
    let name = &container.name;
    let words = container.command.iter().chain(&container.entry_point).flatten();
    let values = container.environment.iter().map(|(_, value)| value);
    if let Some(word) = words.chain(values).find(|word| word.contains('\0')) {
        return Err(Error::client(format!("Invalid value {word:?} in container '{name}'.")));
    }
    let unusable = |(variable, _): &&(String, String)| variable.is_empty() || variable.contains(['=', '\0']);
    match container.environment.iter().find(unusable) {
        Some((variable, _)) => Err(Error::client(format!(
            "Invalid name {variable:?} of an environment variable in container '{name}'."
        ))),
        None => Ok(()),
    }
}

fn is_hostname(given: &str) -> bool {
    given.len() <= HOSTNAME_MAX && is_domain(given)
}

/// Letters, numbers and hyphens between dots.
fn is_domain(given: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(plain);
    given.len() <= 253 && given.trim_end_matches('.').split('.').all(label)
}

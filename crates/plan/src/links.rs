//! Links between the containers of a bridged task, as Docker knows them: a container finds another by its name or by an
//! alias, and its ports by variables. The containers of a task share its network, so all of them are at its address.

#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;
use wharf_model::task_definition::{ContainerDefinition, Transport};

/// A link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// The container that it leads to.
    pub container: &'a str,
    /// What the other is called there.
    pub alias: &'a str,
}

/// Reads `container` or `container:alias`.
pub fn read(given: &str) -> Option<Link<'_>> {
    let (container, alias) = given.split_once(':').unwrap_or((given, given));
    let plain = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    (plain(container) && plain(alias)).then_some(Link { container, alias })
}

/// Returns a container's links, with those that they lead to.
fn of<'a>(
    containers: &[&'a ContainerDefinition],
    place: usize,
) -> impl Iterator<Item = (Link<'a>, &'a ContainerDefinition)> {
    let links = containers.get(place).map(|container| container.links.as_slice()).unwrap_or_default();
    links.iter().filter_map(|given| {
        let link = read(given)?;
        Some((link, *containers.iter().find(|other| other.name == link.container)?))
    })
}

/// Returns the places of those that a container has links to.
pub fn places(containers: &[&ContainerDefinition], place: usize) -> Vec<usize> {
    let found = of(containers, place);
    found.filter_map(|(link, _)| containers.iter().position(|other| other.name == link.container)).collect()
}

/// Returns the names by which a container finds others at the task's address.
pub fn names<'a>(containers: &[&'a ContainerDefinition], place: usize) -> Vec<&'a str> {
    let mut names: Vec<&str> =
        of(containers, place).flat_map(|(link, _)| [link.alias, link.container]).collect();
    names.dedup();
    names
}

/// Returns the variables that Docker sets for links: `<ALIAS>_NAME`, `<ALIAS>_PORT` for the first port, and for each port
/// `<ALIAS>_PORT_<number>_<transport>` with its parts; then the other's own variables as `<ALIAS>_ENV_<name>`.
pub fn variables(
    containers: &[&ContainerDefinition],
    place: usize,
    address: Ipv4Addr,
) -> Vec<(String, String)> {
    let own = containers.get(place).map(|container| container.name.as_str()).unwrap_or_default();
    let mut all = Vec::new();
    for (link, other) in of(containers, place) {
        let prefix: String = link.alias.to_ascii_uppercase().replace(['-', '.'], "_");
        let mut set = |name: String, value: String| all.push((format!("{prefix}_{name}"), value));
        set("NAME".to_owned(), format!("/{own}/{}", link.alias));
        let mut ports: Vec<(u16, &str)> = Vec::new();
        for mapping in &other.port_mappings {
            let transport = match mapping.protocol {
                Transport::Tcp => "tcp",
                Transport::Udp => "udp",
            };
            let last = mapping.container_port_last.unwrap_or(mapping.container_port);
            ports.extend((mapping.container_port..=last).map(|port| (port, transport)));
        }
        ports.sort_unstable();
        if let Some((port, transport)) = ports.first() {
            set("PORT".to_owned(), format!("{transport}://{address}:{port}"));
        }
        for (port, transport) in ports {
            let name = format!("PORT_{port}_{}", transport.to_ascii_uppercase());
            set(name.clone(), format!("{transport}://{address}:{port}"));
            set(format!("{name}_ADDR"), address.to_string());
            set(format!("{name}_PORT"), port.to_string());
            set(format!("{name}_PROTO"), transport.to_owned());
        }
        for (name, value) in &other.environment {
            set(format!("ENV_{name}"), value.clone());
        }
    }
    all
}

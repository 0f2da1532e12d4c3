//! What a container sees of volumes: its own mount points, and those of the containers whose volumes it has.

use wharf_model::task_definition::{ContainerDefinition, MountPoint};

#[cfg(test)]
mod tests;

/// A volume at a place of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// The volume's name.
    pub volume: String,
    /// The path in the container.
    pub path: String,
    /// Whether it may only be read.
    pub read_only: bool,
}

/// Returns what one of a task's containers sees. Its own mount points go before those of others at the same path, as with
/// Docker.
pub fn of(containers: &[&ContainerDefinition], place: usize) -> Vec<Mounted> {
    let mut seen = Vec::new();
    collect(containers, place, false, &mut Vec::new(), &mut seen);
    seen
}

fn collect(
    containers: &[&ContainerDefinition],
    place: usize,
    read_only: bool,
    asked: &mut Vec<usize>,
    seen: &mut Vec<Mounted>,
) {
    // Definitions in which containers have each other's volumes are refused; this only ends in any case.
    if asked.contains(&place) {
        return;
    }
    asked.push(place);
    for MountPoint { source_volume, container_path, read_only: own } in &containers[place].mount_points {
        if !seen.iter().any(|known| same(&known.path, container_path)) {
            seen.push(Mounted {
                volume: source_volume.clone(),
                path: container_path.clone(),
                read_only: read_only || own.unwrap_or(false),
            });
        }
    }
    for from in &containers[place].volumes_from {
        let other = containers.iter().position(|other| other.name == from.source_container);
        if let Some(other) = other {
            collect(containers, other, read_only || from.read_only.unwrap_or(false), asked, seen);
        }
    }
    asked.pop();
}

/// Returns whether two absolute paths are written differently at most.
pub fn same(one: &str, other: &str) -> bool {
    let parts = |path: &'_ str| -> Vec<String> {
        path.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
    };
    parts(one) == parts(other)
}

/// Returns the first container that has, by way of others, its own volumes.
pub fn circle<'a>(containers: &[&'a ContainerDefinition]) -> Option<&'a str> {
    let leads_back = |start: &&ContainerDefinition| {
        let mut open: Vec<&str> = sources(start);
        let mut known: Vec<&str> = Vec::new();
        while let Some(name) = open.pop() {
            if name == start.name {
                return true;
            }
            if !known.contains(&name) {
                known.push(name);
                let found = containers.iter().find(|container| container.name == name);
                open.extend(found.map(|found| sources(found)).unwrap_or_default());
            }
        }
        false
    };
    containers
        .iter()
        .copied()
        .find(|container| leads_back(container))
        .map(|container| container.name.as_str())
}

fn sources<'a>(container: &&'a ContainerDefinition) -> Vec<&'a str> {
    container.volumes_from.iter().map(|from| from.source_container.as_str()).collect()
}

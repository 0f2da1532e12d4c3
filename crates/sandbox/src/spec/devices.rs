//! Devices of the host in a container: their nodes, and the rules that let them be opened.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::stat::{major, minor};
use serde_json::{Value, json};

use super::{ContainerSpec, SpecError};

/// What below `/dev` a container has of its own.
const OWN: [&str; 5] = ["/dev/console", "/dev/fd", "/dev/mqueue", "/dev/pts", "/dev/shm"];

/// What a container sees of the host's devices.
#[derive(Debug, Default)]
pub(super) struct Devices {
    /// Nodes to be made below `/dev`.
    pub(super) nodes: Vec<Value>,
    /// Nodes that are bound, because the runtime makes none outside of `/dev`.
    pub(super) bound: Vec<(Utf8PathBuf, String)>,
    /// What may be opened, in the order in which it counts.
    pub(super) rules: Vec<Value>,
}

/// Looks a container's devices up on the host.
pub(super) fn look_up(spec: &ContainerSpec) -> Result<Devices, SpecError> {
    let mut devices = Devices::default();
    if spec.privileged {
        devices.rules.push(json!({ "allow": true, "access": "rwm" }));
        for (path, metadata) in below(Utf8Path::new("/dev")).unwrap_or_default() {
            devices.nodes.extend(node(path.as_str(), &metadata));
        }
    } else {
        devices.rules.push(json!({ "allow": false, "access": "rwm" }));
    }
    for device in &spec.devices {
        let failed = |source| SpecError::Device { path: device.source.clone(), source };
        let metadata = fs::metadata(&device.source).map_err(failed)?;
        let found = if metadata.is_dir() {
            below(&device.source).map_err(failed)?
        } else {
            vec![(device.source.clone(), metadata)]
        };
        let before = devices.rules.len();
        for (path, metadata) in found {
            let below = path.strip_prefix(&device.source).unwrap_or(Utf8Path::new(""));
            let destination = Utf8Path::new(&device.destination).join(below);
            let destination = destination.as_str().trim_end_matches('/');
            let Some(node) = node(destination, &metadata) else { continue };
            devices.rules.push(json!({
                "allow": true, "access": device.access,
                "type": node["type"], "major": node["major"], "minor": node["minor"],
            }));
            if destination.starts_with("/dev/") {
                devices.nodes.push(node);
            } else {
                devices.bound.push((path, destination.to_owned()));
            }
        }
        if devices.rules.len() == before {
            return Err(failed(io::Error::other("no device node")));
        }
    }
    Ok(devices)
}

/// Returns the device nodes in a directory and those below it; links are not followed.
fn below(dir: &Utf8Path) -> io::Result<Vec<(Utf8PathBuf, fs::Metadata)>> {
    let mut found = Vec::new();
    for entry in dir.read_dir_utf8()? {
        let path = entry?.into_path();
        // A device may go while others are looked at.
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if OWN.contains(&path.as_str()) || path == "/dev/ptmx" {
            continue;
        }
        if metadata.is_dir() {
            found.extend(below(&path)?);
        } else if metadata.file_type().is_char_device() || metadata.file_type().is_block_device() {
            found.push((path, metadata));
        }
    }
    Ok(found)
}

fn node(destination: &str, metadata: &fs::Metadata) -> Option<Value> {
    let kind = metadata.file_type();
    let letter = match (kind.is_char_device(), kind.is_block_device()) {
        (true, _) => "c",
        (_, true) => "b",
        (false, false) => return None,
    };
    Some(json!({
        "path": destination, "type": letter,
        "major": major(metadata.rdev()), "minor": minor(metadata.rdev()),
        "fileMode": metadata.mode() & 0o777, "uid": metadata.uid(), "gid": metadata.gid(),
    }))
}

//! What is mounted in a container.

use camino::Utf8Path;
use serde_json::{Value, json};

use super::devices::Devices;
use super::{ContainerSpec, Joins, Sharing, SpecError};
use crate::rootfs::{aside, is_late};

const DEFAULT_SHM_MIB: u64 = 64;

/// Returns the mounts, in the order in which they are made.
pub(super) fn mounts(
    spec: &ContainerSpec,
    devices: &Devices,
    joins: &Joins,
) -> Result<Vec<Value>, SpecError> {
    // The kernel's own file systems can be written only by those who may do what root of the host may do.
    let access = if spec.privileged { "rw" } else { "ro" };
    let mount = |destination: &str, kind: &str, options: &[&str]| json!({ "destination": destination, "type": kind, "source": kind, "options": options });
    let mut mounts = vec![
        mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "/dev/pts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", access]),
    ];
    if joins.cgroups.is_empty() {
        mounts.push(mount("/sys/fs/cgroup", "cgroup", &[access, "nosuid", "noexec", "nodev"]));
    } else {
        mounts.push(mount("/sys/fs/cgroup", "tmpfs", &["nosuid", "noexec", "nodev", "mode=755"]));
        for (controller, source) in &joins.cgroups {
            mounts.push(json!({
                "destination": format!("/sys/fs/cgroup/{controller}"), "type": "bind", "source": source,
                "options": ["bind", "rprivate", "nosuid", "noexec", "nodev", access],
            }));
        }
    }
    mounts.push(mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]));
    let shm = if spec.shm_size_mib == 0 { DEFAULT_SHM_MIB } else { spec.shm_size_mib };
    mounts.push(match (&spec.ipc, &joins.shm) {
        (Sharing::With(_), Some(shm)) => bind(shm.as_str(), "/dev/shm", false)?,
        (Sharing::Host, _) => bind("/dev/shm", "/dev/shm", false)?,
        _ => mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", &format!("size={shm}m")]),
    });
    let mut own = Vec::new();
    for tmpfs in &spec.tmpfs {
        // Docker's defaults; what is asked for comes after them and counts.
        let mut options = ["nosuid", "noexec", "nodev"].map(str::to_owned).to_vec();
        options.push(format!("size={}m", tmpfs.size_mib));
        options.extend(tmpfs.options.iter().cloned());
        own.push(json!({
            "destination": absolute(&tmpfs.destination)?, "type": "tmpfs", "source": "tmpfs",
            "options": options,
        }));
    }
    for (place, given) in spec.mounts.iter().enumerate() {
        absolute(given.source.as_str())?;
        absolute(&given.destination)?;
        // The others are in the root file system already.
        if is_late(spec, &given.destination) {
            own.push(bind(aside(&spec.dir, place).as_str(), &given.destination, given.read_only)?);
        }
    }
    // What is mounted inside of another mount comes after it, in whatever order they were given.
    own.sort_by_key(|mount| {
        let destination = mount["destination"].as_str().unwrap_or_default();
        Utf8Path::new(destination).components().count()
    });
    mounts.extend(own);
    for (source, destination) in &devices.bound {
        mounts.push(bind(source.as_str(), destination, false)?);
    }
    Ok(mounts)
}

fn bind(source: &str, destination: &str, read_only: bool) -> Result<Value, SpecError> {
    let access = if read_only { "ro" } else { "rw" };
    Ok(json!({
        "destination": absolute(destination)?, "type": "bind", "source": absolute(source)?,
        "options": ["rbind", "rprivate", access],
    }))
}

fn absolute(path: &str) -> Result<&str, SpecError> {
    if path.starts_with('/') { Ok(path) } else { Err(SpecError::RelativePath(path.to_owned())) }
}

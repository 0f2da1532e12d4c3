//! Where control groups are mounted.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{CgroupError, failed};

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// The hierarchies of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hierarchy {
    /// One hierarchy per controller (also beside an empty v2 tree): mount points by controller, named hierarchies
    /// by `name=…`.
    V1 { mounts: BTreeMap<String, Utf8PathBuf> },
    /// The unified hierarchy.
    V2 { mount: Utf8PathBuf },
}

impl Hierarchy {
    /// Finds out what is mounted.
    pub fn detect() -> Result<Hierarchy, CgroupError> {
        let mountinfo =
            std::fs::read_to_string(MOUNTINFO).map_err(failed("read", Utf8Path::new(MOUNTINFO)))?;
        Hierarchy::parse(&mountinfo).ok_or(CgroupError::NoHierarchy)
    }

    /// Reads the text of a mountinfo file.
    pub(super) fn parse(mountinfo: &str) -> Option<Hierarchy> {
        let mut mounts = BTreeMap::new();
        let mut unified = None;
        for line in mountinfo.lines() {
            let Some((before, after)) = line.split_once(" - ") else { continue };
            let Some(at) = before.split(' ').nth(4) else { continue };
            if !at.starts_with("/sys/fs/cgroup") {
                continue;
            }
            let mut after = after.split(' ');
            match (after.next(), after.nth(1)) {
                (Some("cgroup"), Some(options)) => {
                    let names = options.split(',').filter(|option| !matches!(*option, "rw" | "ro" | "xattr"));
                    for name in names {
                        mounts.entry(name.to_owned()).or_insert_with(|| Utf8PathBuf::from(at));
                    }
                }
                (Some("cgroup2"), _) => unified = Some(Utf8PathBuf::from(at)),
                _ => {}
            }
        }
        if ["cpu", "memory", "pids"].iter().all(|controller| mounts.contains_key(*controller)) {
            Some(Hierarchy::V1 { mounts })
        } else {
            unified.map(|mount| Hierarchy::V2 { mount })
        }
    }

    /// Returns where a controller's hierarchy is mounted.
    pub(super) fn mount(&self, controller: &str) -> Option<&Utf8Path> {
        match self {
            Hierarchy::V1 { mounts } => mounts.get(controller).map(Utf8PathBuf::as_path),
            Hierarchy::V2 { mount } => Some(mount),
        }
    }

    /// Returns every mount point once.
    pub(super) fn mounts(&self) -> Vec<Utf8PathBuf> {
        match self {
            Hierarchy::V1 { mounts } => {
                let mut all: Vec<Utf8PathBuf> = mounts.values().cloned().collect();
                all.sort();
                all.dedup();
                all
            }
            Hierarchy::V2 { mount } => vec![mount.clone()],
        }
    }
}

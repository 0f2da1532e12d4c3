//! Mount options as `mount -o` takes them.

use nix::mount::MsFlags;
use serde::{Deserialize, Serialize};

/// Options, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountOptions {
    /// Whether nothing can be written.
    pub read_only: bool,
    /// Whether it is another directory and no file system of its own.
    pub bind: bool,
    nosuid: bool,
    nodev: bool,
    noexec: bool,
    noatime: bool,
    /// What the file system itself is told, such as `size=64m`.
    pub data: Vec<String>,
}

/// An option that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown mount option '{0}'")]
pub struct UnknownOption(pub String);

/// What a memory file system is told.
const TMPFS_DATA: [&str; 6] = ["size", "nr_inodes", "nr_blocks", "mode", "uid", "gid"];

impl MountOptions {
    /// Returns the options in a text with commas between them.
    pub fn parse(text: &str) -> Result<MountOptions, UnknownOption> {
        let mut options = MountOptions::default();
        for option in text.split(',').filter(|option| !option.is_empty()) {
            match option {
                "rw" | "suid" | "dev" | "exec" | "atime" | "relatime" | "defaults" => {}
                "ro" => options.read_only = true,
                "bind" | "rbind" => options.bind = true,
                "nosuid" => options.nosuid = true,
                "nodev" => options.nodev = true,
                "noexec" => options.noexec = true,
                "noatime" => options.noatime = true,
                other => {
                    let name = other.split('=').next().unwrap_or_default();
                    if !TMPFS_DATA.contains(&name) || !other.contains('=') {
                        return Err(UnknownOption(other.to_owned()));
                    }
                    options.data.push(other.to_owned());
                }
            }
        }
        Ok(options)
    }

    pub(super) fn flags(&self) -> MsFlags {
        let flags = [
            (self.read_only, MsFlags::MS_RDONLY),
            (self.nosuid, MsFlags::MS_NOSUID),
            (self.nodev, MsFlags::MS_NODEV),
            (self.noexec, MsFlags::MS_NOEXEC),
            (self.noatime, MsFlags::MS_NOATIME),
        ];
        flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag).collect()
    }
}

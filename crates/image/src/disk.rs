//! How much room a disk has.

use camino::Utf8Path;
use std::io;

/// The room of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes that can still be written.
    pub free_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
}

impl Room {
    /// Asks the file system that holds `path`.
    pub fn of(path: &Utf8Path) -> io::Result<Room> {
        let about = rustix::fs::statvfs(path.as_str())?;
        Ok(Room {
            free_bytes: about.f_bavail.saturating_mul(about.f_frsize),
            total_bytes: about.f_blocks.saturating_mul(about.f_frsize),
        })
    }

    /// Returns how many bytes are missing until `percent` of the disk are free.
    pub fn missing_to(&self, percent: u8) -> u64 {
        let wanted = self.total_bytes / 100 * u64::from(percent.min(100));
        wanted.saturating_sub(self.free_bytes)
    }
}

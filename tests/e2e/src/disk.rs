//! A small disk in memory, to be filled.

use crate::places::run;
use camino::{Utf8Path, Utf8PathBuf};
use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::Path,
    process::Command,
};

/// A mounted tmpfs. It is unmounted when this is dropped.
#[derive(Debug)]
pub struct Disk {
    path: Utf8PathBuf,
}

impl Disk {
    /// Mounts one at `disk` in a directory.
    pub(crate) fn mount(dir: &Path, mebibytes: u64) -> Disk {
        let path = Utf8Path::from_path(dir).expect("temporary directories have plain names").join("disk");
        std::fs::create_dir(&path).expect("a directory can be made");
        let size = format!("size={mebibytes}m");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none", path.as_str()]));
        Disk { path }
    }

    /// Returns where it is mounted.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Fills it with a file but for so many bytes.
    ///
    /// # Panics
    /// When writing fails in another way than for want of room.
    pub fn fill(&self, leave: u64) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.path.join("filler"))
            .expect("a file can be made");
        let zeros = vec![0; 1 << 16];
        let left = loop {
            let free = self.free();
            if free <= leave {
                break free;
            }
            let piece = zeros.len().min(usize::try_from(free - leave).unwrap_or(usize::MAX));
            match file.write_all(&zeros[..piece]) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break self.free(),
                Err(error) => panic!("{}: {error}", self.path),
            }
        };
        assert!(left <= leave, "{left} bytes are left");
    }

    /// Takes that file away.
    ///
    /// # Panics
    /// When there is none.
    pub fn clear(&self) {
        std::fs::remove_file(self.path.join("filler")).expect("the disk was filled");
    }

    /// Returns how many bytes are free.
    ///
    /// # Panics
    /// When the kernel does not say.
    pub fn free(&self) -> u64 {
        let state = nix::sys::statvfs::statvfs(self.path.as_std_path()).expect("a mounted disk");
        state.blocks_available() * state.fragment_size()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path.as_str()).output();
    }
}

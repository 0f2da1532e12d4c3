//! Making a state file: whole under another name first, so that a file of this name is never half made.

use crate::{
    damaged::Damaged,
    disk::Disk,
    medium::{StateFile, note_path},
};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

/// Makes a state file of these rows at `path`; one that is there is replaced.
pub(crate) fn make_file(
    path: &Path,
    revision: u64,
    rows: impl Iterator<Item = (String, Vec<u8>)>,
) -> Result<(), Damaged> {
    let fresh = path.with_extension("new");
    let io = |source| Damaged::Open { path: fresh.display().to_string(), source };
    remove(&fresh).map_err(io)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(io)?;
    drop(Disk::make(Arc::new(StateFile::new(&fresh)), revision, rows)?);
    // What was acknowledged before says nothing about this file.
    remove(&note_path(path)).map_err(io)?;
    std::fs::rename(&fresh, path).map_err(io)?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

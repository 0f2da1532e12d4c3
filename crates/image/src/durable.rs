//! Small files that are either the old or the new one after a crash, never half of each.

use camino::Utf8Path;
use std::fs::{self, File};
use std::io::{self, Write};

/// Replaces the file at `path`, whose folder exists, and returns once the change is on the disk.
pub(crate) fn write(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let draft = folder.join(format!(".{name}.new"));
    let mut file = File::create(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync_folder(folder)
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(folder: &Utf8Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder that is there and empty, whatever was in it before.
pub(crate) fn empty_folder(folder: &Utf8Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(folder)
}

/// Sets a file's time to now.
pub(crate) fn touch(path: &Utf8Path) -> io::Result<()> {
    File::open(path)?.set_modified(std::time::SystemTime::now())
}

//! Small files that are replaced whole.

use crate::error::Error;
use camino::Utf8Path;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
};

/// Whether a file must survive the loss of power. All survive the death of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It is lost with the machine, as what it describes is.
    Process,
    /// It is on the disk before the call returns.
    Disk,
}

/// Replaces a file by a value as JSON, readable by the owner only.
pub(crate) fn store<T: Serialize>(path: &Utf8Path, value: &T, durability: Durability) -> Result<(), Error> {
    let bytes =
        serde_json::to_vec(value).map_err(|source| Error::Content { path: path.to_owned(), source })?;
    replace(path, &bytes, durability).map_err(Error::file("write", path))
}

fn replace(path: &Utf8Path, bytes: &[u8], durability: Durability) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    if durability == Durability::Disk {
        file.sync_data()?;
    }
    fs::rename(&fresh, path)?;
    match path.parent() {
        Some(dir) if durability == Durability::Disk => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}

/// Puts a file that was replaced on the disk, as it is by now.
pub(crate) fn flush(path: &Utf8Path) -> Result<(), Error> {
    let flushed = File::open(path).and_then(|file| file.sync_data()).and_then(|()| match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    });
    flushed.map_err(Error::file("flush", path))
}

/// Reads a value from a file of JSON; nothing where there is no file.
pub(crate) fn load<T: DeserializeOwned>(path: &Utf8Path) -> Result<Option<T>, Error> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file("read", path)(error)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| Error::Content { path: path.to_owned(), source })
}

/// Removes a directory with all that is in it. Safe to repeat.
pub(crate) fn remove_dir(path: &Utf8Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
        _ => Ok(()),
    }
}

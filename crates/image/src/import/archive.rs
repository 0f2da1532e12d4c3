//! An archive taken apart: the files in it, in a scratch folder under numbers of our own, found by their names.
//!
//! No name of the archive ever becomes a path. Links are followed among the names, a few steps.

use super::ImportError;
use crate::unpack::Compression;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use tar::EntryType;

/// Entries of an archive of images, which has a few for each layer.
const ENTRIES_MAX: usize = 100_000;
/// What a manifest or a configuration may have.
const DOCUMENT_BYTES_MAX: u64 = 16 << 20;

/// The files of an archive, or of a folder that looks like one.
pub(super) struct Files {
    from: Utf8PathBuf,
    entries: HashMap<String, Entry>,
}

enum Entry {
    File(Utf8PathBuf),
    Link(String),
}

impl Files {
    /// Takes the archive at `path` apart into `scratch`.
    pub(super) fn of_archive(path: &Utf8Path, scratch: &Utf8Path) -> Result<Files, ImportError> {
        let reading = |source| ImportError::Read { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(reading)?;
        let mut head = Vec::new();
        (&mut file).take(4).read_to_end(&mut head).map_err(reading)?;
        file.rewind().map_err(reading)?;
        let plain = Compression::of(&head).reader(BufReader::with_capacity(256 * 1024, file));
        let mut archive = tar::Archive::new(plain.map_err(reading)?);
        let mut entries = HashMap::new();
        for (number, entry) in archive.entries().map_err(reading)?.enumerate() {
            let mut entry = entry.map_err(reading)?;
            let too_many = || ImportError::NotAnImage {
                path: path.to_owned(),
                why: format!("it has more than {ENTRIES_MAX} entries"),
            };
            if number >= ENTRIES_MAX {
                return Err(too_many());
            }
            let name = normal("", &String::from_utf8_lossy(&entry.path_bytes()));
            match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous => {
                    let to = scratch.join(number.to_string());
                    let writing = |source| ImportError::Write { path: to.clone(), source };
                    let mut out = File::create(&to).map_err(writing)?;
                    io::copy(&mut entry, &mut out).map_err(writing)?;
                    entries.insert(name, Entry::File(to));
                }
                kind @ (EntryType::Symlink | EntryType::Link) => {
                    let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                    let target = String::from_utf8_lossy(&target).into_owned();
                    let folder = match (kind, name.rsplit_once('/')) {
                        (EntryType::Symlink, Some((folder, _))) => folder,
                        (_, _) => "",
                    };
                    entries.insert(name.clone(), Entry::Link(normal(folder, &target)));
                }
                _ => {}
            }
        }
        Ok(Files { from: path.to_owned(), entries })
    }

    /// Returns whether there is a file of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.path(name).is_some()
    }

    /// Returns the names of all files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Returns where the content of a name is.
    pub(super) fn path(&self, name: &str) -> Option<&Utf8Path> {
        let mut name = normal("", name);
        for _ in 0..8 {
            match self.entries.get(&name)? {
                Entry::File(path) => return Some(path),
                Entry::Link(target) => name.clone_from(target),
            }
        }
        None
    }

    /// Returns where the content of a name is that has to be there.
    pub(super) fn need(&self, name: &str) -> Result<&Utf8Path, ImportError> {
        self.path(name).ok_or_else(|| self.lacking(format!("{name:?} is missing")))
    }

    /// Returns a small file whole.
    pub(super) fn document(&self, name: &str) -> Result<Vec<u8>, ImportError> {
        let path = self.need(name)?;
        let reading = |source| ImportError::Read { path: path.to_owned(), source };
        let length = fs::metadata(path).map_err(reading)?.len();
        if length > DOCUMENT_BYTES_MAX {
            return Err(self.lacking(format!("{name:?} has {length} bytes")));
        }
        fs::read(path).map_err(reading)
    }

    pub(super) fn lacking(&self, why: String) -> ImportError {
        ImportError::NotAnImage { path: self.from.clone(), why }
    }
}

/// Returns a name without dots, relative to a folder of the archive; what climbs out of it stays at its top.
fn normal(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let folder = if name.starts_with('/') { "" } else { folder };
    for part in folder.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

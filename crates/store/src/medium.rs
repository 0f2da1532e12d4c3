//! Where a state file lies: a file and, beside it, a note of what was acknowledged. Tests have media that fail.

use redb::{StorageBackend, backends::FileBackend};
use sha2::{Digest, Sha256};
use std::{
    fmt::Debug,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// What is remembered beside a state file, without waiting for the disk.
///
/// It outlives this process but not the loss of power, and that is what it is for: it never says more than what was
/// acknowledged, so a state file that holds less is damaged; and pages that the kernel failed to write stay in its
/// cache no longer than this note does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Note {
    /// The newest revision that was acknowledged, as far as this note knows.
    pub(crate) acknowledged: u64,
    /// A write has failed: what the kernel's cache shows may not be on the disk.
    pub(crate) suspect: bool,
}

impl Note {
    fn to_line(self) -> String {
        let word = if self.suspect { "suspect" } else { "sure" };
        let said = format!("{:020} {word:7}", self.acknowledged);
        format!("{said} {}\n", checksum(&said))
    }

    fn of_line(line: &str) -> Option<Note> {
        let (said, sum) = line.strip_suffix('\n')?.rsplit_once(' ')?;
        let (acknowledged, word) = said.split_once(' ')?;
        let suspect = match word.trim_end() {
            "suspect" => true,
            "sure" => false,
            _ => return None,
        };
        let note = Note { acknowledged: acknowledged.parse().ok()?, suspect };
        (sum == checksum(said)).then_some(note)
    }
}

fn checksum(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Where a state file lies.
pub(crate) trait Medium: Debug + Send + Sync + 'static {
    /// Returns what messages call it.
    fn name(&self) -> String;
    /// Returns the length of the file, if there is one.
    fn length(&self) -> io::Result<Option<u64>>;
    /// Opens the file for reading and writing. With `suspect`, from the disk and not from the kernel's cache.
    fn open(&self, suspect: bool) -> io::Result<Box<dyn StorageBackend>>;
    /// Returns the note, if there is one that can be read.
    fn note(&self) -> Option<Note>;
    /// Replaces the note.
    fn keep(&self, note: Note) -> io::Result<()>;
}

/// A file.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    pub(crate) fn new(path: &Path) -> StateFile {
        StateFile { path: path.to_owned() }
    }
}

/// Returns the path of a state file's note.
pub(crate) fn note_path(state_file: &Path) -> PathBuf {
    state_file.with_extension("acknowledged")
}

impl Medium for StateFile {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn length(&self) -> io::Result<Option<u64>> {
        match std::fs::metadata(&self.path) {
            Ok(found) if found.is_file() => Ok(Some(found.len())),
            Ok(_) => Err(io::Error::other("not a regular file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open(&self, suspect: bool) -> io::Result<Box<dyn StorageBackend>> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        if suspect {
            // After a failed fsync the kernel keeps pages as if they were written. Without them, what is read is
            // what the disk has.
            file.sync_all()?;
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        }
        FileBackend::new(file).map(|file| Box::new(file) as Box<dyn StorageBackend>).map_err(io::Error::other)
    }

    fn note(&self) -> Option<Note> {
        Note::of_line(&std::fs::read_to_string(note_path(&self.path)).ok()?)
    }

    fn keep(&self, note: Note) -> io::Result<()> {
        let path = note_path(&self.path);
        let file: File =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.write_all_at(note.to_line().as_bytes(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back_the_same_unless_a_letter_of_it_changed() {
        for note in [Note { acknowledged: 7, suspect: false }, Note { acknowledged: u64::MAX, suspect: true }]
        {
            let line = note.to_line();
            assert_eq!(Note::of_line(&line), Some(note));
            for at in 0..line.len() {
                let mut other = line.clone().into_bytes();
                other[at] ^= 1;
                assert_eq!(Note::of_line(&String::from_utf8_lossy(&other)), None, "letter {at} of {line}");
            }
        }
    }
}

//! The files that hold what a container wrote, and how to follow them.
//!
//! `output.log` is the bytes of stdout and stderr in the order they were read. `output.idx` is an array of
//! 24-byte entries, all little-endian: offset in the log (`u64`), nanoseconds since the epoch (`i64`), length
//! (`u32`), stream (`u8`, 1 or 2), three zero bytes. Both files only grow, so offsets stay true for ever; what
//! has been delivered is given back to the file system by punching holes ([`Follower::reclaim`]).
//!
//! Chunks end wherever the pipe's reads ended. [`Lines`] puts lines together per stream.

use std::fs::File;
use std::os::unix::fs::FileExt;

use camino::{Utf8Path, Utf8PathBuf};

mod lines;
mod sink;
#[cfg(test)]
mod tests;

pub use lines::{Line, Lines};
pub(crate) use sink::Sink;

/// Name of the file of bytes, in the container's directory.
pub const LOG_FILE: &str = "output.log";
/// Name of the index.
pub const INDEX_FILE: &str = "output.idx";
pub(crate) const ENTRY_LEN: usize = 24;

/// Which of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Some bytes that were read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Which stream.
    pub stream: Stream,
    /// When they were read, in nanoseconds since the epoch.
    pub at_nanos: i64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Position to resume after this chunk.
    pub next: u64,
}

/// Why output could not be read.
#[derive(Debug, thiserror::Error)]
#[error("read output file {path}")]
pub struct OutputError {
    path: Utf8PathBuf,
    source: std::io::Error,
}

/// Reads a container's output from a position on, as it grows.
#[derive(Debug)]
pub struct Follower {
    dir: Utf8PathBuf,
    log: File,
    index: File,
    position: u64,
}

impl Follower {
    /// Opens the output of the container with this directory; `position` is zero or a chunk's `next`.
    pub fn open(dir: &Utf8Path, position: u64) -> Result<Follower, OutputError> {
        let open = |name: &str, write: bool| {
            let path = dir.join(name);
            File::options().read(true).write(write).open(&path).map_err(|source| OutputError { path, source })
        };
        Ok(Follower {
            dir: dir.to_owned(),
            log: open(LOG_FILE, true)?,
            index: open(INDEX_FILE, true)?,
            position,
        })
    }

    /// Opens the output of the container with this directory where the oldest of it begins that is still on the disk.
    pub fn open_oldest(dir: &Utf8Path) -> Result<Follower, OutputError> {
        use nix::{
            errno::Errno,
            unistd::{Whence, lseek},
        };
        let mut follower = Follower::open(dir, 0)?;
        let failed = |name: &str, source| OutputError { path: dir.join(name), source };
        let data = match lseek(&follower.log, 0, Whence::SeekData) {
            Ok(data) => u64::try_from(data).unwrap_or(0),
            // Nothing but holes, or nothing at all.
            Err(Errno::ENXIO) => u64::MAX,
            Err(error) => return Err(failed(LOG_FILE, error.into())),
        };
        let length = follower.index.metadata().map_err(|source| failed(INDEX_FILE, source))?.len();
        let (mut low, mut high) = (0, length / ENTRY_LEN as u64);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut bytes = [0; ENTRY_LEN];
            let read = follower.index.read_exact_at(&mut bytes, middle * ENTRY_LEN as u64);
            read.map_err(|source| failed(INDEX_FILE, source))?;
            // An entry in a hole is all zeros, and before everything that is kept.
            let entry = Entry::decode(&bytes);
            if entry.length > 0 && entry.offset >= data {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        follower.position = low;
        Ok(follower)
    }

    /// Returns the next chunk, or `None` when everything written so far has been read.
    pub fn read(&mut self) -> Result<Option<Chunk>, OutputError> {
        let mut entry = [0; ENTRY_LEN];
        let at = self.position * ENTRY_LEN as u64;
        match self.index.read_exact_at(&mut entry, at) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(source) => return Err(OutputError { path: self.dir.join(INDEX_FILE), source }),
        }
        let entry = Entry::decode(&entry);
        let mut bytes = vec![0; entry.length as usize];
        self.log
            .read_exact_at(&mut bytes, entry.offset)
            .map_err(|source| OutputError { path: self.dir.join(LOG_FILE), source })?;
        self.position += 1;
        Ok(Some(Chunk { stream: entry.stream, at_nanos: entry.at_nanos, bytes, next: self.position }))
    }

    /// Returns where reading goes on.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Goes forward until at most so many bytes are unread, and returns how many were left out.
    pub fn skip_to_last(&mut self, bytes_max: u64) -> Result<u64, OutputError> {
        let failed = |source| OutputError { path: self.dir.join(INDEX_FILE), source };
        let length = self.index.metadata().map_err(failed)?.len();
        let count = length / ENTRY_LEN as u64;
        if count <= self.position {
            return Ok(0);
        }
        let entry = |place: u64| {
            let mut bytes = [0; ENTRY_LEN];
            self.index.read_exact_at(&mut bytes, place * ENTRY_LEN as u64).map_err(failed)?;
            Ok(Entry::decode(&bytes))
        };
        let last = entry(count - 1)?;
        let (end, begin) = (last.offset + u64::from(last.length), entry(self.position)?.offset);
        if end.saturating_sub(begin) <= bytes_max {
            return Ok(0);
        }
        // Offsets only grow: the first place from which few enough are left.
        let (mut low, mut high) = (self.position, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if end - entry(middle)?.offset <= bytes_max {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let offset = if low == count { end } else { entry(low)?.offset };
        self.position = low;
        Ok(offset - begin)
    }

    /// Gives the disk space of everything before a position back; reading before it then is an error of the caller.
    pub fn reclaim(&self, position: u64) -> Result<(), OutputError> {
        let mut entry = [0; ENTRY_LEN];
        let failed = |name: &str| {
            let path = self.dir.join(name);
            move |source: std::io::Error| OutputError { path, source }
        };
        let Some(last) = position.checked_sub(1) else { return Ok(()) };
        self.index.read_exact_at(&mut entry, last * ENTRY_LEN as u64).map_err(failed(INDEX_FILE))?;
        let entry = Entry::decode(&entry);
        punch(&self.log, entry.offset + u64::from(entry.length)).map_err(failed(LOG_FILE))?;
        // The last entry stays, so that a repeated call finds it.
        punch(&self.index, last * ENTRY_LEN as u64).map_err(failed(INDEX_FILE))
    }
}

fn punch(file: &File, upto: u64) -> std::io::Result<()> {
    use nix::fcntl::{FallocateFlags, fallocate};
    let whole = i64::try_from(upto / 4096 * 4096).map_err(std::io::Error::other)?;
    if whole > 0 {
        fallocate(
            file,
            FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE,
            0,
            whole,
        )?;
    }
    Ok(())
}

/// An entry of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) offset: u64,
    pub(crate) at_nanos: i64,
    pub(crate) length: u32,
    pub(crate) stream: Stream,
}

impl Entry {
    pub(crate) fn encode(self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.at_nanos.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.length.to_le_bytes());
        bytes[20] = match self.stream {
            Stream::Stdout => 1,
            Stream::Stderr => 2,
        };
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; ENTRY_LEN]) -> Entry {
        let part = |range: std::ops::Range<usize>| bytes[range].try_into().expect("eight bytes");
        Entry {
            offset: u64::from_le_bytes(part(0..8)),
            at_nanos: i64::from_le_bytes(part(8..16)),
            length: u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]),
            stream: if bytes[20] == 2 { Stream::Stderr } else { Stream::Stdout },
        }
    }
}

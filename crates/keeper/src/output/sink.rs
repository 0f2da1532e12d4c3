//! The writing end: keeper's side of a container's output files.

use std::fs::File;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use camino::Utf8Path;

use super::{ENTRY_LEN, Entry, INDEX_FILE, LOG_FILE, Stream};

/// Appends chunks to the two files.
#[derive(Debug)]
pub(crate) struct Sink {
    log: File,
    index: File,
    log_len: u64,
    index_len: u64,
    /// Bytes that the disk did not take.
    pub(crate) lost_bytes: u64,
}

impl Sink {
    /// Opens the files, new or left by a keeper that was killed.
    pub(crate) fn open(dir: &Utf8Path) -> std::io::Result<Sink> {
        let open = |name: &str| {
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(dir.join(name))
        };
        let (log, index) = (open(LOG_FILE)?, open(INDEX_FILE)?);
        let entry_len = ENTRY_LEN as u64;
        let index_len = index.metadata()?.len() / entry_len * entry_len;
        let log_len = match index_len.checked_sub(entry_len) {
            Some(last) => {
                let mut bytes = [0; ENTRY_LEN];
                index.read_exact_at(&mut bytes, last)?;
                let entry = Entry::decode(&bytes);
                entry.offset + u64::from(entry.length)
            }
            None => 0,
        };
        let mut sink = Sink { log, index, log_len, index_len, lost_bytes: 0 };
        sink.index_tail()?;
        Ok(sink)
    }

    /// Gives bytes that were written without their entry, by a keeper killed between the two, an entry.
    ///
    /// Which stream they came from is not known any more; they are counted as standard output.
    fn index_tail(&mut self) -> std::io::Result<()> {
        let tail = self.log.metadata()?.len().saturating_sub(self.log_len);
        if let Ok(length) = u32::try_from(tail)
            && length > 0
        {
            self.enter(Stream::Stdout, crate::clock::now_nanos(), length)?;
        }
        Ok(())
    }

    /// Appends one chunk; what the disk refuses is counted, never waited for.
    pub(crate) fn append(&mut self, stream: Stream, at_nanos: i64, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("a chunk is at most a pipe's capacity");
        let written =
            self.log.write_all_at(bytes, self.log_len).and_then(|()| self.enter(stream, at_nanos, length));
        if written.is_err() {
            self.lost_bytes += u64::from(length);
        }
    }

    fn enter(&mut self, stream: Stream, at_nanos: i64, length: u32) -> std::io::Result<()> {
        let entry = Entry { offset: self.log_len, at_nanos, length, stream };
        self.index.write_all_at(&entry.encode(), self.index_len)?;
        self.log_len += u64::from(length);
        self.index_len += ENTRY_LEN as u64;
        Ok(())
    }
}

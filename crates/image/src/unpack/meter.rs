//! The one way an archive's bytes come in: counted against the limits, and hashed.

use super::{UnpackError, UnpackLimits};
use crate::digest::Digest;
use sha2::{Digest as _, Sha256};
use std::cell::{Cell, RefCell};
use std::io::{self, Read};

/// A reader of the uncompressed archive that stops where a limit is.
pub(super) struct Meter<'r> {
    inner: RefCell<(Box<dyn Read + 'r>, Sha256)>,
    /// Bytes of the archive read so far.
    read: Cell<u64>,
    /// Bytes of the archive that may be read in all.
    read_max: u64,
    ratio: Ratio,
    /// Bytes that may be read before content is expected: the parser keeps headers in memory.
    header_left: Cell<u64>,
    header_max: u64,
    /// Bytes of files made so far, holes of sparse files included.
    made: Cell<u64>,
    made_max: u64,
    exceeded: Cell<Option<(&'static str, u64)>>,
}

struct Ratio {
    limit: u64,
    bytes_max: u64,
}

impl<'r> Meter<'r> {
    pub(super) fn new(inner: Box<dyn Read + 'r>, compressed: u64, limits: &UnpackLimits) -> Meter<'r> {
        let by_ratio = compressed.saturating_mul(limits.ratio_max).max(limits.ratio_free_bytes);
        Meter {
            inner: RefCell::new((inner, Sha256::new())),
            read: Cell::new(0),
            read_max: limits.bytes_max,
            ratio: Ratio { limit: limits.ratio_max, bytes_max: by_ratio },
            header_left: Cell::new(limits.header_bytes_max),
            header_max: limits.header_bytes_max,
            made: Cell::new(0),
            made_max: limits.bytes_max,
            exceeded: Cell::new(None),
        }
    }

    /// From here the parser reads headers.
    pub(super) fn expect_header(&self) {
        self.header_left.set(self.header_max);
    }

    /// From here content is read, in pieces that nobody keeps.
    pub(super) fn expect_content(&self) {
        self.header_left.set(u64::MAX);
    }

    /// Counts a file that is about to be made.
    pub(super) fn make(&self, bytes: u64) -> Result<(), UnpackError> {
        let made = self.made.get().saturating_add(bytes);
        self.made.set(made);
        if made > self.made_max {
            return Err(UnpackError::Limit { what: "bytes of files", limit: self.made_max });
        }
        if made > self.ratio.bytes_max {
            return Err(UnpackError::Limit { what: RATIO, limit: self.ratio.limit });
        }
        Ok(())
    }

    /// Returns the limit at which reading stopped.
    pub(super) fn exceeded(&self) -> Option<UnpackError> {
        self.exceeded.get().map(|(what, limit)| UnpackError::Limit { what, limit })
    }

    /// Returns how many bytes of files were made.
    pub(super) fn bytes_made(&self) -> u64 {
        self.made.get()
    }

    /// Reads what is behind the archive's end, which belongs to its digest.
    pub(super) fn drain(&self) -> Result<(), UnpackError> {
        self.expect_content();
        io::copy(&mut &*self, &mut io::sink()).map_err(UnpackError::Archive)?;
        Ok(())
    }

    /// Returns the digest of everything read.
    pub(super) fn digest(&self) -> Digest {
        Digest::from_hasher(self.inner.borrow().1.clone())
    }

    fn stop(&self, what: &'static str, limit: u64) -> io::Error {
        self.exceeded.set(Some((what, limit)));
        io::Error::other(what)
    }
}

const RATIO: &str = "uncompressed bytes for each compressed one";

impl Read for &Meter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (inner, hasher) = &mut *self.inner.borrow_mut();
        let count = inner.read(buffer)?;
        hasher.update(&buffer[..count]);
        let bytes = count as u64;
        let read = self.read.get() + bytes;
        self.read.set(read);
        if read > self.read_max {
            return Err(self.stop("bytes", self.read_max));
        }
        if read > self.ratio.bytes_max {
            return Err(self.stop(RATIO, self.ratio.limit));
        }
        match self.header_left.get().checked_sub(bytes) {
            Some(left) => self.header_left.set(left),
            None => return Err(self.stop("bytes in one header", self.header_max)),
        }
        Ok(count)
    }
}

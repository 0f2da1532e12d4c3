//! A state file whose first changes are held back until it is known to be whole.
//!
//! Opening a database repairs it, which writes. What turns out to be damaged, foreign or newer is to be left as it
//! was, so these writes are kept in memory, in their order, until [`Release::release`].

use redb::{BackendError, StorageBackend};
use std::{
    io,
    ops::Bound,
    sync::{Arc, PoisonError, RwLock},
};

/// A change that is held back.
#[derive(Debug)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    SetLen(u64),
    Sync,
}

#[derive(Debug)]
enum Stage {
    /// The changes, the length they make, and the one that the file has meanwhile.
    Holding { changes: Vec<Change>, length: u64, there: u64 },
    /// Every change goes to the file at once.
    Passing,
    /// The changes could not all be made: nobody knows what the file holds.
    Broken,
}

#[derive(Debug)]
struct Shared {
    file: Box<dyn StorageBackend>,
    stage: RwLock<Stage>,
}

/// The file as the database sees it.
#[derive(Debug)]
pub(crate) struct Held(Arc<Shared>);

/// Lets the changes through.
#[derive(Debug)]
pub(crate) struct Release(Arc<Shared>);

impl Held {
    /// Holds back what is written to `file`.
    pub(crate) fn new(file: Box<dyn StorageBackend>) -> io::Result<(Held, Release)> {
        let there = file.len()?;
        let stage = RwLock::new(Stage::Holding { changes: Vec::new(), length: there, there });
        let shared = Arc::new(Shared { file, stage });
        Ok((Held(Arc::clone(&shared)), Release(shared)))
    }

    fn change(&self, held: impl FnOnce() -> Change, make: impl Fn() -> io::Result<()>) -> io::Result<()> {
        let stage = self.0.stage.read().unwrap_or_else(PoisonError::into_inner);
        match &*stage {
            Stage::Passing => return make(),
            Stage::Broken => return Err(broken()),
            Stage::Holding { .. } => drop(stage),
        }
        match &mut *self.0.stage.write().unwrap_or_else(PoisonError::into_inner) {
            Stage::Holding { changes, length, .. } => {
                let change = held();
                match &change {
                    Change::Write { offset, bytes } => *length = (*length).max(offset + bytes.len() as u64),
                    Change::SetLen(new) => *length = *new,
                    Change::Sync => {}
                }
                changes.push(change);
                Ok(())
            }
            Stage::Passing => make(),
            Stage::Broken => Err(broken()),
        }
    }
}

impl Release {
    /// Makes the changes that were held back, in their order; later ones are made at once.
    pub(crate) fn release(self) -> io::Result<()> {
        let mut stage = self.0.stage.write().unwrap_or_else(PoisonError::into_inner);
        let Stage::Holding { changes, .. } = std::mem::replace(&mut *stage, Stage::Broken) else {
            return Ok(());
        };
        for change in &changes {
            match change {
                Change::Write { offset, bytes } => self.0.file.write(*offset, bytes)?,
                Change::SetLen(length) => self.0.file.set_len(*length)?,
                Change::Sync => self.0.file.sync_data()?,
            }
        }
        *stage = Stage::Passing;
        Ok(())
    }
}

fn broken() -> io::Error {
    io::Error::other("an earlier change of the file has failed")
}

/// Reads from the file as the held changes make it.
fn read_changed(
    file: &dyn StorageBackend,
    changes: &[Change],
    (length, there): (u64, u64),
    offset: u64,
    out: &mut [u8],
) -> io::Result<()> {
    let end = offset + out.len() as u64;
    if end > length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let there = usize_of(there.clamp(offset, end) - offset)?;
    out[there..].fill(0);
    file.read(offset, &mut out[..there])?;
    for change in changes {
        match change {
            Change::Write { offset: at, bytes } => {
                let (from, to) = (offset.max(*at), end.min(at + bytes.len() as u64));
                if from < to {
                    let (source, target) = (usize_of(from - at)?, usize_of(from - offset)?);
                    let count = usize_of(to - from)?;
                    out[target..target + count].copy_from_slice(&bytes[source..source + count]);
                }
            }
            Change::SetLen(length) => {
                // What lies beyond is gone, and zeros where the file grows again.
                out[usize_of((*length).clamp(offset, end) - offset)?..].fill(0);
            }
            Change::Sync => {}
        }
    }
    Ok(())
}

fn usize_of(number: u64) -> io::Result<usize> {
    usize::try_from(number).map_err(io::Error::other)
}

impl StorageBackend for Held {
    fn len(&self) -> io::Result<u64> {
        match &*self.0.stage.read().unwrap_or_else(PoisonError::into_inner) {
            Stage::Holding { length, .. } => Ok(*length),
            Stage::Passing | Stage::Broken => self.0.file.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &*self.0.stage.read().unwrap_or_else(PoisonError::into_inner) {
            Stage::Holding { changes, length, there } => {
                read_changed(self.0.file.as_ref(), changes, (*length, *there), offset, out)
            }
            Stage::Passing => self.0.file.read(offset, out),
            Stage::Broken => Err(broken()),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(|| Change::SetLen(length), || self.0.file.set_len(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(|| Change::Sync, || self.0.file.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(|| Change::Write { offset, bytes: data.to_vec() }, || self.0.file.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.file.query_lock_range(start, end)
    }
}

//! One revision of the store as it is on disk, to be read while writes go on; and a state file made from one.

use crate::{
    Schema,
    damaged::Damaged,
    disk::{self, Disk, row_key},
    make::make_file,
    medium::{Medium, StateFile},
};
use std::{path::Path, sync::Arc};
use thiserror::Error;

/// Why there is no snapshot.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The store keeps nothing.
    #[error("this store keeps nothing on disk")]
    InMemory,
    /// The disk cannot be used now.
    #[error("the state file cannot be read while its disk fails")]
    Failing,
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] Damaged),
}

/// A record as it is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The table.
    pub table: String,
    /// The key.
    pub key: String,
    /// The record as JSON.
    pub bytes: Vec<u8>,
}

/// The records of one revision. While it lives, the file keeps what it reads.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) path: String,
    pub(crate) transaction: redb::ReadTransaction,
    pub(crate) revision: u64,
}

impl Snapshot {
    /// Returns the revision.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Hands over every record, by table and key, until `take` returns an error.
    pub fn each<E>(
        &self,
        mut take: impl FnMut(&str, &str, &[u8]) -> Result<(), E>,
    ) -> Result<(), ReadError<E>> {
        let mut refused = None;
        let read = disk::each_record(&self.path, &self.transaction, &mut |table, key, bytes| {
            take(table, key, bytes).map_err(|error| {
                refused = Some(error);
                Damaged::Empty { path: String::new() }
            })
        });
        match (refused, read) {
            (Some(error), _) => Err(ReadError::Refused(error)),
            (None, read) => Ok(read?),
        }
    }
}

/// Why a snapshot was not read to its end.
#[derive(Debug, Error)]
pub enum ReadError<E> {
    /// Its reader did not want more.
    #[error(transparent)]
    Refused(E),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] Damaged),
}

/// Why a row does not belong into a state file of this version.
#[derive(Debug, Error)]
pub enum RowError {
    /// Its table is unknown.
    #[error("table '{0}' is unknown to wharf {own}", own = crate::VERSION)]
    UnknownTable(String),
    /// It does not fit its type.
    #[error("read record '{key}' of table '{table}'")]
    Record {
        /// The table.
        table: String,
        /// The key.
        key: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl Schema {
    /// Returns whether a row can be read by this version.
    pub fn check(&self, row: &Row) -> Result<(), RowError> {
        let read = self.reader(&row.table).ok_or_else(|| RowError::UnknownTable(row.table.clone()))?.1;
        match read(&row.bytes) {
            Ok(_) => Ok(()),
            Err(source) => Err(RowError::Record { table: row.table.clone(), key: row.key.clone(), source }),
        }
    }
}

/// Makes a state file of these records, all at once. One that is there is replaced.
pub fn make_state_file(path: &Path, revision: u64, rows: impl Iterator<Item = Row>) -> Result<(), Damaged> {
    make_file(path, revision, rows.map(|row| (row_key(&row.table, &row.key), row.bytes)))
}

/// Returns the revision that a state file holds, or why it cannot be served. The file is not changed.
pub fn examine(path: &Path) -> Result<u64, Damaged> {
    let medium: Arc<dyn Medium> = Arc::new(StateFile::new(path));
    let (_, about, _) = Disk::examine(&medium, &mut |_, _, _, _| Ok(()))?;
    Ok(about.revision)
}

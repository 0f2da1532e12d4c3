//! The journal on disk: one redb table of `table NUL key` to JSON, and one of facts about the file.

use crate::draft::Write;
use redb::{Database, ReadableTable, TableDefinition};
use std::{
    collections::HashMap,
    io::ErrorKind,
    path::{Path, PathBuf},
};
use thiserror::Error;

const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");
const FACTS: TableDefinition<&str, u64> = TableDefinition::new("facts");

/// The layout that this version writes. A file with a higher one is refused.
const SCHEMA: u64 = 1;

/// A state file that cannot be used.
#[derive(Debug, Error)]
pub enum Damaged {
    /// It cannot be opened as a database.
    #[error("open state file {path}; it is in use by another process, damaged, or not a state file")]
    Open {
        /// The file.
        path: String,
        /// Why.
        source: redb::DatabaseError,
    },
    /// It can be opened but not read or written.
    #[error("use state file {path}")]
    Use {
        /// The file.
        path: String,
        /// Why.
        source: redb::Error,
    },
    /// A newer version wrote it.
    #[error(
        "state file {path} has layout {found}, and this version knows layouts up to {SCHEMA}: use a newer wharf"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its layout.
        found: u64,
    },
}

/// An open state file.
pub(crate) struct Disk {
    database: Database,
    path: PathBuf,
}

/// Returns whether a write failed because there was no room for it.
pub(crate) fn is_full(error: &redb::Error) -> bool {
    matches!(error, redb::Error::Io(error) if matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    ))
}

impl Disk {
    /// Opens or creates the file; returns its records by table, and its revision.
    #[expect(clippy::type_complexity, reason = "used once, by the store")]
    pub(crate) fn open(path: &Path) -> Result<(Disk, HashMap<String, Vec<(String, Vec<u8>)>>, u64), Damaged> {
        let shown = path.display().to_string();
        let database =
            Database::create(path).map_err(|source| Damaged::Open { path: shown.clone(), source })?;
        let read = || -> Result<_, redb::Error> {
            let write = database.begin_write()?;
            let (schema, revision) = {
                let mut facts = write.open_table(FACTS)?;
                let schema = facts.get("schema")?.map_or(0, |value| value.value());
                if schema == 0 {
                    facts.insert("schema", SCHEMA)?;
                }
                let revision = facts.get("revision")?.map_or(0, |value| value.value());
                (schema, revision)
            };
            let mut tables: HashMap<String, Vec<(String, Vec<u8>)>> = HashMap::new();
            if schema <= SCHEMA {
                for entry in write.open_table(RECORDS)?.iter()? {
                    let (key, value) = entry?;
                    if let Some((table, key)) = key.value().split_once('\0') {
                        tables
                            .entry(table.to_owned())
                            .or_default()
                            .push((key.to_owned(), value.value().to_vec()));
                    }
                }
                write.commit()?;
            }
            Ok((schema, revision, tables))
        };
        let (schema, revision, tables) =
            read().map_err(|source| Damaged::Use { path: shown.clone(), source })?;
        if schema > SCHEMA {
            return Err(Damaged::Newer { path: shown, found: schema });
        }
        Ok((Disk { database, path: path.to_owned() }, tables, revision))
    }

    /// Returns where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a batch, or nothing of it; on disk when this returns.
    pub(crate) fn commit(&self, revision: u64, writes: &[&Write]) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut records = transaction.open_table(RECORDS)?;
            for write in writes {
                let key = format!("{}\0{}", write.table, write.key);
                match &write.durable {
                    Some(Some(bytes)) => {
                        records.insert(key.as_str(), bytes.as_slice())?;
                    }
                    Some(None) => {
                        records.remove(key.as_str())?;
                    }
                    None => {}
                }
            }
            transaction.open_table(FACTS)?.insert("revision", revision)?;
        }
        transaction.commit()?;
        Ok(())
    }
}

//! The journal on disk: one redb table of `table NUL key` to JSON, and two of facts about the file.

use crate::{
    damaged::Damaged,
    draft::Write,
    held::{Held, Release},
    medium::{Medium, Note},
};
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, StorageError, TableDefinition,
};
use std::{
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");
const FACTS: TableDefinition<&str, u64> = TableDefinition::new("facts");
const VERSIONS: TableDefinition<&str, &str> = TableDefinition::new("versions");

/// The layout that this version writes. A file with a higher one is refused.
pub const LAYOUT: u64 = 1;

/// The first version that reads this layout; written into each file for versions that do not.
pub const NEEDS: &str = "0.1.0";

/// What the database may keep of the file in memory. The records are kept by the store.
const CACHE_BYTES: usize = 16 << 20;

/// Takes a record: the version that wrote the file last, the record's table, its key and its bytes.
pub(crate) type Take<'a> = dyn FnMut(&str, &str, &str, &[u8]) -> Result<(), Damaged> + 'a;

/// An open state file.
#[derive(Debug)]
pub(crate) struct Disk {
    database: Database,
    medium: Arc<dyn Medium>,
}

/// Takes a record's table, key and bytes.
type TakeRow<'a> = dyn FnMut(&str, &str, &[u8]) -> Result<(), Damaged> + 'a;

/// What a state file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) revision: u64,
    /// The version that wrote it last; files of before that was written down have none.
    pub(crate) written_by: Option<String>,
}

/// Returns whether a write failed because there was no room for it.
pub(crate) fn is_full(error: &redb::Error) -> bool {
    matches!(error, redb::Error::Io(error) if matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    ))
}

impl Disk {
    /// Opens a file that is there, checks every page of it, and hands over its records.
    ///
    /// Until all of that has succeeded, nothing of the file is changed.
    pub(crate) fn open(medium: Arc<dyn Medium>, take: &mut Take<'_>) -> Result<(Disk, u64), Damaged> {
        let (database, about, release) = Disk::examine(&medium, take)?;
        Disk::go_on(database, medium, &about, release)
    }

    /// Does what [`Disk::open`] does, and changes nothing of the file before the release.
    pub(crate) fn examine(
        medium: &Arc<dyn Medium>,
        take: &mut Take<'_>,
    ) -> Result<(Database, About, Release), Damaged> {
        let path = medium.name();
        let opening = |source| Damaged::Open { path: path.clone(), source };
        if medium.length().map_err(opening)? == Some(0) {
            return Err(Damaged::Empty { path });
        }
        let note = medium.note().unwrap_or_default();
        let file = medium.open(note.suspect).map_err(opening)?;
        let (held, release) = Held::new(file).map_err(opening)?;
        // The check answers most damage with an error; what it did not foresee, with a panic.
        let opened = catch_unwind(AssertUnwindSafe(|| Disk::read(medium, held, note, take)));
        let (database, about) = opened.unwrap_or_else(|_| {
            Err(Damaged::Content { path, reason: "its pages do not fit together".to_owned() })
        })?;
        Ok((database, about, release))
    }

    /// Opens the file as it would be with its repair, and reads it.
    fn read(
        medium: &Arc<dyn Medium>,
        held: Held,
        note: Note,
        take: &mut Take<'_>,
    ) -> Result<(Database, About), Damaged> {
        let path = medium.name();
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
        let database = builder.create_with_backend(held).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => Damaged::InUse { path: path.clone() },
            DatabaseError::Storage(StorageError::Io(error)) => unusable(&path, redb::Error::Io(error)),
            other => Damaged::Content { path: path.clone(), reason: other.to_string() },
        })?;
        let transaction = database.begin_read().map_err(|error| unusable(&path, error))?;
        let about = about(&path, &transaction)?;
        if about.revision < note.acknowledged {
            return Err(Damaged::Older {
                note: crate::medium::note_path(path.as_ref()).display().to_string(),
                path,
                found: about.revision,
                acknowledged: note.acknowledged,
            });
        }
        let written_by = about.written_by.as_deref().unwrap_or("0.1.0 or before");
        each_record(&path, &transaction, &mut |table, key, bytes| take(written_by, table, key, bytes))?;
        drop(transaction);
        Ok((database, about))
    }

    /// Lets the repair through, and notes which version writes from here on.
    pub(crate) fn go_on(
        database: Database,
        medium: Arc<dyn Medium>,
        about: &About,
        release: Release,
    ) -> Result<(Disk, u64), Damaged> {
        let path = medium.name();
        release.release().map_err(|source| Damaged::Open { path: path.clone(), source })?;
        let disk = Disk { database, medium };
        if about.written_by.as_deref() != Some(crate::VERSION) {
            disk.fill(about.revision, std::iter::empty()).map_err(|source| Damaged::Use { path, source })?;
        }
        disk.note(Note { acknowledged: about.revision, suspect: false });
        Ok((disk, about.revision))
    }

    /// Makes the tables in a new file and puts records into it, all at once.
    pub(crate) fn make(
        medium: Arc<dyn Medium>,
        revision: u64,
        records: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<Disk, Damaged> {
        let path = medium.name();
        let file = medium.open(false).map_err(|source| Damaged::Open { path: path.clone(), source })?;
        let (held, release) =
            Held::new(file).map_err(|source| Damaged::Open { path: path.clone(), source })?;
        release.release().map_err(|source| Damaged::Open { path: path.clone(), source })?;
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(held)
            .map_err(|error| Damaged::Use { path: path.clone(), source: error.into() })?;
        let disk = Disk { database, medium };
        disk.fill(revision, records).map_err(|source| Damaged::Use { path, source })?;
        disk.note(Note { acknowledged: revision, suspect: false });
        Ok(disk)
    }

    fn fill(
        &self,
        revision: u64,
        records: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(RECORDS)?;
            for (key, bytes) in records {
                table.insert(key.as_str(), bytes.as_slice())?;
            }
            let mut facts = transaction.open_table(FACTS)?;
            facts.insert("schema", LAYOUT)?;
            facts.insert("revision", revision)?;
            let mut versions = transaction.open_table(VERSIONS)?;
            versions.insert("needs", NEEDS)?;
            versions.insert("written_by", crate::VERSION)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Returns where the file is.
    pub(crate) fn medium(&self) -> &Arc<dyn Medium> {
        &self.medium
    }

    /// Writes a batch, or nothing of it; on disk when this returns.
    pub(crate) fn commit(&self, revision: u64, writes: &[&Write]) -> Result<(), redb::Error> {
        let committed = self.try_commit(revision, writes);
        match committed {
            Ok(()) => self.note(Note { acknowledged: revision, suspect: false }),
            Err(_) => {
                let known = self.medium.note().unwrap_or_default();
                self.note(Note { suspect: true, ..known });
            }
        }
        committed
    }

    fn try_commit(&self, revision: u64, writes: &[&Write]) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut records = transaction.open_table(RECORDS)?;
            for write in writes {
                let key = row_key(write.table, &write.key);
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

    /// Keeps the note. It is no promise to anybody, so a disk that refuses it only makes it say less.
    fn note(&self, note: Note) {
        if let Err(error) = self.medium.keep(note) {
            tracing::debug!(%error, file = self.medium.name(), "note beside the state file cannot be kept");
        }
    }

    /// Returns the records as they are on disk now; later commits do not change what it reads.
    pub(crate) fn begin_read(&self) -> Result<(ReadTransaction, About), Damaged> {
        let path = self.medium.name();
        let transaction = self.database.begin_read().map_err(|error| unusable(&path, error))?;
        let about = about(&path, &transaction)?;
        Ok((transaction, about))
    }
}

/// Returns the key of a record's row.
pub(crate) fn row_key(table: &str, key: &str) -> String {
    format!("{table}\0{key}")
}

fn unusable(path: &str, error: impl Into<redb::Error>) -> Damaged {
    match error.into() {
        redb::Error::Io(error) if is_content(&error) => {
            Damaged::Content { path: path.to_owned(), reason: error.to_string() }
        }
        redb::Error::Io(source) => Damaged::Open { path: path.to_owned(), source },
        other => Damaged::Content { path: path.to_owned(), reason: other.to_string() },
    }
}

/// Returns whether an error is about what is in the file, and not about reaching it.
fn is_content(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
}

/// Reads what the file says of itself; refuses one whose layout is newer.
fn about(path: &str, transaction: &ReadTransaction) -> Result<About, Damaged> {
    let damaged = |error: redb::Error| unusable(path, error);
    let facts = transaction.open_table(FACTS).map_err(|error| damaged(error.into()))?;
    let number = |name| {
        let found = facts.get(name).map_err(|error| damaged(error.into()))?;
        Ok(found.map(|value| value.value()))
    };
    let (layout, revision) = (number("schema")?, number("revision")?.unwrap_or(0));
    let word = |name| match transaction.open_table(VERSIONS) {
        Ok(versions) => {
            let found = versions.get(name).map_err(|error| damaged(error.into()))?;
            Ok(found.map(|value| value.value().to_owned()))
        }
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(damaged(error.into())),
    };
    match layout {
        Some(layout) if layout > LAYOUT => Err(Damaged::Newer {
            path: path.to_owned(),
            found: layout,
            needs: word("needs")?.unwrap_or_else(|| "a newer one".to_owned()),
        }),
        Some(_) => Ok(About { revision, written_by: word("written_by")? }),
        None => Err(Damaged::Content {
            path: path.to_owned(),
            reason: "it is a database without wharf's layout".to_owned(),
        }),
    }
}

/// Hands over every record.
pub(crate) fn each_record(
    path: &str,
    transaction: &ReadTransaction,
    take: &mut TakeRow<'_>,
) -> Result<(), Damaged> {
    use redb::ReadableTable;

    let records = match transaction.open_table(RECORDS) {
        Ok(records) => records,
        Err(error) => return Err(unusable(path, error)),
    };
    for entry in records.iter().map_err(|error| unusable(path, error))? {
        let (key, value) = entry.map_err(|error| unusable(path, error))?;
        let Some((table, key)) = key.value().split_once('\0') else {
            let reason = format!("its row '{}' names no table", key.value());
            return Err(Damaged::Content { path: path.to_owned(), reason });
        };
        take(table, key, value.value())?;
    }
    Ok(())
}

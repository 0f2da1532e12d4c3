//! Why a state file is not served. Each says which file, what is wrong, and what its owner can do.

use thiserror::Error;

/// A state file that cannot be used. It was left as it was.
#[derive(Debug, Error)]
pub enum Damaged {
    /// The system refuses it.
    #[error("open state file {path}")]
    Open {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has it open.
    #[error("state file {path} is in use by another process")]
    InUse {
        /// The file.
        path: String,
    },
    /// There is nothing in it.
    #[error("state file {path} is empty, and was left as it is; {advice}", advice = advice(path))]
    Empty {
        /// The file.
        path: String,
    },
    /// It is not a state file, or one of which parts are not what was written.
    #[error(
        "state file {path} is damaged, or not a state file ({reason}), and was left as it is; {advice}",
        advice = advice(path)
    )]
    Content {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// It is whole and lacks what was acknowledged.
    #[error(
        "state file {path} holds revision {found}, but revision {acknowledged} was acknowledged: its end is damaged, \
         or it is an older copy. It was left as it is; {advice}; or remove {note} to go on with what it holds",
        advice = advice(path)
    )]
    Older {
        /// The file.
        path: String,
        /// The revision that it holds.
        found: u64,
        /// The revision that was acknowledged.
        acknowledged: u64,
        /// Where that is noted.
        note: String,
    },
    /// A newer version wrote it.
    #[error(
        "state file {path} was written by a newer wharf (layout {found}): it needs wharf >= {needs}, and this is \
         {own}. It was left as it is",
        own = crate::VERSION
    )]
    Newer {
        /// The file.
        path: String,
        /// Its layout.
        found: u64,
        /// The first version that knows this layout.
        needs: String,
    },
    /// A table of it is unknown.
    #[error(
        "state file {path} has a table '{table}' that wharf {own} does not know; it was last written by wharf \
         {written_by}, so it needs wharf >= {written_by}. It was left as it is",
        own = crate::VERSION
    )]
    UnknownTable {
        /// The file.
        path: String,
        /// The table.
        table: String,
        /// The version that wrote the file last.
        written_by: String,
    },
    /// A record does not fit its type.
    #[error(
        "read record '{key}' of table '{table}' in state file {path}, last written by wharf {written_by}; it was left \
         as it is: use that version, or {advice}",
        advice = advice(path)
    )]
    Record {
        /// The file.
        path: String,
        /// The table.
        table: String,
        /// The record's key.
        key: String,
        /// The version that wrote the file last.
        written_by: String,
        /// Why it does not fit.
        source: serde_json::Error,
    },
    /// It cannot be read or written.
    #[error("use state file {path}")]
    Use {
        /// The file.
        path: String,
        /// Why.
        source: redb::Error,
    },
}

fn advice(path: &str) -> String {
    format!(
        "restore a backup with `wharf restore --replace <backup>`, or move {path} away to begin with nothing"
    )
}

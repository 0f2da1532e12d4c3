//! What has changed lately: for those who look only at what a change concerns.
//!
//! It is a shortcut and no promise: whoever was away for too long is told so, and looks at everything.

use crate::record::Mark;
use std::{collections::VecDeque, sync::Arc};

/// How many changes are remembered.
const KEPT: usize = 1 << 14;

/// A record that was written or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    revision: u64,
    /// The table.
    pub table: &'static str,
    /// The record's key.
    pub key: Arc<str>,
    /// By what it is found now, and by what it was found before.
    pub marks: Vec<Mark>,
}

/// The last changes, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    kept: VecDeque<Change>,
    /// The newest revision of which not all is known.
    forgotten: u64,
}

impl Changes {
    /// Begins after this revision.
    pub(crate) fn from(revision: u64) -> Changes {
        Changes { kept: VecDeque::new(), forgotten: revision }
    }

    pub(crate) fn note(&mut self, revision: u64, table: &'static str, key: Arc<str>, marks: Vec<Mark>) {
        if self.kept.len() == KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            self.forgotten = oldest.revision;
        }
        self.kept.push_back(Change { revision, table, key, marks });
    }

    pub(crate) fn since(&self, revision: u64) -> Option<impl Iterator<Item = &Change>> {
        let from = self.kept.partition_point(|change| change.revision <= revision);
        (revision >= self.forgotten).then(|| self.kept.range(from..))
    }
}

//! Accepted writes that readers do not see yet, the newest for each key.

use crate::record::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

#[derive(Default)]
pub(crate) struct Overlay(HashMap<&'static str, Written>);

/// What was written of a table.
#[derive(Default)]
struct Written {
    /// The records, and none where one was deleted.
    records: BTreeMap<Arc<str>, Option<Value>>,
    /// What they are found by: index, value, key. Some of it may be of an earlier write of the same record.
    marks: BTreeSet<(&'static str, String, Arc<str>)>,
}

impl Overlay {
    pub(crate) fn put(&mut self, table: &'static str, key: Arc<str>, value: Option<Value>) {
        let written = self.0.entry(table).or_default();
        let marks = value.as_ref().map_or_else(Vec::new, |value| value.marks());
        written.marks.extend(marks.into_iter().map(|(index, of)| (index, of, Arc::clone(&key))));
        written.records.insert(key, value);
    }

    /// Adds what was written later.
    pub(crate) fn add(&mut self, later: Overlay) {
        for (table, Written { records, marks }) in later.0 {
            let written = self.0.entry(table).or_default();
            written.records.extend(records);
            written.marks.extend(marks);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns what was written of a record: none where it was deleted.
    pub(crate) fn get(&self, table: &str, key: &str) -> Option<Option<&Value>> {
        self.0.get(table)?.records.get(key).map(Option::as_ref)
    }

    /// Returns what was written of the records whose keys start with `prefix`.
    pub(crate) fn range<'a>(
        &'a self,
        table: &str,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<str>, Option<&'a Value>)> {
        use std::ops::Bound::{Included, Unbounded};
        self.0
            .get(table)
            .into_iter()
            .flat_map(move |written| written.records.range::<str, _>((Included(prefix), Unbounded)))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key, value.as_ref()))
    }

    /// Returns the keys that were written with this value in an index.
    pub(crate) fn marked<'a>(
        &'a self,
        table: &str,
        index: &'static str,
        value: &'a str,
    ) -> impl Iterator<Item = &'a Arc<str>> {
        let from = (index, value.to_owned(), Arc::from(""));
        self.0
            .get(table)
            .into_iter()
            .flat_map(move |written| written.marks.range(from.clone()..))
            .take_while(move |(of, found, _)| *of == index && found == value)
            .map(|(_, _, key)| key)
    }
}

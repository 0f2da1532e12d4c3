//! What an update sees and writes.

use crate::{
    overlay::Overlay,
    record::{Record, Tables, Value, typed},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, RwLockReadGuard},
};

/// One write: its table, key, new value (none to delete), and its bytes when it is durable.
pub(crate) struct Write {
    pub(crate) table: &'static str,
    pub(crate) key: Arc<str>,
    pub(crate) value: Option<Value>,
    /// `None` for a volatile write; `Some(None)` deletes on disk too.
    pub(crate) durable: Option<Option<Vec<u8>>>,
}

/// The state an update reads, with its own writes on top.
///
/// The update may run more than once, so it must not have effects besides its writes.
pub struct Draft<'a> {
    pub(crate) tables: RwLockReadGuard<'a, Tables>,
    pub(crate) accepted: &'a Overlay,
    pub(crate) own: Overlay,
    pub(crate) writes: Vec<Write>,
}

impl Draft<'_> {
    /// Returns the record with this key.
    pub fn get<R: Record>(&self, key: &str) -> Option<Arc<R>> {
        self.value(R::TABLE, key).map(typed)
    }

    fn value(&self, table: &str, key: &str) -> Option<&Value> {
        let written = self.own.get(table, key).or_else(|| self.accepted.get(table, key));
        written.unwrap_or_else(|| self.tables.get(table, key))
    }

    /// Returns the records whose keys start with `prefix`, in key order; all of them for an empty one.
    pub fn list<R: Record>(&self, prefix: &str) -> Vec<Arc<R>> {
        let written = || [self.accepted, &self.own].into_iter().flat_map(|late| late.range(R::TABLE, prefix));
        let there = self.tables.range(R::TABLE, prefix);
        if written().next().is_none() {
            return there.map(|(_, value)| typed(value)).collect();
        }
        let mut found: BTreeMap<&Arc<str>, &Value> = there.collect();
        for (key, value) in written() {
            match value {
                Some(value) => found.insert(key, value),
                None => found.remove(key),
            };
        }
        found.into_values().map(typed).collect()
    }

    /// Returns the records with this value in an index, in key order.
    pub fn find<R: Record>(&self, index: &'static str, value: &str) -> Vec<Arc<R>> {
        let is_marked = |found: &&Value| found.marks().iter().any(|(of, is)| *of == index && is == value);
        let written = [self.accepted, &self.own];
        let there = self.tables.marked(R::TABLE, index, value);
        let mut found: BTreeMap<&Arc<str>, &Value> =
            there.filter(|(key, _)| written.iter().all(|late| late.get(R::TABLE, key).is_none())).collect();
        // What was written since may have changed the record's value there, or deleted it.
        for written in written {
            let keys = written.marked(R::TABLE, index, value);
            found.extend(keys.filter_map(|key| Some((key, self.value(R::TABLE, key).filter(is_marked)?))));
        }
        found.into_values().map(typed).collect()
    }

    /// Writes a record.
    pub fn put<R: Record>(&mut self, record: R) {
        let bytes = serde_json::to_vec(&record).expect("records are plain values with string keys");
        self.write::<R>(record.key(), Some(Arc::new(record)), Some(Some(bytes)));
    }

    /// Writes a record that need not survive a restart; what was last put durably is back then.
    pub fn put_volatile<R: Record>(&mut self, record: R) {
        self.write::<R>(record.key(), Some(Arc::new(record)), None);
    }

    /// Deletes the record with this key, if it is there.
    pub fn delete<R: Record>(&mut self, key: &str) {
        self.write::<R>(key.to_owned(), None, Some(None));
    }

    fn write<R: Record>(&mut self, key: String, value: Option<Value>, durable: Option<Option<Vec<u8>>>) {
        let key: Arc<str> = key.into();
        self.own.put(R::TABLE, Arc::clone(&key), value.clone());
        self.writes.push(Write { table: R::TABLE, key, value, durable });
    }
}

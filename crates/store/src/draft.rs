//! What an update sees and writes.

use crate::record::{Record, Tables, Value, typed};
use std::{
    collections::BTreeMap,
    sync::{Arc, RwLockReadGuard},
};

/// Accepted writes that readers do not see yet, the newest for each key.
pub(crate) type Overlay = BTreeMap<(&'static str, String), Option<Value>>;

/// One write: its table, key, new value (none to delete), and its bytes when it is durable.
pub(crate) struct Write {
    pub(crate) table: &'static str,
    pub(crate) key: String,
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
        let id = (R::TABLE, key.to_owned());
        match self.own.get(&id).or_else(|| self.accepted.get(&id)) {
            Some(value) => value.as_ref().map(typed),
            None => self.tables.get(R::TABLE, key).map(typed),
        }
    }

    /// Returns the records whose keys start with `prefix`, in key order; all of them for an empty one.
    pub fn list<R: Record>(&self, prefix: &str) -> Vec<Arc<R>> {
        let mut found: BTreeMap<&String, &Value> = self.tables.range(R::TABLE, prefix).collect();
        for overlay in [self.accepted, &self.own] {
            let from = (R::TABLE, prefix.to_owned());
            let touched = overlay
                .range(from..)
                .take_while(|((table, key), _)| *table == R::TABLE && key.starts_with(prefix));
            for ((_, key), value) in touched {
                match value {
                    Some(value) => found.insert(key, value),
                    None => found.remove(key),
                };
            }
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
        self.own.insert((R::TABLE, key.clone()), value.clone());
        self.writes.push(Write { table: R::TABLE, key, value, durable });
    }
}

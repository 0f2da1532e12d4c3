//! Records, and the tables that hold them in memory.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

/// A value that the store keeps.
pub trait Record: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The table's name, without a NUL.
    const TABLE: &'static str;

    /// Returns the key: unique in its table, in an order that suits range reads, without a NUL.
    fn key(&self) -> String;
}

pub(crate) type Value = Arc<dyn Any + Send + Sync>;

/// The tables in memory.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) revision: u64,
    tables: HashMap<&'static str, BTreeMap<String, Value>>,
}

impl Tables {
    pub(crate) fn get(&self, table: &str, key: &str) -> Option<&Value> {
        self.tables.get(table)?.get(key)
    }

    pub(crate) fn range<'a>(
        &'a self,
        table: &str,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        let from: (Bound<&str>, Bound<&str>) = (Bound::Included(prefix), Bound::Unbounded);
        self.tables
            .get(table)
            .into_iter()
            .flat_map(move |records| records.range::<str, _>(from))
            .take_while(move |(key, _)| key.starts_with(prefix))
    }

    pub(crate) fn apply(&mut self, table: &'static str, key: String, value: Option<Value>) {
        let records = self.tables.entry(table).or_default();
        match value {
            Some(value) => {
                records.insert(key, value);
            }
            None => {
                records.remove(&key);
            }
        }
    }
}

/// Returns the record behind a value of `R`'s table.
pub(crate) fn typed<R: Record>(value: &Value) -> Arc<R> {
    Arc::clone(value).downcast().expect("a table holds one type of record")
}

/// What the store holds at one revision. Hold it briefly: while it lives, nothing new becomes visible.
pub struct View<'a>(pub(crate) std::sync::RwLockReadGuard<'a, Tables>);

impl View<'_> {
    /// Returns the revision, which grows with every change.
    pub fn revision(&self) -> u64 {
        self.0.revision
    }

    /// Returns the record with this key.
    pub fn get<R: Record>(&self, key: &str) -> Option<Arc<R>> {
        self.0.get(R::TABLE, key).map(typed)
    }

    /// Returns the records whose keys start with `prefix`, in key order; all of them for an empty one.
    pub fn list<R: Record>(&self, prefix: &str) -> Vec<Arc<R>> {
        self.0.range(R::TABLE, prefix).map(|(_, value)| typed(value)).collect()
    }
}

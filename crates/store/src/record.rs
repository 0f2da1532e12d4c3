//! Records, and the tables that hold them in memory.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

/// By what else than its key a record is found: the index, and its value there.
pub type Mark = (&'static str, String);

/// A value that the store keeps.
pub trait Record: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The table's name, without a NUL.
    const TABLE: &'static str;

    /// Returns the key: unique in its table, in an order that suits range reads, without a NUL.
    fn key(&self) -> String;

    /// Returns by what else it is found.
    fn marks(&self) -> Vec<Mark> {
        Vec::new()
    }
}

/// A record of any type.
pub(crate) trait Kept: Any + Send + Sync {
    fn marks(&self) -> Vec<Mark>;
}

impl<R: Record> Kept for R {
    fn marks(&self) -> Vec<Mark> {
        Record::marks(self)
    }
}

pub(crate) type Value = Arc<dyn Kept>;

type Records = BTreeMap<Arc<str>, Value>;

/// The records of a table that have the same value in an index.
#[derive(Default)]
struct Bucket {
    records: Records,
    touched: u64,
}

#[derive(Default)]
struct Index {
    buckets: HashMap<String, Bucket>,
    /// When a bucket was last given up because it was empty.
    emptied: u64,
}

#[derive(Default)]
struct Table {
    records: Records,
    indexes: HashMap<&'static str, Index>,
    touched: u64,
}

/// The tables in memory.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) revision: u64,
    tables: HashMap<&'static str, Table>,
    pub(crate) changes: crate::changes::Changes,
}

impl Tables {
    /// Returns tables of these records, which come in the order of their keys.
    pub(crate) fn of(revision: u64, loaded: impl Iterator<Item = (&'static str, Arc<str>, Value)>) -> Tables {
        let mut sorted: HashMap<&'static str, Vec<(Arc<str>, Value)>> = HashMap::new();
        for (table, key, value) in loaded {
            sorted.entry(table).or_default().push((key, value));
        }
        let mut tables = Tables { revision, ..Tables::default() };
        for (name, records) in sorted {
            let table = tables.tables.entry(name).or_default();
            for (key, value) in &records {
                table.add_marks(&value.marks(), key, value, revision);
            }
            table.records = records.into_iter().collect();
            table.touched = revision;
        }
        tables.changes = crate::changes::Changes::from(revision);
        tables
    }

    pub(crate) fn get(&self, table: &str, key: &str) -> Option<&Value> {
        self.tables.get(table)?.records.get(key)
    }

    pub(crate) fn range<'a>(
        &'a self,
        table: &str,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Value)> + use<'a> {
        let from: (Bound<&str>, Bound<&str>) = (Bound::Included(prefix), Bound::Unbounded);
        self.tables
            .get(table)
            .into_iter()
            .flat_map(move |table| table.records.range::<str, _>(from))
            .take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// Returns the records with this value in an index, in the order of their keys.
    pub(crate) fn marked<'a>(
        &'a self,
        table: &str,
        index: &str,
        value: &str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Value)> + use<'a> {
        let index = self.tables.get(table).and_then(|table| table.indexes.get(index));
        index.and_then(|index| index.buckets.get(value)).into_iter().flat_map(|bucket| &bucket.records)
    }

    /// Writes at the revision that is being made.
    pub(crate) fn apply(&mut self, name: &'static str, key: Arc<str>, value: Option<Value>) {
        let revision = self.revision;
        let table = self.tables.entry(name).or_default();
        table.touched = revision;
        let marks = value.as_ref().map_or_else(Vec::new, |value| value.marks());
        let former = match &value {
            Some(value) => table.records.insert(Arc::clone(&key), Arc::clone(value)),
            None => table.records.remove(&key),
        };
        let former = former.map_or_else(Vec::new, |former| former.marks());
        let gone: Vec<Mark> = former.into_iter().filter(|mark| !marks.contains(mark)).collect();
        table.remove_marks(&gone, &key, revision);
        if let Some(value) = &value {
            table.add_marks(&marks, &key, value, revision);
        }
        self.changes.note(revision, name, key, marks.into_iter().chain(gone).collect());
    }
}

impl Table {
    fn add_marks(&mut self, marks: &[Mark], key: &Arc<str>, value: &Value, revision: u64) {
        for (index, of) in marks {
            let buckets = &mut self.indexes.entry(index).or_default().buckets;
            let bucket = match buckets.get_mut(of) {
                Some(bucket) => bucket,
                None => buckets.entry(of.clone()).or_default(),
            };
            bucket.touched = revision;
            bucket.records.insert(Arc::clone(key), Arc::clone(value));
        }
    }

    fn remove_marks(&mut self, marks: &[Mark], key: &str, revision: u64) {
        for (index, of) in marks {
            let Some(index) = self.indexes.get_mut(index) else { continue };
            let Some(bucket) = index.buckets.get_mut(of) else { continue };
            bucket.touched = revision;
            bucket.records.remove(key);
            if bucket.records.is_empty() {
                index.buckets.remove(of);
                index.emptied = revision;
            }
        }
    }
}

/// Returns the record behind a value of `R`'s table.
pub(crate) fn typed<R: Record>(value: &Value) -> Arc<R> {
    let value: Arc<dyn Any + Send + Sync> = Arc::<dyn Kept>::clone(value);
    value.downcast().expect("a table holds one type of record")
}

/// What the store holds at one revision. Hold it briefly: while it lives, nothing new becomes visible. Hold one: where
/// somebody waits to write, a second one of the same thread waits behind them, and they for the first, for ever.
pub struct View<'a>(
    pub(crate) std::sync::RwLockReadGuard<'a, Tables>,
    #[expect(dead_code, reason = "its end is what it is kept for")] Held,
);

impl<'a> View<'a> {
    pub(crate) fn new(tables: &'a std::sync::RwLock<Tables>) -> View<'a> {
        let held = Held::begin(std::ptr::from_ref(tables).addr());
        View(tables.read().unwrap_or_else(std::sync::PoisonError::into_inner), held)
    }
}

/// Notices, where assertions are compiled in, that a thread holds a second view of one store; keeps which store the
/// thread held a view of before.
struct Held(usize);

thread_local! {
    static HOLDS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Held {
    fn begin(store: usize) -> Held {
        if !cfg!(debug_assertions) {
            return Held(0);
        }
        let before = HOLDS.replace(store);
        assert_ne!(before, store, "a thread that holds a view of the store takes no second one");
        Held(before)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if cfg!(debug_assertions) {
            HOLDS.set(self.0);
        }
    }
}

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

    /// Returns the records with this value in an index, in key order.
    pub fn find<R: Record>(&self, index: &str, value: &str) -> Vec<Arc<R>> {
        self.0.marked(R::TABLE, index, value).map(|(_, value)| typed(value)).collect()
    }

    /// Returns the revision at which the table was last changed.
    pub fn touched<R: Record>(&self) -> u64 {
        self.0.tables.get(R::TABLE).map_or(0, |table| table.touched)
    }

    /// Returns a revision at or after the last change of a record with this value in an index.
    pub fn touched_at<R: Record>(&self, index: &str, value: &str) -> u64 {
        let index = self.0.tables.get(R::TABLE).and_then(|table| table.indexes.get(index));
        let bucket = index.and_then(|index| index.buckets.get(value));
        bucket.map_or_else(|| index.map_or(0, |index| index.emptied), |bucket| bucket.touched)
    }

    /// Returns what has changed after a revision; nothing when that is too long ago to tell.
    pub fn since(&self, revision: u64) -> Option<impl Iterator<Item = &crate::Change>> {
        self.0.changes.since(revision)
    }
}

//! Reading the state, the same inside a transaction and outside of one.

use std::sync::Arc;
use wharf_store::{Draft, Record, View};

/// Something that records can be read from.
pub(crate) trait Look {
    /// Returns the record with this key.
    fn get<R: Record>(&self, key: &str) -> Option<Arc<R>>;
    /// Returns the records whose keys start with `prefix`, in key order.
    fn list<R: Record>(&self, prefix: &str) -> Vec<Arc<R>>;
    /// Returns the records with this value in an index, in key order.
    fn find<R: Record>(&self, index: &'static str, value: &str) -> Vec<Arc<R>>;
}

impl Look for View<'_> {
    fn get<R: Record>(&self, key: &str) -> Option<Arc<R>> {
        View::get(self, key)
    }

    fn list<R: Record>(&self, prefix: &str) -> Vec<Arc<R>> {
        View::list(self, prefix)
    }

    fn find<R: Record>(&self, index: &'static str, value: &str) -> Vec<Arc<R>> {
        View::find(self, index, value)
    }
}

impl Look for Draft<'_> {
    fn get<R: Record>(&self, key: &str) -> Option<Arc<R>> {
        Draft::get(self, key)
    }

    fn list<R: Record>(&self, prefix: &str) -> Vec<Arc<R>> {
        Draft::list(self, prefix)
    }

    fn find<R: Record>(&self, index: &'static str, value: &str) -> Vec<Arc<R>> {
        Draft::find(self, index, value)
    }
}

//! The handle that operations and loops share.

use crate::Config;
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use wharf_model::Timestamp;
use wharf_store::Store;

/// The control plane; clones share it.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    config: Config,
}

impl Control {
    /// Returns a control plane over `store`. Nothing runs until its loops are started.
    pub fn new(store: Store, config: Config) -> Control {
        Control { shared: Arc::new(Shared { store, config }) }
    }

    /// Returns the store.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Returns the configuration.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

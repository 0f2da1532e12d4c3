//! Durable state: typed tables with one store-wide revision.
//!
//! Serving state is in memory, the journal is durable. An update is a function from what is there to what should
//! be: it runs against everything that was accepted before it, and what it wrote becomes visible to readers at once
//! with its acknowledgement, after it is on disk. Updates that arrive together are written together. A watch is a
//! doorbell: it says that the revision grew, never what changed.
//!
//! Records written with [`Draft::put_volatile`] are visible like others and gone after a restart: states on the
//! way, which the nodes report again.

mod disk;
mod draft;
mod record;
mod store;
mod tables;

pub use disk::Damaged;
pub use draft::Draft;
pub use record::{Record, View};
pub use store::{OpenError, Schema, Store, StoreError, UpdateError};
pub use tables::{
    AddressLease, AddressPool, Counter, OwnSecret, PinnedImages, RequestToken, TargetHealthRecord, schema,
    target_key,
};

#[cfg(test)]
mod tests;

//! Durable state: typed tables with one store-wide revision.
//!
//! Serving state is in memory, the journal is durable. An update is a function from what is there to what should
//! be: it runs against everything that was accepted before it, and what it wrote becomes visible to readers at once
//! with its acknowledgement, after it is on disk. Updates that arrive together are written together. A watch is a
//! doorbell: it says that the revision grew, never what changed.
//!
//! Records written with [`Draft::put_volatile`] are visible like others and gone after a restart: states on the
//! way, which the nodes report again.
//!
//! A state file is checked whole before it is served and before anything of it is changed; see [`Damaged`] for what
//! is refused. When a write fails, nothing is acknowledged any more and what is there can still be read: for good
//! when the disk failed, until there is room again when it was full.

mod changes;
mod damaged;
mod disk;
mod draft;
mod held;
mod load;
mod make;
mod medium;
mod overlay;
mod record;
mod snapshot;
mod store;
mod tables;

pub use changes::Change;
pub use damaged::Damaged;
pub use disk::{LAYOUT, NEEDS};
pub use draft::Draft;
pub use record::{Mark, Record, View};
pub use snapshot::{ReadError, Row, RowError, Snapshot, SnapshotError, examine, make_state_file};
pub use store::{Schema, Store, StoreError, UpdateError};
pub use tables::{
    AddressLease, AddressPool, Counter, ENDED, OF_SERVICE, OF_TASK, ON_NODE, OVER, OwnSecret, PinnedImages,
    RequestToken, TargetHealthRecord, schema, target_key,
};

/// This version, as it is written into state files.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests;

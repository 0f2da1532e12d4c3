//! What may not be cleaned away now: images that somebody holds, and what pulls under way need.
//!
//! Both are counted under one lock, and cleaning chooses and takes out of sight under the same lock. So an image is
//! either held first, and stays, or gone first, and is pulled again.

use crate::digest::Digest;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Uses {
    images: HashMap<Digest, usize>,
    /// Layers by diff id, and blobs, that pulls under way have or will have.
    contents: HashMap<Digest, usize>,
}

impl Uses {
    pub(super) fn has_image(&self, digest: &Digest) -> bool {
        self.images.contains_key(digest)
    }

    /// Returns whether a layer or blob with these hex digits is needed by a pull under way.
    pub(super) fn has_content(&self, hex: &str) -> bool {
        self.contents.keys().any(|digest| digest.hex() == hex)
    }
}

/// Keeps an image here while it is held. Copies share it.
#[derive(Clone)]
pub struct Lease(Arc<Held>);

struct Held {
    uses: Arc<Mutex<Uses>>,
    digest: Digest,
}

impl Lease {
    /// Takes an image while the counts are locked.
    pub(super) fn take(uses: &Arc<Mutex<Uses>>, locked: &mut Uses, digest: &Digest) -> Lease {
        *locked.images.entry(digest.clone()).or_default() += 1;
        Lease(Arc::new(Held { uses: Arc::clone(uses), digest: digest.clone() }))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        give_back(&mut lock(&self.uses).images, &self.digest);
    }
}

impl PartialEq for Lease {
    fn eq(&self, other: &Lease) -> bool {
        self.0.digest == other.0.digest
    }
}

impl Eq for Lease {}

impl fmt::Debug for Lease {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Lease({})", self.0.digest)
    }
}

/// Keeps the layers and blobs of a pull while it is under way.
pub(super) struct Pins {
    uses: Arc<Mutex<Uses>>,
    contents: Vec<Digest>,
}

impl Pins {
    pub(super) fn new(uses: &Arc<Mutex<Uses>>, contents: Vec<Digest>) -> Pins {
        let mut locked = lock(uses);
        for digest in &contents {
            *locked.contents.entry(digest.clone()).or_default() += 1;
        }
        drop(locked);
        Pins { uses: Arc::clone(uses), contents }
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        let mut locked = lock(&self.uses);
        for digest in &self.contents {
            give_back(&mut locked.contents, digest);
        }
    }
}

fn give_back(counts: &mut HashMap<Digest, usize>, digest: &Digest) {
    if let Some(count) = counts.get_mut(digest) {
        *count -= 1;
        if *count == 0 {
            counts.remove(digest);
        }
    }
}

/// Locks the counts.
pub(super) fn lock(uses: &Mutex<Uses>) -> MutexGuard<'_, Uses> {
    uses.lock().unwrap_or_else(PoisonError::into_inner)
}

//! What is known of the images that are here: `<root>/images/<hex>.json`, by the digest that names stand for.

use crate::digest::Digest;
use crate::durable;
use crate::image::ImageConfig;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

/// An image without the name it was asked for by.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ImageRecord {
    pub(super) digest: Digest,
    pub(super) manifest: Digest,
    pub(super) id: Digest,
    pub(super) config: ImageConfig,
    pub(super) diff_ids: Vec<Digest>,
    pub(super) size: u64,
}

/// The records in a folder, all of them in memory.
pub(super) struct Records {
    folder: Utf8PathBuf,
    known: RwLock<HashMap<Digest, Arc<ImageRecord>>>,
}

impl Records {
    /// Reads all records. One that cannot be understood is as good as none: the image is pulled again.
    pub(super) fn open(root: &Utf8Path) -> io::Result<Records> {
        let folder = root.join("images");
        std::fs::create_dir_all(&folder)?;
        let mut known = HashMap::new();
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            if entry.file_name().starts_with('.') {
                std::fs::remove_file(entry.path())?;
                continue;
            }
            match serde_json::from_slice::<ImageRecord>(&std::fs::read(entry.path())?) {
                Ok(record) => drop(known.insert(record.digest.clone(), Arc::new(record))),
                Err(error) => tracing::warn!(path = %entry.path(), %error, "image record ignored"),
            }
        }
        Ok(Records { folder, known: RwLock::new(known) })
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<ImageRecord>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Writes a record. Blocks for as long as the disk takes.
    pub(super) fn put(&self, record: Arc<ImageRecord>) -> io::Result<()> {
        let path = self.folder.join(format!("{}.json", record.digest.hex()));
        durable::write(&path, &serde_json::to_vec(&record)?)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(record.digest.clone(), record);
        Ok(())
    }

    /// Forgets every image of which `keep` says no, and returns those that stay.
    pub(super) fn retain(&self, keep: impl Fn(&Digest) -> bool) -> io::Result<Vec<Arc<ImageRecord>>> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<Digest> = known.keys().filter(|digest| !keep(digest)).cloned().collect();
        for digest in gone {
            std::fs::remove_file(self.folder.join(format!("{}.json", digest.hex())))?;
            known.remove(&digest);
        }
        Ok(known.values().cloned().collect())
    }
}

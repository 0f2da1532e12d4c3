//! What is known of the images that are here: `<root>/images/<hex>.json`, by the digest that names stand for.

use crate::digest::Digest;
use crate::durable;
use crate::image::ImageConfig;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

/// An image without the name it was asked for by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ImageRecord {
    pub(super) digest: Digest,
    pub(super) manifest: Digest,
    pub(super) id: Digest,
    pub(super) config: ImageConfig,
    pub(super) diff_ids: Vec<Digest>,
    pub(super) size: u64,
    /// The names that stood for it when they were last asked for.
    #[serde(default)]
    pub(super) names: Vec<String>,
}

/// The records in a folder, all of them in memory.
pub(super) struct Records {
    folder: Utf8PathBuf,
    known: RwLock<HashMap<Digest, Arc<ImageRecord>>>,
    /// Held while a file and what is known change together.
    changing: Mutex<()>,
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
        Ok(Records { folder, known: RwLock::new(known), changing: Mutex::new(()) })
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<ImageRecord>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Writes a record. Blocks for as long as the disk takes.
    pub(super) fn put(&self, record: Arc<ImageRecord>) -> io::Result<()> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.put_alone(record)
    }

    fn put_alone(&self, record: Arc<ImageRecord>) -> io::Result<()> {
        let path = self.path(&record.digest);
        durable::write(&path, &serde_json::to_vec(&record)?)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(record.digest.clone(), record);
        Ok(())
    }

    /// Writes down that a name stands for an image now, and for no other any more. Blocks only where that is new.
    pub(super) fn name(&self, digest: &Digest, name: &str) -> io::Result<()> {
        let differs = |record: &Arc<ImageRecord>| {
            record.names.iter().any(|own| own == name) != (record.digest == *digest)
        };
        if !self.all().iter().any(differs) {
            return Ok(());
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        for record in self.all().into_iter().filter(differs) {
            let mut record = record.as_ref().clone();
            if record.digest == *digest {
                record.names.push(name.to_owned());
            } else {
                record.names.retain(|own| own != name);
            }
            self.put_alone(Arc::new(record))?;
        }
        Ok(())
    }

    /// Notes that an image is used now.
    pub(super) fn touch(&self, digest: &Digest) -> io::Result<()> {
        durable::touch(&self.path(digest))
    }

    /// Returns when an image was used last.
    pub(super) fn used_at(&self, digest: &Digest) -> io::Result<SystemTime> {
        std::fs::metadata(self.path(digest))?.modified()
    }

    /// Returns all records.
    pub(super) fn all(&self) -> Vec<Arc<ImageRecord>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Forgets an image.
    pub(super) fn remove(&self, digest: &Digest) -> io::Result<()> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.contains_key(digest) {
            std::fs::remove_file(self.path(digest))?;
            known.remove(digest);
        }
        Ok(())
    }

    fn path(&self, digest: &Digest) -> Utf8PathBuf {
        self.folder.join(format!("{}.json", digest.hex()))
    }
}

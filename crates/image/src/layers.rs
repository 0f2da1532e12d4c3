//! The unpacked layers: `<root>/layers/<hex of the diff id>/`, each complete from the moment it is visible.
//!
//! A layer is unpacked in `<root>/unpacking/` and renamed when all of it is on the disk. What a crash left
//! there is removed when the store is opened.

use crate::digest::Digest;
use crate::durable;
use crate::unpack::{Compression, UnpackError, UnpackLimits, Unpacked, unpack};
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// The unpacked layers in a folder.
#[derive(Debug)]
pub struct LayerStore {
    layers: Utf8PathBuf,
    drafts: Utf8PathBuf,
    next: AtomicU64,
}

/// Why a layer could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The archive could not be unpacked.
    #[error("{0}")]
    Unpack(#[from] UnpackError),
    /// The archive is not the one that the image's configuration names.
    #[error("wrong diff id: the configuration says {expected} and the layer is {actual}")]
    DiffId {
        /// What the configuration says.
        expected: Digest,
        /// What the layer is.
        actual: Digest,
    },
    /// A file operation failed.
    #[error("{operation} {path}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// With which file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl LayerStore {
    /// Opens the store under `root`, makes its folders and removes unfinished layers.
    pub fn open(root: &Utf8Path) -> Result<LayerStore, LayerError> {
        let store = LayerStore {
            layers: root.join("layers"),
            drafts: root.join("unpacking"),
            next: AtomicU64::new(0),
        };
        fs::create_dir_all(&store.layers).map_err(|source| failed("create", &store.layers, source))?;
        durable::empty_folder(&store.drafts).map_err(|source| failed("empty", &store.drafts, source))?;
        Ok(store)
    }

    /// Returns where a layer is, or would be.
    pub fn path(&self, diff_id: &Digest) -> Utf8PathBuf {
        self.layers.join(diff_id.hex())
    }

    /// Returns whether a layer is here.
    pub fn has(&self, diff_id: &Digest) -> bool {
        self.path(diff_id).is_dir()
    }

    /// Unpacks the archive in `blob` as the layer `diff_id`. Blocks.
    pub fn add(&self, diff_id: &Digest, blob: &Utf8Path, limits: &UnpackLimits) -> Result<(), LayerError> {
        let draft = self.drafts.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let added = self.unpack(diff_id, blob, &draft, limits);
        if added.is_err() && draft.exists() {
            fs::remove_dir_all(&draft).map_err(|source| failed("remove", &draft, source))?;
        }
        added
    }

    fn unpack(
        &self,
        diff_id: &Digest,
        blob: &Utf8Path,
        draft: &Utf8Path,
        limits: &UnpackLimits,
    ) -> Result<(), LayerError> {
        let reading = |source| failed("read", blob, source);
        let mut file = File::open(blob).map_err(reading)?;
        let size = file.metadata().map_err(reading)?.len();
        let mut head = Vec::new();
        (&mut file).take(4).read_to_end(&mut head).map_err(reading)?;
        file.rewind().map_err(reading)?;

        fs::create_dir(draft).map_err(|source| failed("create", draft, source))?;
        let public = fs::Permissions::from_mode(0o755);
        fs::set_permissions(draft, public).map_err(|source| failed("set the mode of", draft, source))?;
        let file = BufReader::with_capacity(256 * 1024, file);
        let Unpacked { diff_id: actual, entries, bytes, left_out } =
            unpack(file, Compression::of(&head), size, draft, limits)?;
        if actual != *diff_id {
            return Err(LayerError::DiffId { expected: diff_id.clone(), actual });
        }
        let target = self.path(diff_id);
        fs::rename(draft, &target).map_err(|source| failed("rename to", &target, source))?;
        durable::sync_folder(&self.layers).map_err(|source| failed("sync", &self.layers, source))?;
        tracing::info!(%diff_id, entries, bytes, left_out, "layer unpacked");
        Ok(())
    }

    /// Removes every layer of which `keep` says no. Nothing may be using them.
    pub fn retain(&self, keep: impl Fn(&str) -> bool) -> Result<usize, LayerError> {
        let listing = |source| failed("list", &self.layers, source);
        let mut removed = 0;
        for entry in self.layers.read_dir_utf8().map_err(listing)? {
            let entry = entry.map_err(listing)?;
            if keep(entry.file_name()) {
                continue;
            }
            // Out of sight first, so that a crash half-way leaves no half layer.
            let draft = self.drafts.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
            fs::rename(entry.path(), &draft).map_err(|source| failed("rename", entry.path(), source))?;
            fs::remove_dir_all(&draft).map_err(|source| failed("remove", &draft, source))?;
            removed += 1;
        }
        Ok(removed)
    }
}

fn failed(operation: &'static str, path: &Utf8Path, source: io::Error) -> LayerError {
    LayerError::Io { operation, path: path.to_owned(), source }
}

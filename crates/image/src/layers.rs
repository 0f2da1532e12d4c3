//! The unpacked layers: `<root>/layers/<hex of the diff id>/`, each complete from the moment it is visible.
//!
//! A layer is unpacked in `<root>/unpacking/` and renamed when all of it is on the disk. What a crash left
//! there is removed when the store is opened. What a layer costs on the disk is kept beside it, in
//! `<root>/layer-sizes/`.

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
    sizes: Utf8PathBuf,
    next: AtomicU64,
}

/// What an entry costs besides its content: its inode and its name.
const ENTRY_BYTES: u64 = 1024;

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
            sizes: root.join("layer-sizes"),
            next: AtomicU64::new(0),
        };
        for folder in [&store.layers, &store.sizes] {
            fs::create_dir_all(folder).map_err(|source| failed("create", folder, source))?;
        }
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
        // Before the layer is seen, so that it never is without; what is left by a crash is written over.
        let size = self.sizes.join(diff_id.hex());
        fs::write(&size, (bytes + entries * ENTRY_BYTES).to_string())
            .map_err(|source| failed("write", &size, source))?;
        let target = self.path(diff_id);
        fs::rename(draft, &target).map_err(|source| failed("rename to", &target, source))?;
        durable::sync_folder(&self.layers).map_err(|source| failed("sync", &self.layers, source))?;
        tracing::info!(%diff_id, entries, bytes, left_out, "layer unpacked");
        Ok(())
    }

    /// Returns about how many bytes of the disk a layer takes; nothing for one that is not here.
    pub fn size(&self, diff_id: &Digest) -> Result<u64, LayerError> {
        let (kept, layer) = (self.sizes.join(diff_id.hex()), self.path(diff_id));
        if let Some(bytes) = fs::read_to_string(&kept).ok().and_then(|text| text.trim().parse().ok()) {
            return Ok(bytes);
        }
        let bytes = walk(&layer).map_err(|source| failed("measure", &layer, source))?;
        fs::write(&kept, bytes.to_string()).map_err(|source| failed("write", &kept, source))?;
        Ok(bytes)
    }

    /// Returns the hex digits of every layer here.
    pub fn list(&self) -> Result<Vec<String>, LayerError> {
        let listing = |source| failed("list", &self.layers, source);
        let entries = self.layers.read_dir_utf8().map_err(listing)?;
        entries.map(|entry| Ok(entry.map_err(listing)?.file_name().to_owned())).collect()
    }

    /// Takes a layer out of sight and returns where [`LayerStore::bury`] finds it. Quick, and once it is done a crash
    /// leaves no half layer. Nothing may be using it.
    pub(crate) fn retire(&self, hex: &str) -> Result<Option<Utf8PathBuf>, LayerError> {
        let layer = self.layers.join(hex);
        let draft = self.drafts.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        match fs::rename(&layer, &draft) {
            Ok(()) => Ok(Some(draft)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("rename", &layer, source)),
        }
    }

    /// Removes what [`LayerStore::retire`] took out of sight. Blocks for as long as the disk takes.
    pub(crate) fn bury(&self, hex: &str, draft: &Utf8Path) -> Result<(), LayerError> {
        fs::remove_dir_all(draft).map_err(|source| failed("remove", draft, source))?;
        if !self.layers.join(hex).exists() {
            let size = self.sizes.join(hex);
            match fs::remove_file(&size) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", &size, source));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns the bytes of the files below a folder, for a layer that was unpacked before sizes were kept.
fn walk(folder: &Utf8Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut folders = vec![folder.as_std_path().to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next)? {
            let entry = entry?;
            let about = entry.metadata()?;
            bytes += ENTRY_BYTES;
            if about.is_dir() {
                folders.push(entry.path());
            } else if about.is_file() {
                bytes += about.len();
            }
        }
    }
    Ok(bytes)
}

fn failed(operation: &'static str, path: &Utf8Path, source: io::Error) -> LayerError {
    LayerError::Io { operation, path: path.to_owned(), source }
}

//! A store of content by its digest: `<root>/blobs/sha256/<hex>`.
//!
//! Content arrives in `<root>/ingest/`, is hashed on the way, and becomes visible by one rename after its
//! digest and size were found right and the bytes are on the disk. What a crash left in `ingest` is removed when
//! the store is opened, but for downloads that can go on where they stopped (`<hex>.part`), which are kept for a
//! day. A root belongs to one process at a time.

use crate::digest::Digest;
use crate::durable;
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::io::{self, Read as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

/// How long the beginning of a download waits to be continued.
const PART_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Content by digest in a folder.
#[derive(Clone, Debug)]
pub struct BlobStore {
    blobs: Utf8PathBuf,
    ingest: Utf8PathBuf,
    next: Arc<AtomicU64>,
    /// The downloads under way that can be continued.
    parts: Arc<Mutex<HashSet<Utf8PathBuf>>>,
}

/// Why content could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The content is not what its name says.
    #[error("content has digest {actual}, not {expected}")]
    DigestMismatch {
        /// The digest that was promised.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
    /// There is more or less content than was promised.
    #[error("content of {expected_digest} has {actual} bytes, not {expected}")]
    SizeMismatch {
        /// Which content.
        expected_digest: Digest,
        /// The size that was promised.
        expected: u64,
        /// The size of what came, so far.
        actual: u64,
    },
    /// The disk is full.
    #[error("no space left on device at {path}")]
    DiskFull {
        /// The file that was being written.
        path: Utf8PathBuf,
    },
    /// A file operation failed.
    #[error("{operation} {path}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// With which file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl BlobError {
    pub(crate) fn io(operation: &'static str, path: &Utf8Path, source: io::Error) -> BlobError {
        if is_full(&source) {
            return BlobError::DiskFull { path: path.to_owned() };
        }
        BlobError::Io { operation, path: path.to_owned(), source }
    }
}

/// Returns whether an error says that the disk or the quota is used up.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl BlobStore {
    /// Opens the store under `root`, makes its folders and removes unfinished content.
    pub fn open(root: &Utf8Path) -> Result<BlobStore, BlobError> {
        let store = BlobStore {
            blobs: root.join("blobs/sha256"),
            ingest: root.join("ingest"),
            next: Arc::new(AtomicU64::new(0)),
            parts: Arc::default(),
        };
        for folder in [&store.blobs, &store.ingest] {
            std::fs::create_dir_all(folder)
                .map_err(|source| BlobError::io("create folder", folder, source))?;
        }
        store.sweep(PART_LIFE)?;
        Ok(store)
    }

    /// Removes what is left of content that never came whole: beginnings that nobody has continued for `part_life`,
    /// and everything else that nobody is writing.
    pub fn sweep(&self, part_life: Duration) -> Result<(), BlobError> {
        let failed = |source| BlobError::io("empty folder", &self.ingest, source);
        let first_own = self.next.load(Ordering::Relaxed);
        for entry in self.ingest.read_dir_utf8().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let kept = match path.extension() {
                Some("part") => {
                    let at = match entry.metadata().and_then(|about| about.modified()) {
                        Ok(at) => at,
                        // It became content meanwhile.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                        Err(error) => return Err(failed(error)),
                    };
                    let age = SystemTime::now().duration_since(at).unwrap_or_default();
                    let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
                    age < part_life || parts.contains(path)
                }
                // Drafts of this process are removed by who writes them.
                _ => first_own > 0,
            };
            if !kept {
                let removed = if entry.file_type().map_err(failed)?.is_dir() {
                    std::fs::remove_dir_all(path)
                } else {
                    std::fs::remove_file(path)
                };
                match removed {
                    Err(source) if source.kind() != io::ErrorKind::NotFound => {
                        return Err(BlobError::io("remove", path, source));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Returns where the content is, or would be.
    pub fn path(&self, digest: &Digest) -> Utf8PathBuf {
        self.blobs.join(digest.hex())
    }

    /// Returns the content's size, or nothing where it is not here.
    pub async fn size(&self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        let path = self.path(digest);
        match tokio::fs::metadata(&path).await {
            Ok(about) => Ok(Some(about.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BlobError::io("look up", &path, source)),
        }
    }

    /// Returns small content whole, or nothing where it is not here.
    pub async fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>, BlobError> {
        let path = self.path(digest);
        match tokio::fs::read(&path).await {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BlobError::io("read", &path, source)),
        }
    }

    /// Stores small content and returns its digest.
    pub async fn put(&self, content: &[u8]) -> Result<Digest, BlobError> {
        let digest = Digest::of(content);
        if self.size(&digest).await?.is_none() {
            let mut ingest = self.ingest().await?;
            ingest.write(content).await?;
            ingest.finish(&digest, None).await?;
        }
        Ok(digest)
    }

    /// Removes content. It is no error if it is not here.
    pub async fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        let path = self.path(digest);
        match tokio::fs::remove_file(&path).await {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(BlobError::io("remove", &path, source))
            }
            _ => Ok(()),
        }
    }

    /// Removes content, for callers that may block.
    pub(crate) fn remove_now(&self, digest: &Digest) -> Result<(), BlobError> {
        let path = self.path(digest);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(BlobError::io("remove", &path, source))
            }
            _ => Ok(()),
        }
    }

    /// Returns the digests of all content, for callers that may block.
    pub(crate) fn list_now(&self) -> Result<Vec<Digest>, BlobError> {
        let failed = |source| BlobError::io("list", &self.blobs, source);
        let entries = self.blobs.read_dir_utf8().map_err(failed)?;
        let names = entries.map(|entry| entry.map(|entry| format!("sha256:{}", entry.file_name())));
        let names = names.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Returns the digests of all content and when each was stored.
    pub async fn list(&self) -> Result<Vec<(Digest, std::time::SystemTime)>, BlobError> {
        let failed = |source| BlobError::io("list", &self.blobs, source);
        let mut found = Vec::new();
        let mut folder = tokio::fs::read_dir(&self.blobs).await.map_err(failed)?;
        while let Some(entry) = folder.next_entry().await.map_err(failed)? {
            let name = format!("sha256:{}", entry.file_name().to_string_lossy());
            if let (Ok(digest), Ok(about)) = (name.parse(), entry.metadata().await) {
                found.push((digest, about.modified().map_err(failed)?));
            }
        }
        Ok(found)
    }

    /// Makes content young again, so that whoever was told that it is here still finds it a while later.
    pub async fn touch(&self, digest: &Digest) -> Result<(), BlobError> {
        let path = self.path(digest);
        let touched = tokio::task::spawn_blocking({
            let path = path.clone();
            move || durable::touch(&path)
        });
        match touched.await.unwrap_or_else(|join| Err(io::Error::other(join))) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(BlobError::io("touch", &path, source))
            }
            _ => Ok(()),
        }
    }

    /// Begins to take in the content of this digest, or goes on where an earlier try stopped. Dropped unfinished, it
    /// leaves what has come for the next try.
    pub async fn resume(&self, digest: &Digest) -> Result<Ingest, BlobError> {
        let path = self.ingest.join(format!("{}.part", digest.hex()));
        let fresh = self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        if !fresh {
            return self.ingest().await;
        }
        let removed = Removed { path: path.clone(), parts: Some(Arc::clone(&self.parts)), keep: true };
        let opened = tokio::task::spawn_blocking({
            let path = path.clone();
            move || -> io::Result<(std::fs::File, Sha256, u64)> {
                let mut file = std::fs::File::options()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(&path)?;
                let (mut hasher, mut written, mut piece) = (Sha256::new(), 0, vec![0; 256 * 1024]);
                loop {
                    let count = file.read(&mut piece)?;
                    if count == 0 {
                        return Ok((file, hasher, written));
                    }
                    hasher.update(&piece[..count]);
                    written += count as u64;
                }
            }
        });
        let opened = opened.await.unwrap_or_else(|join| Err(io::Error::other(join)));
        let (file, hasher, written) = opened.map_err(|source| BlobError::io("continue", &path, source))?;
        let file = File::from_std(file);
        Ok(Ingest { store: self.clone(), path, file, hasher, written, removed })
    }

    /// Returns the path of a folder for work under way, which is not there yet.
    pub(crate) fn scratch(&self) -> Utf8PathBuf {
        self.ingest.join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Begins to take in content.
    pub async fn ingest(&self) -> Result<Ingest, BlobError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.ingest.join(number.to_string());
        let file = File::create(&path).await.map_err(|source| BlobError::io("create", &path, source))?;
        let removed = Removed { path: path.clone(), parts: None, keep: false };
        Ok(Ingest { store: self.clone(), path, file, hasher: Sha256::new(), written: 0, removed })
    }
}

/// Content on its way in. Dropped unfinished, it leaves nothing behind.
#[derive(Debug)]
pub struct Ingest {
    store: BlobStore,
    path: Utf8PathBuf,
    file: File,
    hasher: Sha256,
    written: u64,
    removed: Removed,
}

/// Removes a draft that did not become content, unless it can be continued; after the rename there is nothing at its
/// path.
#[derive(Debug)]
struct Removed {
    path: Utf8PathBuf,
    parts: Option<Arc<Mutex<HashSet<Utf8PathBuf>>>>,
    keep: bool,
}

impl Drop for Removed {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(path = %self.path, %error, "draft left until the next start");
        }
        if let Some(parts) = &self.parts {
            parts.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
        }
    }
}

impl Ingest {
    /// Returns how many bytes have come so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Appends bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            // A caller that gives up while this waits has handed over nothing, so count and hash stay true.
            let taken = self.file.write(rest).await;
            let taken = taken.map_err(|source| {
                // Its room is wanted.
                self.removed.keep &= !is_full(&source);
                BlobError::io("write", &self.path, source)
            })?;
            self.hasher.update(&rest[..taken]);
            self.written += taken as u64;
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// Forgets what has come so far, to begin again.
    pub async fn restart(&mut self) -> Result<(), BlobError> {
        let failed = |source| BlobError::io("truncate", &self.path, source);
        self.file.flush().await.map_err(failed)?;
        self.file.set_len(0).await.map_err(failed)?;
        self.file.rewind().await.map_err(failed)?;
        self.hasher = Sha256::new();
        self.written = 0;
        Ok(())
    }

    /// Makes the content visible if it is what was promised, and durable before it is visible.
    pub async fn finish(mut self, expected: &Digest, size: Option<u64>) -> Result<u64, BlobError> {
        // What is wrong now will not be right later.
        self.removed.keep = false;
        if let Some(size) = size.filter(|&size| size != self.written) {
            return Err(BlobError::SizeMismatch {
                expected_digest: expected.clone(),
                expected: size,
                actual: self.written,
            });
        }
        let actual = Digest::from_hasher(std::mem::take(&mut self.hasher));
        if actual != *expected {
            return Err(BlobError::DigestMismatch { expected: expected.clone(), actual });
        }
        let failed = |source| BlobError::io("write", &self.path, source);
        self.file.flush().await.map_err(failed)?;
        self.file.sync_all().await.map_err(failed)?;
        let target = self.store.path(expected);
        tokio::fs::rename(&self.path, &target)
            .await
            .map_err(|source| BlobError::io("rename to", &target, source))?;
        let folder = self.store.blobs.clone();
        let synced = tokio::task::spawn_blocking(move || durable::sync_folder(&folder)).await;
        match synced {
            Ok(Ok(())) => Ok(self.written),
            Ok(Err(source)) => Err(BlobError::io("sync", &self.store.blobs, source)),
            Err(join) => Err(BlobError::io("sync", &self.store.blobs, io::Error::other(join))),
        }
    }
}

#[cfg(test)]
mod tests;

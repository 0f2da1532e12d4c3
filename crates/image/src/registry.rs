//! The registry server: OCI distribution under `/v2/`, and the repositories behind ECR's API.
//!
//! Content of all repositories is in one [`BlobStore`]; a repository is one small JSON file,
//! `repositories/<name>/_repository.json`, which lists its manifests and tags and is replaced as a whole.
//! Reading serves from memory. A write changes a copy, makes it durable, and only then lets readers see it.

mod handle;
mod layers;
mod manifests;
mod record;
mod reply;
mod uploads;

use crate::blob::{BlobError, BlobStore};
use crate::digest::Digest;
use crate::durable;
use crate::name::is_repository;
use camino::{Utf8Path, Utf8PathBuf};
use record::Record;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use uploads::Uploads;

pub use handle::Body;
pub use layers::UploadError;
pub use manifests::{ManifestError, PushedManifest, StoredManifest};

/// Decides who may use the registry. The user is `AWS` and the password a token of GetAuthorizationToken.
pub trait Authorize: Send + Sync {
    /// Returns whether these credentials are good now.
    fn permits(&self, user: &str, password: &str) -> bool;
}

/// A registry over a folder, for any number of requests at a time.
pub struct Registry {
    root: Utf8PathBuf,
    blobs: BlobStore,
    uploads: Uploads,
    authorize: Option<Arc<dyn Authorize>>,
    repositories: RwLock<BTreeMap<String, Arc<Record>>>,
    /// Held while a repository's file is replaced, so that no two changes start from the same copy.
    writing: tokio::sync::Mutex<()>,
}

/// A repository, as ECR describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its name, such as `team/web`.
    pub name: String,
    /// When it was created.
    pub created_at: SystemTime,
    /// Whether a tag that exists is refused to be moved.
    pub immutable_tags: bool,
}

/// An image in a repository, as ECR describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDetail {
    /// The manifest's digest.
    pub digest: Digest,
    /// The tags that point to it, sorted.
    pub tags: Vec<String>,
    /// The compressed size of configuration and layers in bytes; of an index, of the manifest itself.
    pub size: u64,
    /// When it was pushed last.
    pub pushed_at: SystemTime,
    /// The manifest's media type.
    pub media_type: String,
    /// The media type of what the manifest configures.
    pub artifact_media_type: Option<String>,
    /// Whether an index in the repository names it, so that it cannot be deleted alone.
    pub needed: bool,
}

/// Why a registry's folder or repositories could not be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The name breaks the rules for repositories.
    #[error("{0:?} is not a valid repository name")]
    InvalidName(String),
    /// There is a repository of that name.
    #[error("the repository {0:?} already exists in the registry")]
    Exists(String),
    /// There is no repository of that name.
    #[error(
        "the repository {0:?} does not exist in the registry; create it first with ecr create-repository"
    )]
    Unknown(String),
    /// The repository holds images and was not to be deleted with them.
    #[error("the repository {0:?} cannot be deleted because it still contains images")]
    NotEmpty(String),
    /// Content could not be stored or read.
    #[error("use the registry's content")]
    Blob(#[from] BlobError),
    /// A repository's file could not be read or replaced.
    #[error("{operation} {path}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// With which file.
        path: Utf8PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A repository's file is not one of ours.
    #[error("understand {path}")]
    Corrupt {
        /// Which file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Registry {
    /// Opens the registry in `root`, which is made if need be. Anyone may use it until
    /// [`Registry::with_authorize`] says otherwise.
    pub fn new(root: &Utf8Path) -> Result<Registry, RegistryError> {
        let blobs = BlobStore::open(root)?;
        let repositories = record::load(&root.join("repositories"))?;
        Ok(Registry {
            root: root.to_owned(),
            uploads: Uploads::new(blobs.clone()),
            blobs,
            authorize: None,
            repositories: RwLock::new(repositories),
            writing: tokio::sync::Mutex::new(()),
        })
    }

    /// Asks `authorize` about the credentials of every request from now on.
    #[must_use]
    pub fn with_authorize(mut self, authorize: Arc<dyn Authorize>) -> Registry {
        self.authorize = Some(authorize);
        self
    }

    /// Creates a repository.
    pub async fn create_repository(&self, name: &str) -> Result<Repository, RegistryError> {
        if !is_repository(name) {
            return Err(RegistryError::InvalidName(name.to_owned()));
        }
        let _writing = self.writing.lock().await;
        if self.record(name).is_ok() {
            return Err(RegistryError::Exists(name.to_owned()));
        }
        let record = Record::new(SystemTime::now());
        let repository = record.describe(name);
        self.replace(name, record).await?;
        Ok(repository)
    }

    /// Says whether a tag that exists may be moved to another image.
    pub async fn set_immutable_tags(&self, name: &str, immutable: bool) -> Result<(), RegistryError> {
        let _writing = self.writing.lock().await;
        let mut record = self.record(name)?.as_ref().clone();
        record.immutable_tags = immutable;
        self.replace(name, record).await
    }

    /// Deletes a repository; `force` also deletes the images in it.
    pub async fn delete_repository(&self, name: &str, force: bool) -> Result<Repository, RegistryError> {
        let _writing = self.writing.lock().await;
        let record = self.record(name)?;
        if !force && !record.manifests.is_empty() {
            return Err(RegistryError::NotEmpty(name.to_owned()));
        }
        let path = record::path(&self.root, name);
        let removed = std::fs::remove_file(&path).and_then(|()| match path.parent() {
            Some(folder) => durable::sync_folder(folder),
            None => Ok(()),
        });
        removed.map_err(|source| RegistryError::Io { operation: "remove", path, source })?;
        self.repositories.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(record.describe(name))
    }

    /// Returns all repositories, sorted by name.
    pub fn repositories(&self) -> Vec<Repository> {
        let all = self.repositories.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(name, record)| record.describe(name)).collect()
    }

    /// Returns one repository.
    pub fn repository(&self, name: &str) -> Result<Repository, RegistryError> {
        Ok(self.record(name)?.describe(name))
    }

    /// Returns the images in a repository, sorted by digest.
    pub fn images(&self, repository: &str) -> Result<Vec<ImageDetail>, RegistryError> {
        Ok(self.record(repository)?.images())
    }

    /// Removes content that no image needs any more and that has been here for at least `grace`, which must
    /// be longer than any push takes. Returns how many blobs went.
    pub async fn collect_garbage(&self, grace: Duration) -> Result<usize, RegistryError> {
        let _writing = self.writing.lock().await;
        let records: Vec<Arc<Record>> = {
            let all = self.repositories.read().unwrap_or_else(PoisonError::into_inner);
            all.values().cloned().collect()
        };
        let mut needed = BTreeSet::new();
        for record in records {
            for (digest, manifest) in &record.manifests {
                needed.insert(digest.clone());
                needed.extend(manifest.blobs.iter().cloned());
            }
        }
        let mut removed = 0;
        for (digest, stored) in self.blobs.list().await? {
            let old = stored.elapsed().is_ok_and(|age| age >= grace);
            if old && !needed.contains(&digest) {
                self.blobs.remove(&digest).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Returns the path of a folder for work under way, which is not there yet. The blob store's drafts are emptied at
    /// each start, and these with them.
    pub(crate) fn scratch(&self) -> Utf8PathBuf {
        self.blobs.scratch()
    }

    /// Returns the content of all repositories.
    pub(crate) fn blobs(&self) -> &BlobStore {
        &self.blobs
    }

    fn record(&self, name: &str) -> Result<Arc<Record>, RegistryError> {
        let all = self.repositories.read().unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned().ok_or_else(|| RegistryError::Unknown(name.to_owned()))
    }

    /// Makes a changed repository durable and then visible. The caller holds `writing`.
    async fn replace(&self, name: &str, record: Record) -> Result<(), RegistryError> {
        let path = record::path(&self.root, name);
        let record = Arc::new(record);
        let saved = tokio::task::spawn_blocking({
            let (path, record) = (path.clone(), Arc::clone(&record));
            move || record::save(&path, &record)
        });
        let saved = saved.await.unwrap_or_else(|join| Err(std::io::Error::other(join)));
        saved.map_err(|source| RegistryError::Io { operation: "write", path, source })?;
        let mut all = self.repositories.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), record);
        Ok(())
    }
}

#[cfg(test)]
mod tests;

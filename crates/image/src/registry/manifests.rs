//! Manifests: taken in only when all they name is here, found by tag or digest, and deleted.

use super::record::{Manifest, millis};
use super::{Registry, RegistryError};
use crate::blob::BlobError;
use crate::digest::Digest;
use crate::manifest::{self, Kind, ManifestInvalid};
use crate::name::is_tag;
use bytes::Bytes;
use std::time::SystemTime;

/// The longest manifest that is taken, as in the OCI specification.
pub(super) const LENGTH_MAX: usize = 4 * 1024 * 1024;

/// A manifest as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its bytes, exactly as they were pushed.
    pub content: Bytes,
}

/// What came of pushing a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedManifest {
    /// Its digest.
    pub digest: Digest,
    /// Whether the repository had the same manifest under the same name already.
    pub unchanged: bool,
}

/// Why a manifest was not stored, found or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The repository is missing or could not be changed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The manifest is not one that an image can have.
    #[error("manifest invalid: {0}")]
    Invalid(#[from] ManifestInvalid),
    /// The manifest names content that was not pushed.
    #[error("manifest names {0}, which is not in the registry: push it first")]
    BlobUnknown(Digest),
    /// The name after the colon is no tag.
    #[error("{0:?} is not a valid tag")]
    InvalidTag(String),
    /// The manifest was pushed under a digest that is not its own.
    #[error("manifest has digest {actual}, not {expected}")]
    DigestMismatch {
        /// The digest in the request.
        expected: Digest,
        /// The digest of the manifest.
        actual: Digest,
    },
    /// The tag exists, points elsewhere, and the repository's tags do not move.
    #[error("the tag {0:?} exists and the repository's tags are immutable")]
    ImmutableTag(String),
    /// There is no such manifest.
    #[error("manifest unknown: {repository}: {reference}")]
    Unknown {
        /// The repository that was asked.
        repository: String,
        /// The tag or digest.
        reference: String,
    },
    /// An index in the repository names this manifest.
    #[error("{digest} is named by the index {index}: delete that first")]
    Needed {
        /// The manifest that was to be deleted.
        digest: Digest,
        /// The index that names it.
        index: Digest,
    },
}

impl Registry {
    /// Returns a manifest by tag or digest.
    pub async fn manifest(&self, repository: &str, reference: &str) -> Result<StoredManifest, ManifestError> {
        let (digest, media_type, _) = self.find(repository, reference)?;
        let content = self.blobs.read(&digest).await?;
        let content = content.ok_or_else(|| unknown(repository, reference))?;
        Ok(StoredManifest { digest, media_type, content: content.into() })
    }

    /// Stores a manifest under a tag, or under its digest only.
    pub async fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        content_type: Option<&str>,
        content: &[u8],
    ) -> Result<PushedManifest, ManifestError> {
        self.record(repository)?;
        let digest = Digest::of(content);
        let tag = match reference.parse::<Digest>() {
            Ok(expected) if expected != digest => {
                return Err(ManifestError::DigestMismatch { expected, actual: digest });
            }
            Ok(_) => None,
            Err(_) if is_tag(reference) => Some(reference),
            Err(_) => return Err(ManifestError::InvalidTag(reference.to_owned())),
        };
        let parsed = manifest::parse(content, content_type)?;
        let mut about = Manifest {
            media_type: parsed.media_type.clone(),
            artifact_media_type: None,
            length: content.len() as u64,
            image_size: content.len() as u64,
            pushed_millis: millis(SystemTime::now()),
            blobs: Vec::new(),
            children: Vec::new(),
        };
        let _writing = self.writing.lock().await;
        match parsed.kind {
            Kind::Image { config, layers } => {
                about.artifact_media_type = Some(config.media_type.clone());
                about.image_size = 0;
                for blob in std::iter::once(&config).chain(&layers).filter(|blob| blob.is_pushed()) {
                    let size = self.blobs.size(&blob.digest).await?;
                    size.ok_or_else(|| ManifestError::BlobUnknown(blob.digest.clone()))?;
                    about.image_size = about.image_size.saturating_add(blob.size);
                    about.blobs.push(blob.digest.clone());
                }
            }
            Kind::Index { manifests } => {
                about.children = manifests.into_iter().map(|entry| entry.digest).collect();
            }
        }

        let mut record = self.record(repository)?.as_ref().clone();
        if let Some(child) = about.children.iter().find(|child| !record.manifests.contains_key(child)) {
            return Err(ManifestError::BlobUnknown(child.clone()));
        }
        let before = tag.and_then(|tag| record.tags.get(tag));
        if let (Some(tag), Some(before), true) = (tag, before, record.immutable_tags)
            && *before != digest
        {
            return Err(ManifestError::ImmutableTag(tag.to_owned()));
        }
        let unchanged = record.manifests.contains_key(&digest) && (tag.is_none() || before == Some(&digest));
        self.blobs.put(content).await?;
        record.manifests.insert(digest.clone(), about);
        if let Some(tag) = tag {
            record.tags.insert(tag.to_owned(), digest.clone());
        }
        self.replace(repository, record).await?;
        Ok(PushedManifest { digest, unchanged })
    }

    /// Deletes a tag, or a manifest with all its tags when given a digest. The content goes at the next
    /// [`Registry::collect_garbage`].
    pub async fn delete_manifest(&self, repository: &str, reference: &str) -> Result<Digest, ManifestError> {
        let _writing = self.writing.lock().await;
        let mut record = self.record(repository)?.as_ref().clone();
        let digest = match reference.parse::<Digest>() {
            Ok(digest) => {
                let index = record.manifests.iter().find(|(_, about)| about.children.contains(&digest));
                if let Some((index, _)) = index {
                    return Err(ManifestError::Needed { digest, index: index.clone() });
                }
                record.tags.retain(|_, points_to| *points_to != digest);
                record.manifests.remove(&digest).map(|_| digest)
            }
            Err(_) => record.tags.remove(reference),
        };
        let digest = digest.ok_or_else(|| unknown(repository, reference))?;
        self.replace(repository, record).await?;
        Ok(digest)
    }

    /// Returns digest, media type and length without reading the manifest.
    pub(super) fn find(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<(Digest, String, u64), ManifestError> {
        let record = self.record(repository)?;
        let digest = reference.parse::<Digest>().ok().or_else(|| record.tags.get(reference).cloned());
        let digest = digest.ok_or_else(|| unknown(repository, reference))?;
        let about = record.manifests.get(&digest).ok_or_else(|| unknown(repository, reference))?;
        Ok((digest.clone(), about.media_type.clone(), about.length))
    }

    /// Returns the tags of a repository, sorted.
    pub(super) fn tags(&self, repository: &str) -> Result<Vec<String>, RegistryError> {
        Ok(self.record(repository)?.tags.keys().cloned().collect())
    }
}

impl From<BlobError> for ManifestError {
    fn from(error: BlobError) -> ManifestError {
        ManifestError::Registry(RegistryError::Blob(error))
    }
}

fn unknown(repository: &str, reference: &str) -> ManifestError {
    ManifestError::Unknown { repository: repository.to_owned(), reference: reference.to_owned() }
}

//! Layers that are brought part by part through ECR's API instead of under `/v2/`. The uploads are the same ones.

use super::{Registry, RegistryError};
use crate::blob::BlobError;
use crate::digest::Digest;

/// Why a layer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The repository is missing, or content could not be stored.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// There is no such upload, or no more.
    #[error("upload {0:?} is not known: it was finished, or given up after an hour")]
    Unknown(String),
    /// Too many uploads are under way.
    #[error("{0} uploads are under way, which is the most there may be")]
    TooMany(usize),
    /// A part does not follow the one before.
    #[error("the next part begins at byte {expected}, not at {given}")]
    Gap {
        /// How much is here.
        expected: u64,
        /// Where the part begins.
        given: u64,
    },
    /// Nothing was uploaded.
    #[error("upload {0:?} has no parts")]
    Empty(String),
    /// The content is not what its digest says.
    #[error("{0}")]
    Digest(String),
}

impl From<BlobError> for UploadError {
    fn from(error: BlobError) -> UploadError {
        match error {
            BlobError::DigestMismatch { .. } => UploadError::Digest(error.to_string()),
            error => UploadError::Registry(RegistryError::Blob(error)),
        }
    }
}

impl Registry {
    /// Returns the size of a layer or configuration, if it is here. Whoever asks is about to push an image with it, so
    /// it is not taken for garbage for a while.
    pub async fn has(&self, digest: &Digest) -> Result<Option<u64>, RegistryError> {
        let size = self.blobs.size(digest).await?;
        if size.is_some() {
            self.blobs.touch(digest).await?;
        }
        Ok(size)
    }

    /// Begins an upload and returns its id.
    pub async fn begin_upload(&self, repository: &str) -> Result<String, UploadError> {
        self.record(repository)?;
        Ok(self.uploads.begin(repository).await?.0)
    }

    /// Appends a part that begins at byte `first`, and returns how much is here.
    pub async fn upload_part(
        &self,
        repository: &str,
        id: &str,
        first: u64,
        content: &[u8],
    ) -> Result<u64, UploadError> {
        self.record(repository)?;
        let draft = self.uploads.find(repository, id)?;
        let mut draft = draft.lock().await;
        let ingest = draft.as_mut().ok_or_else(|| UploadError::Unknown(id.to_owned()))?;
        if ingest.written() != first {
            return Err(UploadError::Gap { expected: ingest.written(), given: first });
        }
        if let Err(error) = ingest.write(content).await {
            // What has come is of no use without the rest, and its room is wanted.
            *draft = None;
            return Err(error.into());
        }
        Ok(ingest.written())
    }

    /// Ends an upload: its content is here from now on, or the upload is given up.
    pub async fn complete_upload(
        &self,
        repository: &str,
        id: &str,
        digest: &Digest,
    ) -> Result<(), UploadError> {
        self.record(repository)?;
        let draft = self.uploads.find(repository, id)?;
        let mut draft = draft.lock().await;
        let written = draft.as_ref().ok_or_else(|| UploadError::Unknown(id.to_owned()))?.written();
        if written == 0 {
            return Err(UploadError::Empty(id.to_owned()));
        }
        let ingest = draft.take().ok_or_else(|| UploadError::Unknown(id.to_owned()))?;
        self.uploads.end(id);
        ingest.finish(digest, None).await?;
        Ok(())
    }
}

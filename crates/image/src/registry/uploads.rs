//! Uploads under way. They live in memory and in the blob store's drafts, so a restart forgets them and
//! the client begins again, as clients do when told that an upload is unknown.

use super::layers::UploadError;
use super::reply::Refusal;
use crate::blob::{BlobStore, Ingest};
use http::StatusCode;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const IDLE_MAX: Duration = Duration::from_secs(3600);
const COUNT_MAX: usize = 1024;

/// The uploads of a registry.
pub(super) struct Uploads {
    blobs: BlobStore,
    sessions: Mutex<HashMap<String, Session>>,
    started: AtomicU64,
    random: RandomState,
}

/// An upload's draft. It is gone once the upload is finished or cancelled.
pub(super) type Draft = Arc<tokio::sync::Mutex<Option<Ingest>>>;

struct Session {
    repository: String,
    draft: Draft,
    used: Instant,
}

impl Uploads {
    pub(super) fn new(blobs: BlobStore) -> Uploads {
        Uploads {
            blobs,
            sessions: Mutex::new(HashMap::new()),
            started: AtomicU64::new(0),
            random: RandomState::new(),
        }
    }

    /// Begins an upload and returns its id.
    pub(super) async fn begin(&self, repository: &str) -> Result<(String, Draft), UploadError> {
        let ingest = self.blobs.ingest().await?;
        let draft: Draft = Arc::new(tokio::sync::Mutex::new(Some(ingest)));
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let mut id = String::new();
        for half in 0..2_u8 {
            // Keyed with this process's secret, so that ids cannot be guessed.
            let _ = write!(id, "{:016x}", self.random.hash_one((number, half)));
        }
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.used.elapsed() < IDLE_MAX);
        if sessions.len() >= COUNT_MAX {
            return Err(UploadError::TooMany(COUNT_MAX));
        }
        let repository = repository.to_owned();
        sessions.insert(id.clone(), Session { repository, draft: Arc::clone(&draft), used: Instant::now() });
        Ok((id, draft))
    }

    /// Finds an upload of this repository.
    pub(super) fn find(&self, repository: &str, id: &str) -> Result<Draft, UploadError> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(id).filter(|session| session.repository == repository);
        let session = session.ok_or_else(|| UploadError::Unknown(id.to_owned()))?;
        session.used = Instant::now();
        Ok(Arc::clone(&session.draft))
    }

    /// Forgets an upload that is finished or cancelled.
    pub(super) fn end(&self, id: &str) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// The answer to an upload that is not, or no longer, under way.
pub(super) fn unknown() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
}

//! Pulling images: from a name to directories that overlayfs can stack.
//!
//! ```text
//! name ─ HEAD ─▶ digest ─ here? ───────────────────────────▶ Image
//!                           └ no: manifest, configuration,
//!                             layers (several at a time) ──▶
//! ```
//!
//! A tag is asked for every time, as on Fargate: if the registry cannot be reached, a pull by tag fails even
//! when an image of that name is here. A pull by digest asks nobody when the image is here. Everyone who
//! asks for the same content at the same time waits for one download.

mod cause;
mod fetch;
mod records;
mod remote;

use crate::blob::BlobStore;
use crate::digest::Digest;
use crate::image::Image;
use crate::layers::{LayerError, LayerStore};
use crate::name::ImageName;
use crate::unpack::UnpackLimits;
use camino::Utf8PathBuf;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use oci_client::client::Client;
use records::{ImageRecord, Records};
use remote::Remote;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{RwLock, Semaphore};

pub use cause::{PullCause, PullError, RemoteError};

/// A user and password for a registry.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Login {
    /// The user: `AWS` for ECR.
    pub user: String,
    /// The password or token.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Hands out the login for our own registry. It is asked again when a login is no longer accepted.
pub trait Credentials: Send + Sync {
    /// Returns a login that is good now, nothing if none is needed, or why there is none.
    fn login(&self) -> BoxFuture<'_, Result<Option<Login>, String>>;
}

/// One login that does not change, or none.
impl Credentials for Option<Login> {
    fn login(&self) -> BoxFuture<'_, Result<Option<Login>, String>> {
        std::future::ready(Ok(self.clone())).boxed()
    }
}

/// The registry that answers for the names of ECR repositories.
#[derive(Clone)]
pub struct LocalRegistry {
    /// Host and port, spoken to in plain HTTP.
    pub endpoint: String,
    /// The login for it.
    pub credentials: Arc<dyn Credentials>,
}

/// How long a pull may take and how much it may bring.
#[derive(Clone, Debug)]
pub struct PullLimits {
    /// The whole pull.
    pub deadline: Duration,
    /// Silence of a registry.
    pub idle_max: Duration,
    /// Connecting to a registry.
    pub connect_max: Duration,
    /// The wait before the first retry; it doubles.
    pub pause: Duration,
    /// The layers of one image that are brought here at a time.
    pub layers_at_once: NonZeroUsize,
    /// The downloads of all images at a time.
    pub downloads_at_once: NonZeroUsize,
    /// The layers unpacked at a time.
    pub unpacks_at_once: NonZeroUsize,
    /// The compressed size of an image.
    pub compressed_bytes_max: u64,
    /// What one layer may cost.
    pub unpack: UnpackLimits,
}

impl Default for PullLimits {
    fn default() -> PullLimits {
        let count = |count| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN);
        PullLimits {
            deadline: Duration::from_secs(30 * 60),
            idle_max: Duration::from_secs(60),
            connect_max: Duration::from_secs(10),
            pause: Duration::from_millis(300),
            layers_at_once: count(4),
            downloads_at_once: count(8),
            unpacks_at_once: count(2),
            compressed_bytes_max: 32 << 30,
            unpack: UnpackLimits::default(),
        }
    }
}

/// What a puller works with.
#[derive(Clone)]
pub struct PullerConfig {
    /// Where blobs, layers and records are kept; used by one puller at a time.
    pub root: Utf8PathBuf,
    /// Our own registry. Without one, ECR names are looked up at AWS like any other.
    pub local: Option<LocalRegistry>,
    /// The limits.
    pub limits: PullLimits,
}

/// Brings images here. Copies share everything.
#[derive(Clone)]
pub struct Puller(Arc<Inner>);

/// Why a puller could not be set up, or its images not be cleaned up.
#[derive(Debug, thiserror::Error)]
pub enum PullerError {
    /// The store of blobs.
    #[error("use the blob store")]
    Blobs(#[from] crate::blob::BlobError),
    /// The store of layers.
    #[error("use the layer store")]
    Layers(#[from] LayerError),
    /// The records of images.
    #[error("use the records of images in {root}")]
    Records {
        /// The puller's root.
        root: Utf8PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

type Flight = Shared<BoxFuture<'static, Result<Arc<ImageRecord>, Arc<PullCause>>>>;

struct Inner {
    root: Utf8PathBuf,
    local: Option<LocalRegistry>,
    limits: PullLimits,
    blobs: BlobStore,
    layers: LayerStore,
    records: Records,
    clients: Mutex<HashMap<(String, Option<Login>), Client>>,
    local_login: tokio::sync::Mutex<Option<Option<Login>>>,
    flights: Mutex<HashMap<(String, Digest), Flight>>,
    turns: Mutex<HashMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
    downloads: Semaphore,
    unpacks: Arc<Semaphore>,
    /// Pulls read, cleaning up writes.
    cleaning: RwLock<()>,
}

impl Puller {
    /// Opens the store and removes what an earlier process left unfinished.
    pub fn new(config: PullerConfig) -> Result<Puller, PullerError> {
        let PullerConfig { root, local, limits } = config;
        let records =
            Records::open(&root).map_err(|source| PullerError::Records { root: root.clone(), source })?;
        Ok(Puller(Arc::new(Inner {
            blobs: BlobStore::open(&root)?,
            layers: LayerStore::open(&root)?,
            records,
            clients: Mutex::default(),
            local_login: tokio::sync::Mutex::new(None),
            flights: Mutex::default(),
            turns: Mutex::default(),
            downloads: Semaphore::new(limits.downloads_at_once.get()),
            unpacks: Arc::new(Semaphore::new(limits.unpacks_at_once.get())),
            cleaning: RwLock::new(()),
            root,
            local,
            limits,
        })))
    }

    /// Makes an image available here and returns it.
    pub async fn pull(&self, reference: &str) -> Result<Image, PullError> {
        self.pull_as(reference, None).await
    }

    /// Does so with a login, where the registry is not our own.
    pub async fn pull_as(&self, reference: &str, login: Option<Login>) -> Result<Image, PullError> {
        let failed = |cause| PullError::new(reference, cause);
        let name: ImageName = reference.parse().map_err(|error| failed(PullCause::Name(error)))?;
        let deadline = self.0.limits.deadline;
        let pulled = tokio::time::timeout(deadline, Box::pin(self.0.pull(&name, login))).await;
        let pulled = pulled.unwrap_or_else(|_| Err(Arc::new(PullCause::Deadline(deadline))));
        let record = pulled.map_err(|cause| PullError { reference: reference.to_owned(), cause })?;
        Ok(self.0.image(name.to_string(), &record))
    }

    /// Returns the digest that a name stands for now, without bringing the image here.
    pub async fn resolve(&self, reference: &str) -> Result<Digest, PullError> {
        let failed = |cause| PullError::new(reference, cause);
        let name: ImageName = reference.parse().map_err(|error| failed(PullCause::Name(error)))?;
        let resolved = self.0.resolve(&name, None).await;
        resolved.map(|(digest, _)| digest).map_err(failed)
    }

    /// Returns an image if it is here, by the digest that its name stood for.
    pub fn cached(&self, digest: &Digest) -> Option<Image> {
        let record = self.0.complete(digest)?;
        Some(self.0.image(digest.to_string(), &record))
    }

    /// Removes the images whose digests are not in `keep`, with the layers that nothing else needs. No
    /// container may be using them. Returns how many layers went.
    pub async fn prune(&self, keep: &[Digest]) -> Result<usize, PullerError> {
        let _alone = self.0.cleaning.write().await;
        let kept = self.0.records.retain(|digest| keep.contains(digest));
        let kept = kept.map_err(|source| PullerError::Records { root: self.0.root.clone(), source })?;
        let needed =
            |hex: &str| kept.iter().any(|record| record.diff_ids.iter().any(|layer| layer.hex() == hex));
        let removed = self.0.layers.retain(needed)?;
        for (digest, _) in self.0.blobs.list().await? {
            if !kept.iter().any(|record| record.id == digest) {
                self.0.blobs.remove(&digest).await?;
            }
        }
        Ok(removed)
    }
}

impl Inner {
    async fn pull(
        self: &Arc<Inner>,
        name: &ImageName,
        login: Option<Login>,
    ) -> Result<Arc<ImageRecord>, Arc<PullCause>> {
        if let Some(record) = name.digest().and_then(|digest| self.complete(digest)) {
            return Ok(record);
        }
        let (digest, remote) = self.resolve(name, login).await?;
        if let Some(record) = self.complete(&digest) {
            return Ok(record);
        }
        self.flight(name, digest, remote).await
    }

    /// Joins the pull of this content from this repository, or begins it. It goes on if all who wait leave.
    fn flight(self: &Arc<Inner>, name: &ImageName, digest: Digest, remote: Remote) -> Flight {
        let key = (format!("{}/{}", name.registry(), name.repository()), digest.clone());
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&key) {
            return flight.clone();
        }
        let landing = Landing { inner: Arc::clone(self), key: key.clone() };
        let reference = name.to_string();
        let task = tokio::spawn(async move {
            let inner = Arc::clone(&landing.inner);
            let _pulling = inner.cleaning.read().await;
            let deadline = inner.limits.deadline;
            let fetched = Box::pin(inner.fetch(remote, &reference, digest));
            let fetched = tokio::time::timeout(deadline, fetched).await;
            drop(landing);
            fetched.unwrap_or(Err(PullCause::Deadline(deadline))).map_err(Arc::new)
        });
        let flight = task.map(|joined| joined.unwrap_or_else(|_| Err(Arc::new(PullCause::Interrupted))));
        let flight = flight.boxed().shared();
        flights.insert(key, flight.clone());
        flight
    }

    /// Asks the registry what a name stands for; a name with a digest says it itself.
    async fn resolve(&self, name: &ImageName, login: Option<Login>) -> Result<(Digest, Remote), PullCause> {
        let mut remote = self.remote(name, login.clone(), false).await?;
        let (Some(tag), None) = (name.tag(), name.digest()) else {
            let digest = name.digest().cloned().ok_or(PullCause::Interrupted)?;
            return Ok((digest, remote));
        };
        let mut retries = 0;
        loop {
            let source = match remote.resolve(tag).await {
                Ok(digest) => return Ok((digest, remote)),
                Err(source) => source,
            };
            if retries >= 1 {
                return Err(PullCause::Resolve { reference: name.to_string(), retries, source });
            }
            retries += 1;
            if matches!(source, RemoteError::Unauthorized(_)) {
                remote = self.remote(name, login.clone(), true).await?;
            } else {
                tokio::time::sleep(self.limits.pause).await;
            }
        }
    }

    /// Returns the repository of a name at the registry that answers for it. `again` asks for a new login.
    async fn remote(&self, name: &ImageName, login: Option<Login>, again: bool) -> Result<Remote, PullCause> {
        let local =
            self.local.as_ref().filter(|local| name.ecr().is_some() || name.registry() == local.endpoint);
        let (registry, login) = match local {
            None => (name.registry(), login),
            Some(local) => {
                let mut known = self.local_login.lock().await;
                if again || known.is_none() {
                    *known = Some(local.credentials.login().await.map_err(PullCause::Credentials)?);
                }
                (local.endpoint.as_str(), known.clone().flatten())
            }
        };
        let key = (registry.to_owned(), login);
        let client = {
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            match clients.get(&key) {
                Some(client) if !again => client.clone(),
                _ => {
                    if clients.len() >= 64 {
                        clients.clear();
                    }
                    // As everywhere, a registry on this machine needs no TLS.
                    let plain = local.is_some() || name.is_on_this_machine();
                    let client = remote::client(registry, plain, &self.limits)?;
                    clients.insert(key.clone(), client.clone());
                    client
                }
            }
        };
        let (registry, login) = key;
        let idle_max = self.limits.idle_max;
        Ok(Remote::new(client, &registry, name.repository(), login.as_ref(), idle_max).await)
    }

    /// Returns what is known of an image whose layers are all here.
    fn complete(&self, digest: &Digest) -> Option<Arc<ImageRecord>> {
        let record = self.records.get(digest)?;
        record.diff_ids.iter().all(|layer| self.layers.has(layer)).then_some(record)
    }

    fn image(&self, reference: String, record: &ImageRecord) -> Image {
        Image {
            reference,
            digest: record.digest.clone(),
            manifest: record.manifest.clone(),
            id: record.id.clone(),
            config: record.config.clone(),
            layers: record.diff_ids.iter().map(|layer| self.layers.path(layer)).collect(),
            size: record.size,
        }
    }
}

/// Takes a pull off the list when it ends, however it ends.
struct Landing {
    inner: Arc<Inner>,
    key: (String, Digest),
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.inner.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests;

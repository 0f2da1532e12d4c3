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
mod cleaning;
mod fetch;
mod lease;
mod patience;
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
use lease::{Pins, Uses, lock};
use records::{ImageRecord, Records};
use remote::{Clients, Remote};
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Semaphore;

pub use cause::{PullCause, PullError, RemoteError};
pub use cleaning::{Cleaned, KeptImage};
pub use lease::Lease;

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
    /// The downloads from one registry at a time; one that hangs does not hold up another.
    pub downloads_at_once: NonZeroUsize,
    /// The fewest bytes that a transfer brings within `idle_max`; a slower one is broken off and tried again.
    pub idle_bytes_min: u64,
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
            idle_bytes_min: 16 << 10,
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

type Pulled = Result<(Arc<ImageRecord>, Lease), Arc<PullCause>>;
type Flight = Shared<BoxFuture<'static, Pulled>>;

struct Inner {
    root: Utf8PathBuf,
    local: Option<LocalRegistry>,
    limits: PullLimits,
    blobs: BlobStore,
    layers: LayerStore,
    records: Records,
    clients: Mutex<HashMap<(String, Option<Login>), Clients>>,
    local_login: tokio::sync::Mutex<Option<Option<Login>>>,
    flights: Mutex<HashMap<(String, Digest), Flight>>,
    turns: Mutex<HashMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
    /// By registry.
    downloads: Mutex<HashMap<String, Arc<Semaphore>>>,
    unpacks: Arc<Semaphore>,
    uses: Arc<Mutex<Uses>>,
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
            downloads: Mutex::default(),
            unpacks: Arc::new(Semaphore::new(limits.unpacks_at_once.get())),
            uses: Arc::default(),
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
        let (record, lease) = pulled.map_err(|cause| PullError { reference: reference.to_owned(), cause })?;
        let (inner, full, digest) = (Arc::clone(&self.0), name.to_string(), record.digest.clone());
        let named = tokio::task::spawn_blocking(move || {
            inner.records.touch(&digest).and_then(|()| inner.records.name(&digest, &full))
        });
        // It is for people and for the order of cleaning; the image is here all the same.
        if let Ok(Err(error)) = named.await {
            tracing::warn!(%error, "use of an image not noted");
        }
        Ok(self.0.image(name.to_string(), &record, lease))
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
        let (record, lease) = self.0.hold(digest)?;
        Some(self.0.image(digest.to_string(), &record, lease))
    }
}

impl Inner {
    async fn pull(self: &Arc<Inner>, name: &ImageName, login: Option<Login>) -> Pulled {
        if let Some(held) = name.digest().and_then(|digest| self.hold(digest)) {
            return Ok(held);
        }
        let (digest, remote) = self.resolve(name, login).await?;
        if let Some(held) = self.hold(&digest) {
            return Ok(held);
        }
        self.flight(name, digest, remote).await
    }

    /// Returns what is known of an image whose layers are all here, and keeps it here.
    fn hold(&self, digest: &Digest) -> Option<(Arc<ImageRecord>, Lease)> {
        let mut uses = lock(&self.uses);
        let record = self.complete(digest)?;
        let lease = Lease::take(&self.uses, &mut uses, digest);
        Some((record, lease))
    }

    /// Keeps the layers and blobs with these digests here, whether they are here already or not.
    fn pin(&self, contents: Vec<Digest>) -> Pins {
        Pins::new(&self.uses, contents)
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
            // Held from before it is here, so that there is no moment in which nobody holds it.
            let lease = Lease::take(&inner.uses, &mut lock(&inner.uses), &digest);
            let deadline = inner.limits.deadline;
            let fetched = Box::pin(inner.fetch(remote, &reference, digest));
            let fetched = tokio::time::timeout(deadline, fetched).await;
            drop(landing);
            let fetched = fetched.unwrap_or(Err(PullCause::Deadline(deadline))).map_err(Arc::new);
            fetched.map(|record| (record, lease))
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
            let retries_max = if source.is_busy() { fetch::BUSY_TRIES_MAX } else { 1 };
            if retries >= retries_max {
                return Err(PullCause::Resolve { reference: name.to_string(), retries, source });
            }
            retries += 1;
            if matches!(source, RemoteError::Unauthorized(_)) {
                remote = self.remote(name, login.clone(), true).await?;
            } else {
                tokio::time::sleep(self.pause(retries - 1, &source)).await;
            }
        }
    }

    /// Returns how long to wait before the next try: as long as the registry wishes, or each time longer.
    fn pause(&self, retries: u32, error: &RemoteError) -> Duration {
        if let Some(wish) = error.wish() {
            return patience::wait(wish, self.limits.pause);
        }
        (self.limits.pause * 2_u32.pow(retries.min(8))).min(fetch::PAUSE_MAX)
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
                    let client = remote::clients(registry, plain, &self.limits)?;
                    clients.insert(key.clone(), client.clone());
                    client
                }
            }
        };
        let (registry, login) = key;
        let idle_max = self.limits.idle_max;
        Ok(Remote::new(client, &registry, name.repository(), login.as_ref(), idle_max).await)
    }

    /// Returns the room for downloads from a registry.
    fn downloads(&self, registry: &str) -> Arc<Semaphore> {
        let mut downloads = self.downloads.lock().unwrap_or_else(PoisonError::into_inner);
        if downloads.len() >= 64 {
            downloads.retain(|_, room| Arc::strong_count(room) > 1);
        }
        let at_once = self.limits.downloads_at_once.get();
        Arc::clone(downloads.entry(registry.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(at_once))))
    }

    /// Returns what is known of an image whose layers are all here.
    fn complete(&self, digest: &Digest) -> Option<Arc<ImageRecord>> {
        let record = self.records.get(digest)?;
        record.diff_ids.iter().all(|layer| self.layers.has(layer)).then_some(record)
    }

    fn image(&self, reference: String, record: &ImageRecord, lease: Lease) -> Image {
        Image {
            reference,
            digest: record.digest.clone(),
            manifest: record.manifest.clone(),
            id: record.id.clone(),
            config: record.config.clone(),
            layers: record.diff_ids.iter().map(|layer| self.layers.path(layer)).collect(),
            size: record.size,
            lease: Some(lease),
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

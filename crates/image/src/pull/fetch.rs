//! One pull from manifest to unpacked layers, and the download of one blob.

use super::cause::{PullCause, RemoteError};
use super::records::ImageRecord;
use super::remote::Remote;
use super::{Inner, PullLimits};
use crate::blob::{BlobError, Ingest};
use crate::digest::Digest;
use crate::manifest::{self, Configuration, Descriptor, Kind, ManifestInvalid};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

/// No configuration is longer than this.
const CONFIG_MAX: u64 = 8 << 20;
const TRIES_MAX: u32 = 5;
/// How often a registry is asked again that says it is busy.
pub(super) const BUSY_TRIES_MAX: u32 = 12;
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(15);

impl Inner {
    /// Brings an image here and records it.
    pub(super) async fn fetch(
        self: &Arc<Inner>,
        remote: Remote,
        reference: &str,
        digest: Digest,
    ) -> Result<Arc<ImageRecord>, PullCause> {
        let not_an_image = |source| PullCause::NotAnImage { reference: reference.to_owned(), source };
        let document =
            |what| move |source| PullCause::Document { what, reference: reference.to_owned(), source };
        let content = self.manifest(&remote, &digest).await.map_err(document("manifest"))?;
        let mut chosen = digest.clone();
        let mut parsed = manifest::parse(&content, None).map_err(not_an_image)?;
        if let Kind::Index { manifests } = &parsed.kind {
            chosen = manifest::choose(manifests).map_err(not_an_image)?.clone();
            let content = self.manifest(&remote, &chosen).await.map_err(document("manifest"))?;
            parsed = manifest::parse(&content, None).map_err(not_an_image)?;
        }
        let Kind::Image { config, layers } = parsed.kind else {
            let nested = "an index inside an index".to_owned();
            return Err(not_an_image(ManifestInvalid::MediaType(nested)));
        };
        let size = layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
        if size > self.limits.compressed_bytes_max {
            return Err(PullCause::TooLarge { size, limit: self.limits.compressed_bytes_max });
        }
        if let Some(layer) = layers.iter().find(|layer| !is_layer(&layer.media_type)) {
            return Err(not_an_image(ManifestInvalid::LayerType(layer.media_type.clone())));
        }
        if config.size > CONFIG_MAX {
            return Err(PullCause::TooLarge { size: config.size, limit: CONFIG_MAX });
        }
        let blobs = layers.iter().map(|layer| layer.digest.clone());
        let _blobs = self.pin(blobs.chain([config.digest.clone()]).collect());
        self.download(&remote, &config).await.map_err(|(_, source)| document("configuration")(source))?;
        let content = self.blobs.read(&config.digest).await?.unwrap_or_default();
        let Configuration { settings, diff_ids } = manifest::parse_config(&content).map_err(not_an_image)?;
        if diff_ids.len() != layers.len() {
            let (listed, present) = (diff_ids.len(), layers.len());
            return Err(not_an_image(ManifestInvalid::LayerCount { listed, present }));
        }
        let _layers = self.pin(diff_ids.clone());
        let pairs: Vec<_> = diff_ids.iter().cloned().zip(layers).collect();
        stream::iter(pairs)
            .map(|(diff_id, layer)| self.layer(&remote, diff_id, layer))
            .buffer_unordered(self.limits.layers_at_once.get())
            .try_collect::<()>()
            .await?;
        let record = ImageRecord {
            digest,
            manifest: chosen,
            id: config.digest,
            config: settings,
            diff_ids,
            size,
            names: Vec::new(),
        };
        let record = Arc::new(record);
        let written = tokio::task::spawn_blocking({
            let (inner, record) = (Arc::clone(self), Arc::clone(&record));
            move || inner.records.put(record)
        });
        written.await.map_err(|_| PullCause::Interrupted)?.map_err(PullCause::Record)?;
        Ok(record)
    }

    async fn manifest(&self, remote: &Remote, digest: &Digest) -> Result<Bytes, RemoteError> {
        let mut retries = 0;
        loop {
            match remote.manifest(digest).await {
                Err(error) if error.is_transient() => {
                    if retries >= if error.is_busy() { BUSY_TRIES_MAX } else { 1 } {
                        return Err(error);
                    }
                    tokio::time::sleep(self.pause(retries, &error)).await;
                    retries += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Brings one layer here. Of all who need the same one, the first does and the others wait.
    async fn layer(
        self: &Arc<Inner>,
        remote: &Remote,
        diff_id: Digest,
        layer: Descriptor,
    ) -> Result<(), PullCause> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let known = turns.get(&diff_id).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let turn = Arc::new(tokio::sync::Mutex::new(()));
                turns.insert(diff_id.clone(), Arc::downgrade(&turn));
                turn
            })
        };
        let _turn = turn.lock().await;
        if self.layers.has(&diff_id) {
            return Ok(());
        }
        {
            let downloads = self.downloads(remote.registry());
            let _room = downloads.acquire().await.map_err(|_| PullCause::Interrupted)?;
            self.download(remote, &layer).await.map_err(|(retries, source)| PullCause::Layer {
                layer: layer.digest.clone(),
                retries,
                source,
            })?;
        }
        let room = Arc::clone(&self.unpacks).acquire_owned().await.map_err(|_| PullCause::Interrupted)?;
        let unpacked = tokio::task::spawn_blocking({
            let (inner, diff_id, blob) = (Arc::clone(self), diff_id.clone(), self.blobs.path(&layer.digest));
            move || {
                let _room = room;
                inner.layers.add(&diff_id, &blob, &inner.limits.unpack)
            }
        });
        let unpacked = unpacked.await.map_err(|_| PullCause::Interrupted)?;
        // The unpacked form is all that is needed; and one that cannot be unpacked is not worth keeping.
        self.blobs.remove(&layer.digest).await?;
        unpacked.map_err(|source| PullCause::Extract { layer: diff_id, source })
    }

    /// Downloads content unless it is here. A broken transfer goes on where it broke.
    async fn download(&self, remote: &Remote, wanted: &Descriptor) -> Result<(), (u32, RemoteError)> {
        let here = self.blobs.size(&wanted.digest).await.map_err(|error| (0, error.into()))?;
        if here == Some(wanted.size) {
            return Ok(());
        }
        let mut ingest = self.blobs.resume(&wanted.digest).await.map_err(|error| (0, error.into()))?;
        if ingest.written() > wanted.size {
            ingest.restart().await.map_err(|error| (0, error.into()))?;
        }
        let mut retries = 0;
        let mut resumed = ingest.written() > 0;
        loop {
            let error = match self.receive(remote, wanted, &mut ingest).await {
                Ok(()) => match ingest.finish(&wanted.digest, Some(wanted.size)).await {
                    Ok(_) => return Ok(()),
                    Err(error @ BlobError::DigestMismatch { .. }) if resumed => {
                        // Perhaps the registry continued at another byte than it was asked to.
                        ingest = self.blobs.ingest().await.map_err(|error| (retries, error.into()))?;
                        resumed = false;
                        RemoteError::Broken(error.to_string())
                    }
                    Err(error) => return Err((retries, error.into())),
                },
                Err(error) => error,
            };
            // A registry that is busy says so to wait; what waits too long ends at the pull's deadline.
            let tries_max = if error.is_busy() { BUSY_TRIES_MAX } else { TRIES_MAX };
            if !error.is_transient() || retries + 1 >= tries_max {
                return Err((retries, error));
            }
            tracing::debug!(digest = %wanted.digest, %error, have = ingest.written(), "transfer broke");
            tokio::time::sleep(self.pause(retries, &error)).await;
            retries += 1;
            resumed |= ingest.written() > 0;
        }
    }

    async fn receive(
        &self,
        remote: &Remote,
        wanted: &Descriptor,
        ingest: &mut Ingest,
    ) -> Result<(), RemoteError> {
        if ingest.written() >= wanted.size && wanted.size > 0 {
            return Ok(());
        }
        let mut piece = remote.blob(wanted, ingest.written()).await?;
        if piece.from_start && ingest.written() > 0 {
            ingest.restart().await?;
        }
        let PullLimits { idle_max, idle_bytes_min, .. } = self.limits;
        let (mut since, mut brought) = (Instant::now(), 0);
        loop {
            let next = tokio::time::timeout(idle_max, piece.stream.next()).await;
            let next = next.map_err(|_| RemoteError::Broken(silent(idle_max)))?;
            if since.elapsed() >= idle_max {
                if brought < idle_bytes_min {
                    let text = format!("only {brought} bytes within {} seconds", idle_max.as_secs());
                    return Err(RemoteError::Broken(text));
                }
                (since, brought) = (Instant::now(), 0);
            }
            match next {
                Some(Ok(bytes)) => {
                    brought += bytes.len() as u64;
                    if ingest.written() + bytes.len() as u64 > wanted.size {
                        let message = format!("more than the {} bytes of {}", wanted.size, wanted.digest);
                        return Err(RemoteError::Wrong(message));
                    }
                    ingest.write(&bytes).await?;
                }
                Some(Err(error)) if error.to_string().contains("igest") => {
                    return Err(RemoteError::Wrong(error.to_string()));
                }
                Some(Err(error)) => return Err(RemoteError::Broken(super::cause::innermost(&error))),
                None if ingest.written() < wanted.size => {
                    return Err(RemoteError::Broken(format!(
                        "unexpected EOF after {} of {} bytes",
                        ingest.written(),
                        wanted.size
                    )));
                }
                None => return Ok(()),
            }
        }
    }
}

fn silent(idle_max: Duration) -> String {
    format!("no data for {} seconds", idle_max.as_secs())
}

fn is_layer(media_type: &str) -> bool {
    media_type.contains(".layer.") || media_type.contains(".rootfs.")
}

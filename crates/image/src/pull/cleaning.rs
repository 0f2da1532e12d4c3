//! What is here, and removing what nobody needs.

use super::lease::lock;
use super::{Inner, Puller, PullerError};
use crate::digest::Digest;
use crate::layers::LayerError;
use camino::Utf8PathBuf;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long the beginning of a download waits for a pull to come back to it, once cleaning has begun.
const PART_LIFE: Duration = Duration::from_secs(3600);

/// An image that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptImage {
    /// The digest that its names stand for.
    pub digest: Digest,
    /// The digest of the configuration.
    pub id: Digest,
    /// The names it was asked for by and that were not given to another image since, sorted.
    pub names: Vec<String>,
    /// Its layers, by the hex digits of their diff ids, each with about how many bytes of the disk it takes.
    pub layers: Vec<(String, u64)>,
    /// When it was used last.
    pub used_at: SystemTime,
    /// Whether somebody holds it.
    pub in_use: bool,
}

/// What cleaning has removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// The images.
    pub images: Vec<Digest>,
    /// How many layers no image needed any more.
    pub layers: usize,
    /// About how many bytes of the disk these took.
    pub bytes: u64,
}

impl Puller {
    /// Returns the images that are here. Blocks for a moment.
    pub fn images(&self) -> Result<Vec<KeptImage>, PullerError> {
        let inner = &self.0;
        let records = inner.records.all();
        let mut found = Vec::new();
        for record in records {
            let layers = record.diff_ids.iter().filter(|layer| inner.layers.has(layer));
            let layers = layers.map(|layer| Ok((layer.hex().to_owned(), inner.layers.size(layer)?)));
            let mut names = record.names.clone();
            names.sort();
            found.push(KeptImage {
                digest: record.digest.clone(),
                id: record.id.clone(),
                names,
                layers: layers.collect::<Result<_, LayerError>>()?,
                // One that was removed meanwhile is as old as can be.
                used_at: inner.records.used_at(&record.digest).unwrap_or(SystemTime::UNIX_EPOCH),
                in_use: lock(&inner.uses).has_image(&record.digest),
            });
        }
        found.sort_by(|one, other| one.digest.cmp(&other.digest));
        Ok(found)
    }

    /// Removes these images, but for those that somebody holds, and every layer that neither an image that stays nor
    /// a pull under way needs.
    pub async fn remove(&self, unwanted: &[Digest]) -> Result<Cleaned, PullerError> {
        let inner = Arc::clone(&self.0);
        let unwanted: Vec<Digest> = unwanted.to_vec();
        let work = tokio::task::spawn_blocking(move || inner.clean(&unwanted));
        work.await.map_err(|join| PullerError::Records {
            root: self.0.root.clone(),
            source: std::io::Error::other(join),
        })?
    }

    /// Removes the images that are neither in `keep` nor held by somebody. Returns how many layers went.
    pub async fn prune(&self, keep: &[Digest]) -> Result<usize, PullerError> {
        let all = self.0.records.all();
        let unwanted = all.iter().map(|record| record.digest.clone()).filter(|digest| !keep.contains(digest));
        Ok(self.remove(&unwanted.collect::<Vec<_>>()).await?.layers)
    }
}

impl Inner {
    fn clean(&self, unwanted: &[Digest]) -> Result<Cleaned, PullerError> {
        let records = |source| PullerError::Records { root: self.root.clone(), source };
        let mut cleaned = Cleaned::default();
        let mut retired: Vec<(String, Utf8PathBuf)> = Vec::new();
        {
            let uses = lock(&self.uses);
            for digest in unwanted {
                if uses.has_image(digest) || self.records.get(digest).is_none() {
                    continue;
                }
                self.records.remove(digest).map_err(records)?;
                cleaned.images.push(digest.clone());
            }
            let kept = self.records.all();
            let needed: HashSet<&str> =
                kept.iter().flat_map(|record| &record.diff_ids).map(Digest::hex).collect();
            for hex in self.layers.list()? {
                if needed.contains(hex.as_str()) || uses.has_content(&hex) {
                    continue;
                }
                if let Ok(layer) = format!("sha256:{hex}").parse() {
                    cleaned.bytes += self.layers.size(&layer)?;
                }
                retired.extend(self.layers.retire(&hex)?.map(|draft| (hex, draft)));
            }
        }
        cleaned.layers = retired.len();
        for (hex, draft) in retired {
            self.layers.bury(&hex, &draft)?;
        }
        self.clean_blobs()?;
        Ok(cleaned)
    }

    /// Removes the configurations of images that are gone, and beginnings of downloads that nobody went on with.
    fn clean_blobs(&self) -> Result<(), PullerError> {
        let kept = self.records.all();
        let uses = lock(&self.uses);
        for digest in self.blobs.list_now()? {
            let needed = kept.iter().any(|record| record.id == digest) || uses.has_content(digest.hex());
            if !needed {
                self.blobs.remove_now(&digest)?;
            }
        }
        drop(uses);
        Ok(self.blobs.sweep(PART_LIFE)?)
    }
}

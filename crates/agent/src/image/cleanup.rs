//! Letting go of images that nobody needs: on a timer, when the disk is short, and when somebody asks.
//!
//! What a task has is known twice: by the lease that its supervisor holds, and by its journal, which is all there is
//! while an agent that was restarted takes its tasks over.

use super::Images;
use crate::{clock, config::ImageLimits, disk, error::chain};
use camino::Utf8Path;
use serde::Deserialize;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError},
    time::Duration,
};
use wharf_image::{Cleaned, Digest, KeptImage, Puller, Room};
use wharf_model::Timestamp;
use wharf_nodelink::local::{FromNode, NodeImage, RemovedImages, ToNode};
use wharf_plan::image_cleanup::{Image, Limits, victims};

/// Between two looks at the disk.
const DISK_INTERVAL: Duration = Duration::from_secs(30);
/// Between two looks at everything, in looks at the disk.
const ROUNDS: u32 = 20;

/// Who keeps an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Task,
    Deployment,
}

#[derive(Deserialize)]
struct Journal {
    notes: Vec<Note>,
}

#[derive(Deserialize)]
struct Note {
    image: Option<NoteImage>,
}

#[derive(Deserialize)]
struct NoteImage {
    digest: String,
}

/// Cleans for ever.
pub(crate) async fn run(images: Arc<Images>) {
    let mut ticks = tokio::time::interval(DISK_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for round in 1_u32.. {
        ticks.tick().await;
        let short_bytes = images.short_bytes();
        let pins_known = images.pinned.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if pins_known && (short_bytes > 0 || round % ROUNDS == 0) {
            let limits = images.limits(short_bytes);
            report(images.clean(limits).await.as_ref());
        }
    }
}

fn report(cleaned: Result<&Cleaned, &String>) {
    match cleaned {
        Ok(cleaned) if *cleaned == Cleaned::default() => {}
        Ok(cleaned) => tracing::info!(
            images = cleaned.images.len(),
            layers = cleaned.layers,
            bytes = cleaned.bytes,
            "images removed that nobody used"
        ),
        Err(error) => tracing::error!(error, "images cannot be removed"),
    }
}

impl Images {
    /// Answers what the command line asks.
    pub(crate) async fn answer(self: Arc<Images>, asked: ToNode) -> FromNode {
        let answered = match asked {
            ToNode::ListImages => self.listed().await.map(FromNode::Images),
            ToNode::PullImage { name } => {
                self.pull(&name, None).await.map(|image| FromNode::Pulled(image.digest.to_string()))
            }
            ToNode::RemoveImages { names } => self.remove(&names).await.map(removed),
            ToNode::PruneImages { unused_secs } => {
                let idle_max = Some(Duration::from_secs(unused_secs));
                let limits = Limits { idle_max, bytes_max: None, short_bytes: 0, idle_min: Duration::ZERO };
                self.clean(limits).await.map(removed)
            }
        };
        answered.unwrap_or_else(FromNode::Refused)
    }

    /// Makes room after a pull found the disk full. Returns whether there is more now.
    pub(super) async fn make_room(&self) -> bool {
        // As much as it takes: what the image needs is not known.
        let cleaned = self.clean(self.limits(u64::MAX)).await;
        report(cleaned.as_ref());
        cleaned.is_ok_and(|cleaned| cleaned.bytes > 0)
    }

    fn limits(&self, short_bytes: u64) -> Limits {
        let ImageLimits { bytes_max, idle_min, .. } = self.limits;
        Limits { bytes_max, short_bytes, idle_min, idle_max: None }
    }

    fn short_bytes(&self) -> u64 {
        Room::of(&self.root).map_or(0, |room| room.missing_to(self.limits.disk_free_percent))
    }

    /// Removes what the limits say and nobody needs.
    async fn clean(&self, limits: Limits) -> Result<Cleaned, String> {
        self.need_pins()?;
        let puller = self.puller().ok_or_else(unknown_registry)?;
        let (kept, held) = self.look(&puller).await?;
        let images: Vec<Image> = kept
            .iter()
            .map(|image| Image {
                digest: image.digest.to_string(),
                layers: image.layers.clone(),
                used_at: moment(image.used_at),
                held: image.in_use || held.contains_key(&image.digest),
            })
            .collect();
        let gone = victims(&images, limits, clock::now());
        let gone: Vec<Digest> = gone.iter().filter_map(|digest| digest.parse().ok()).collect();
        puller.remove(&gone).await.map_err(|error| chain(&error))
    }

    /// Removes images by name or digest; all of them, or none when one cannot go.
    async fn remove(&self, names: &[String]) -> Result<Cleaned, String> {
        self.need_pins()?;
        let puller = self.puller().ok_or_else(unknown_registry)?;
        let (kept, held) = self.look(&puller).await?;
        let mut gone = Vec::new();
        for name in names {
            let image = kept.iter().find(|image| is(image, name));
            let image = image.ok_or_else(|| format!("no image here is named '{name}'"))?;
            match held.get(&image.digest) {
                Some(Holder::Deployment) if !image.in_use => {
                    return Err(format!("image '{name}' is pinned by a deployment of a service"));
                }
                None if !image.in_use => {}
                _ => return Err(format!("image '{name}' is in use by a task of this node")),
            }
            gone.push(image.digest.clone());
        }
        let cleaned = puller.remove(&gone).await.map_err(|error| chain(&error))?;
        match gone.iter().find(|digest| !cleaned.images.contains(digest)) {
            // Somebody took it between the look and the removal.
            Some(digest) => Err(format!("image {digest} is in use by a task of this node")),
            None => Ok(cleaned),
        }
    }

    /// Refuses to remove anything before control has said what deployments are pinned to.
    fn need_pins(&self) -> Result<(), String> {
        let pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        match pinned.as_ref() {
            Some(_) => Ok(()),
            None => Err("control has not said yet which images deployments are pinned to".to_owned()),
        }
    }

    async fn listed(&self) -> Result<Vec<NodeImage>, String> {
        let puller = self.puller().ok_or_else(unknown_registry)?;
        let (kept, held) = self.look(&puller).await?;
        let now = clock::now();
        let shown = kept.into_iter().map(|image| NodeImage {
            held: match held.get(&image.digest) {
                Some(Holder::Deployment) if !image.in_use => Some("pinned".to_owned()),
                None if !image.in_use => None,
                _ => Some("in use".to_owned()),
            },
            digest: image.digest.to_string(),
            names: image.names,
            bytes: image.layers.iter().map(|(_, bytes)| bytes).sum(),
            unused_secs: now.since(moment(image.used_at)).as_secs(),
        });
        Ok(shown.collect())
    }

    /// Returns what is here, and the images that tasks have by their journals.
    async fn look(&self, puller: &Puller) -> Result<(Vec<KeptImage>, HashMap<Digest, Holder>), String> {
        let (puller, tasks_dir) = (puller.clone(), self.tasks_dir.clone());
        let pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
        let looked = tokio::task::spawn_blocking(move || {
            // The journals first: a task that comes after them holds a lease, which is looked at under the lock.
            let mut held: HashMap<Digest, Holder> =
                pinned.into_iter().map(|digest| (digest, Holder::Deployment)).collect();
            held.extend(in_journals(&tasks_dir).into_iter().map(|digest| (digest, Holder::Task)));
            puller.images().map(|kept| (kept, held)).map_err(|error| chain(&error))
        });
        looked.await.map_err(|error| error.to_string())?
    }
}

/// Returns the images that the journals of tasks name.
fn in_journals(tasks_dir: &Utf8Path) -> HashSet<Digest> {
    let entries = tasks_dir.read_dir_utf8().into_iter().flatten().flatten();
    let journals = entries.filter_map(|entry| {
        let path = entry.path().join(crate::record::JOURNAL);
        disk::load::<Journal>(&path).ok().flatten()
    });
    let notes = journals.flat_map(|journal| journal.notes);
    notes.filter_map(|note| note.image?.digest.parse().ok()).collect()
}

/// Returns whether a name, as people write it, means an image: a whole digest, at least 12 of its digits, or a name.
fn is(image: &KeptImage, name: &str) -> bool {
    let digits = name.strip_prefix("sha256:").unwrap_or(name);
    let by_digits = digits.len() >= 12 && image.digest.hex().starts_with(digits);
    let full = name.parse::<wharf_image::ImageName>().map(|name| name.to_string());
    by_digits || full.is_ok_and(|full| image.names.contains(&full))
}

fn removed(cleaned: Cleaned) -> FromNode {
    let Cleaned { images, layers, bytes } = cleaned;
    FromNode::Removed(RemovedImages {
        images: images.iter().map(ToString::to_string).collect(),
        layers,
        bytes,
    })
}

fn unknown_registry() -> String {
    "the node does not know its registry yet".to_owned()
}

fn moment(at: std::time::SystemTime) -> Timestamp {
    let millis = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    Timestamp(i64::try_from(millis).unwrap_or(i64::MAX))
}

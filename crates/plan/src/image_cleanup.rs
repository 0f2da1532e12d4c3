//! Which images a node lets go of, so that those it keeps fit into the room they may take.
//!
//! Images share layers, so taking one frees only what no image that stays needs. The one not used for the longest goes
//! first. What is in use or pinned never goes, however little room there is; and unless the disk is short, neither
//! does what was used a short while ago, because it is about to be used again.

use std::collections::HashMap;
use std::time::Duration;
use wharf_model::Timestamp;

/// An image that is on the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its digest.
    pub digest: String,
    /// Its layers with the bytes each takes.
    pub layers: Vec<(String, u64)>,
    /// When it was used last.
    pub used_at: Timestamp,
    /// Whether a task has it, somebody waits for it, or it is to be kept.
    pub held: bool,
}

/// What there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that all images together may take; nothing for no limit.
    pub bytes_max: Option<u64>,
    /// Bytes by which the disk has too little room now; 0 for enough.
    pub short_bytes: u64,
    /// How long an image that nobody uses stays at least, unless the disk is short.
    pub idle_min: Duration,
    /// How long an image that nobody uses stays at most; nothing for ever.
    pub idle_max: Option<Duration>,
}

/// Returns the digests of the images to let go of, in the order they go.
pub fn victims(images: &[Image], limits: Limits, now: Timestamp) -> Vec<String> {
    let mut users: HashMap<&str, (usize, u64)> = HashMap::new();
    for image in images {
        for (layer, bytes) in &image.layers {
            let (count, known) = users.entry(layer).or_default();
            *count += 1;
            *known = *bytes;
        }
    }
    let mut total: u64 = users.values().map(|(_, bytes)| bytes).sum();
    let mut freed = 0_u64;
    let mut oldest_first: Vec<&Image> = images.iter().filter(|image| !image.held).collect();
    oldest_first.sort_by(|a, b| (a.used_at, &a.digest).cmp(&(b.used_at, &b.digest)));
    let mut victims = Vec::new();
    for image in oldest_first {
        let idle = now.since(image.used_at);
        let short = freed < limits.short_bytes;
        let over = limits.bytes_max.is_some_and(|most| total > most) && idle >= limits.idle_min;
        let stale = limits.idle_max.is_some_and(|most| idle > most);
        if !(short || over || stale) {
            continue;
        }
        for (layer, bytes) in &image.layers {
            if let Some((count, _)) = users.get_mut(layer.as_str()) {
                *count -= 1;
                if *count == 0 {
                    total -= bytes;
                    freed += bytes;
                }
            }
        }
        victims.push(image.digest.clone());
    }
    victims
}

#[cfg(test)]
mod tests;

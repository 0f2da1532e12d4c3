//! A repository as it is kept: one JSON file, replaced as a whole.
//!
//! A name's parts are folders. A part never begins with `_`, so the file cannot be taken for a repository.

use super::{ImageDetail, RegistryError, Repository};
use crate::digest::Digest;
use crate::durable;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const FILE: &str = "_repository.json";

/// What a repository holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    created_millis: u64,
    #[serde(default)]
    pub(super) immutable_tags: bool,
    pub(super) manifests: BTreeMap<Digest, Manifest>,
    pub(super) tags: BTreeMap<String, Digest>,
}

/// What a repository knows of a manifest without reading it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) media_type: String,
    pub(super) artifact_media_type: Option<String>,
    /// The manifest's own length in bytes.
    pub(super) length: u64,
    pub(super) image_size: u64,
    pub(super) pushed_millis: u64,
    /// The content that must stay while this manifest does.
    pub(super) blobs: Vec<Digest>,
    /// The manifests that an index names.
    pub(super) children: Vec<Digest>,
}

impl Record {
    pub(super) fn new(now: SystemTime) -> Record {
        Record {
            created_millis: millis(now),
            immutable_tags: false,
            manifests: BTreeMap::new(),
            tags: BTreeMap::new(),
        }
    }

    pub(super) fn describe(&self, name: &str) -> Repository {
        Repository {
            name: name.to_owned(),
            created_at: time(self.created_millis),
            immutable_tags: self.immutable_tags,
        }
    }

    pub(super) fn images(&self) -> Vec<ImageDetail> {
        let mut tags: BTreeMap<&Digest, Vec<String>> = BTreeMap::new();
        for (tag, digest) in &self.tags {
            tags.entry(digest).or_default().push(tag.clone());
        }
        let needed: BTreeSet<&Digest> =
            self.manifests.values().flat_map(|manifest| &manifest.children).collect();
        let detail = |(digest, manifest): (&Digest, &Manifest)| ImageDetail {
            needed: needed.contains(digest),
            digest: digest.clone(),
            tags: tags.remove(digest).unwrap_or_default(),
            size: manifest.image_size,
            pushed_at: time(manifest.pushed_millis),
            media_type: manifest.media_type.clone(),
            artifact_media_type: manifest.artifact_media_type.clone(),
        };
        self.manifests.iter().map(detail).collect()
    }
}

/// Returns where a repository's file is.
pub(super) fn path(root: &Utf8Path, name: &str) -> Utf8PathBuf {
    root.join("repositories").join(name).join(FILE)
}

/// Writes a repository's file, and makes its folders if need be.
pub(super) fn save(path: &Utf8Path, record: &Record) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    if !folder.exists() {
        std::fs::create_dir_all(folder)?;
        for made in folder.ancestors().take(3) {
            durable::sync_folder(made)?;
        }
    }
    durable::write(path, &serde_json::to_vec(record)?)
}

/// Reads every repository below `folder`.
pub(super) fn load(folder: &Utf8Path) -> Result<BTreeMap<String, Arc<Record>>, RegistryError> {
    let failed =
        |path: &Utf8Path, source| RegistryError::Io { operation: "read", path: path.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in next.read_dir_utf8().map_err(|source| failed(&next, source))? {
            let entry = entry.map_err(|source| failed(&next, source))?;
            let path = entry.path();
            if entry.file_type().map_err(|source| failed(path, source))?.is_dir() {
                folders.push(path.to_owned());
            } else if entry.file_name() == FILE {
                let content = std::fs::read(path).map_err(|source| failed(path, source))?;
                let record = serde_json::from_slice(&content)
                    .map_err(|source| RegistryError::Corrupt { path: path.to_owned(), source })?;
                let name = next.strip_prefix(folder).unwrap_or(&next).to_string();
                found.insert(name, Arc::new(record));
            }
        }
    }
    Ok(found)
}

pub(super) fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn time(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

//! Images from files of this machine, straight into a repository: an OCI layout, an archive of one, what `docker save`
//! or `podman save` wrote, a folder of skopeo's `dir:`, or a root file system.
//!
//! Whatever it is becomes an OCI layout in a scratch folder first (`layout`), and that is then imported.

mod archive;
mod docker;
mod layout;
mod rootfs;
#[cfg(test)]
mod tests;

use crate::blob::{BlobError, BlobStore};
use crate::digest::Digest;
use crate::manifest::{self, Kind, ManifestInvalid};
use crate::registry::{ManifestError, Registry};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use tokio::io::AsyncReadExt as _;

pub use rootfs::Start;

/// Why a layout was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file could not be read.
    #[error("read {path}")]
    Read {
        /// Which file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The scratch folder could not be written.
    #[error("write {path}")]
    Write {
        /// Which file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is nothing that holds an image.
    #[error("{path} is no image: {why}")]
    NotAnImage {
        /// The file or folder.
        path: Utf8PathBuf,
        /// What it lacks.
        why: String,
    },
    /// It holds no name, and none was given.
    #[error("the image in {path} has no name: say which repository and tag it is for")]
    NoName {
        /// The file or folder.
        path: Utf8PathBuf,
    },
    /// The repository could not be made.
    #[error("make repository {repository}")]
    Repository {
        /// Its name.
        repository: String,
        /// Why not.
        source: crate::registry::RegistryError,
    },
    /// The layout's index is not one.
    #[error("understand {path}")]
    Index {
        /// Which file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The layout does not have the image, or has several and none was named.
    #[error("{path} has no image named {wanted:?}: it has {present}")]
    NoImage {
        /// The layout.
        path: Utf8PathBuf,
        /// The name that was asked for.
        wanted: String,
        /// The names it has.
        present: String,
    },
    /// A manifest of the layout is not one.
    #[error("understand manifest {digest}")]
    Manifest {
        /// Which manifest.
        digest: Digest,
        /// What is wrong with it.
        source: ManifestInvalid,
    },
    /// Content could not be stored.
    #[error("store {digest}")]
    Store {
        /// Which content.
        digest: Digest,
        /// What went wrong.
        source: BlobError,
    },
    /// The registry refused a manifest.
    #[error("store manifest {digest} in {repository}")]
    Refused {
        /// Which manifest.
        digest: Digest,
        /// In which repository.
        repository: String,
        /// Why.
        source: ManifestError,
    },
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    digest: Digest,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Entry {
    fn name(&self) -> Option<&str> {
        self.annotations.get("org.opencontainers.image.ref.name").map(String::as_str)
    }
}

/// An image on its way in: a layout, and the names that the images in it had where they came from.
#[derive(Debug)]
pub struct Prepared {
    folder: Utf8PathBuf,
    scratch: Option<Utf8PathBuf>,
    names: Vec<String>,
}

/// Makes a layout of whatever `path` is. A root file system is an image only with something to run, `start`. Blocks for
/// as long as it takes to read all of it.
pub fn prepare(registry: &Registry, path: &Utf8Path, start: Option<&Start>) -> Result<Prepared, ImportError> {
    let scratch = registry.scratch();
    let prepared = layout::prepare(&scratch, path, start);
    if prepared.is_err() && scratch.exists() {
        std::fs::remove_dir_all(&scratch).map_err(|source| ImportError::Write { path: scratch, source })?;
    }
    prepared
}

impl Prepared {
    /// Returns the names that the images in it had.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Copies the image of this name, or the only one, into a repository that exists, and returns its digest.
    pub async fn import(
        &self,
        registry: &Registry,
        repository: &str,
        name: Option<&str>,
        tag: &str,
    ) -> Result<Digest, ImportError> {
        import_layout(registry, repository, &self.folder, name, tag).await
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if let Some(scratch) = &self.scratch
            && let Err(error) = std::fs::remove_dir_all(scratch)
        {
            tracing::warn!(%scratch, %error, "scratch folder of an import remains until the next start");
        }
    }
}

/// Copies an image of the layout in `folder` into a repository that exists, under `tag`, and returns its
/// digest. `name` chooses among several images by their annotation `org.opencontainers.image.ref.name`.
pub async fn import_layout(
    registry: &Registry,
    repository: &str,
    folder: &Utf8Path,
    name: Option<&str>,
    tag: &str,
) -> Result<Digest, ImportError> {
    let path = folder.join("index.json");
    let content = read(&path).await?;
    let index: Index = serde_json::from_slice(&content)
        .map_err(|source| ImportError::Index { path: path.clone(), source })?;
    let found = match (name, index.manifests.as_slice()) {
        // An image of several names is listed once for each.
        (None, [first, rest @ ..]) => {
            Some(first).filter(|_| rest.iter().all(|other| other.digest == first.digest))
        }
        (None, []) => None,
        (Some(name), entries) => entries.iter().find(|entry| entry.name() == Some(name)),
    };
    let Some(found) = found else {
        let present: Vec<_> =
            index.manifests.iter().map(|entry| entry.name().unwrap_or("(unnamed)")).collect();
        let (wanted, present) = (name.unwrap_or("(the only one)").to_owned(), present.join(", "));
        return Err(ImportError::NoImage { path: folder.to_owned(), wanted, present });
    };
    // Manifests are stored after what they name: an index's images first, and it last.
    let content = document(folder, &found.digest).await?;
    let parsed = parse(&found.digest, &content)?;
    if let Kind::Index { manifests } = &parsed {
        for entry in manifests {
            let content = document(folder, &entry.digest).await?;
            blobs(registry.blobs(), folder, &parse(&entry.digest, &content)?).await?;
            put(registry, repository, entry.digest.as_str(), &entry.digest, &content).await?;
        }
    }
    blobs(registry.blobs(), folder, &parsed).await?;
    put(registry, repository, tag, &found.digest, &content).await?;
    Ok(found.digest.clone())
}

async fn put(
    registry: &Registry,
    repository: &str,
    reference: &str,
    digest: &Digest,
    content: &[u8],
) -> Result<(), ImportError> {
    let stored = registry.put_manifest(repository, reference, None, content).await;
    stored.map(drop).map_err(|source| ImportError::Refused {
        digest: digest.clone(),
        repository: repository.to_owned(),
        source,
    })
}

async fn blobs(store: &BlobStore, folder: &Utf8Path, parsed: &Kind) -> Result<(), ImportError> {
    let Kind::Image { config, layers } = parsed else { return Ok(()) };
    for wanted in std::iter::once(config).chain(layers).filter(|wanted| wanted.is_pushed()) {
        let failed = |source| ImportError::Store { digest: wanted.digest.clone(), source };
        if store.size(&wanted.digest).await.map_err(failed)?.is_some() {
            continue;
        }
        let path = at(folder, &wanted.digest);
        let reading = |source| ImportError::Read { path: path.clone(), source };
        let mut file = tokio::fs::File::open(&path).await.map_err(reading)?;
        let mut ingest = store.ingest().await.map_err(failed)?;
        let mut piece = vec![0; 256 * 1024];
        loop {
            let count = file.read(&mut piece).await.map_err(reading)?;
            if count == 0 {
                break;
            }
            ingest.write(&piece[..count]).await.map_err(failed)?;
        }
        ingest.finish(&wanted.digest, Some(wanted.size)).await.map_err(failed)?;
    }
    Ok(())
}

async fn document(folder: &Utf8Path, digest: &Digest) -> Result<Vec<u8>, ImportError> {
    let content = read(&at(folder, digest)).await?;
    let actual = Digest::of(&content);
    if actual != *digest {
        let source = BlobError::DigestMismatch { expected: digest.clone(), actual };
        return Err(ImportError::Store { digest: digest.clone(), source });
    }
    Ok(content)
}

async fn read(path: &Utf8Path) -> Result<Vec<u8>, ImportError> {
    tokio::fs::read(path).await.map_err(|source| ImportError::Read { path: path.to_owned(), source })
}

fn at(folder: &Utf8Path, digest: &Digest) -> Utf8PathBuf {
    folder.join("blobs/sha256").join(digest.hex())
}

fn parse(digest: &Digest, content: &[u8]) -> Result<Kind, ImportError> {
    let parsed = manifest::parse(content, None);
    parsed
        .map(|parsed| parsed.kind)
        .map_err(|source| ImportError::Manifest { digest: digest.clone(), source })
}

//! Manifests and configurations of images, as JSON documents: Docker's second version and OCI's.

use crate::digest::Digest;
use crate::image::ImageConfig;
use serde::Deserialize;
use std::collections::BTreeMap;

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// The manifests we can read, in the order of a request's `Accept`.
pub(crate) const ACCEPTED: [&str; 4] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST];

/// More layers than any kernel stacks, and few enough to look at one by one.
const LAYERS_MAX: usize = 500;

/// Why a document is not a manifest or configuration of an image.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ManifestInvalid {
    /// It is not JSON of the expected form.
    #[error("{0}")]
    Json(String),
    /// It is of another version.
    #[error("schema version {0} is not supported, only 2")]
    Version(u64),
    /// It is something else than an image or an index of images.
    #[error("media type {0:?} is not an image's")]
    MediaType(String),
    /// The media type in the request and the one in the document differ.
    #[error("content type {header:?} is not the manifest's media type {document:?}")]
    TypesDiffer {
        /// The request's content type.
        header: String,
        /// The document's media type.
        document: String,
    },
    /// It has more layers than can be stacked.
    #[error("{0} layers are more than the {LAYERS_MAX} that are supported")]
    Layers(usize),
    /// There is no image for this machine in the index.
    #[error("no match for platform in manifest: linux/amd64 is not among {0}")]
    Platform(String),
    /// Its content is no root file system.
    #[error("layer media type {0:?} is not a layer of a root file system")]
    LayerType(String),
    /// The configuration and the manifest disagree.
    #[error("the configuration lists {listed} layers and the manifest {present}")]
    LayerCount {
        /// Layers in the configuration.
        listed: usize,
        /// Layers in the manifest.
        present: usize,
    },
}

/// A manifest or an index.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) media_type: String,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Image { config: Descriptor, layers: Vec<Descriptor> },
    Index { manifests: Vec<IndexEntry> },
}

/// A reference to content.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default)]
    pub(crate) urls: Vec<String>,
}

impl Descriptor {
    /// Returns whether the content is in the registry, and not somewhere else on the web.
    pub(crate) fn is_pushed(&self) -> bool {
        self.urls.is_empty() || !self.media_type.contains("foreign") && !self.media_type.contains("nondist")
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IndexEntry {
    pub(crate) digest: Digest,
    pub(crate) platform: Option<Platform>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Platform {
    architecture: String,
    os: String,
    variant: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u64,
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<IndexEntry>>,
}

/// Reads a manifest or an index. `content_type` is what the transfer said it is.
pub(crate) fn parse(content: &[u8], content_type: Option<&str>) -> Result<Parsed, ManifestInvalid> {
    let document: Document =
        serde_json::from_slice(content).map_err(|error| ManifestInvalid::Json(error.to_string()))?;
    if document.schema_version != 2 {
        return Err(ManifestInvalid::Version(document.schema_version));
    }
    let header = content_type.map(|header| header.split(';').next().unwrap_or(header).trim());
    let header = header.filter(|header| header.starts_with("application/vnd."));
    let media_type = match (document.media_type, header) {
        (Some(document), Some(header)) if document != header => {
            return Err(ManifestInvalid::TypesDiffer { header: header.to_owned(), document });
        }
        (Some(document), _) => document,
        (None, Some(header)) => header.to_owned(),
        (None, None) if document.manifests.is_some() => OCI_INDEX.to_owned(),
        (None, None) => OCI_MANIFEST.to_owned(),
    };
    let missing = |member| ManifestInvalid::Json(format!("missing member {member:?}"));
    let kind = match media_type.as_str() {
        OCI_MANIFEST | DOCKER_MANIFEST => {
            let layers = document.layers.ok_or_else(|| missing("layers"))?;
            if layers.len() > LAYERS_MAX {
                return Err(ManifestInvalid::Layers(layers.len()));
            }
            Kind::Image { config: document.config.ok_or_else(|| missing("config"))?, layers }
        }
        OCI_INDEX | DOCKER_LIST => {
            Kind::Index { manifests: document.manifests.ok_or_else(|| missing("manifests"))? }
        }
        _ => return Err(ManifestInvalid::MediaType(media_type)),
    };
    Ok(Parsed { media_type, kind })
}

/// Chooses the image for linux/amd64, the plain one before those for newer processors.
pub(crate) fn choose(manifests: &[IndexEntry]) -> Result<&Digest, ManifestInvalid> {
    let fits = |entry: &&IndexEntry| {
        entry.platform.as_ref().is_some_and(|on| on.os == "linux" && on.architecture == "amd64")
    };
    let plain = |entry: &&IndexEntry| {
        entry.platform.as_ref().and_then(|on| on.variant.as_deref()).is_none_or(|v| v.is_empty() || v == "v1")
    };
    let fitting = || manifests.iter().filter(fits);
    let lone = match manifests {
        [only] if only.platform.is_none() => Some(only),
        _ => None,
    };
    let chosen = fitting().find(plain).or_else(|| fitting().next()).or(lone);
    chosen.map(|entry| &entry.digest).ok_or_else(|| {
        let names = manifests.iter().filter_map(|entry| entry.platform.as_ref());
        let names: Vec<_> = names.map(|on| format!("{}/{}", on.os, on.architecture)).collect();
        ManifestInvalid::Platform(names.join(", "))
    })
}

/// What an image's configuration says.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) settings: ImageConfig,
    /// The digests of the layers' tars, lowest first.
    pub(crate) diff_ids: Vec<Digest>,
}

#[derive(Deserialize)]
struct ConfigDocument {
    os: Option<String>,
    architecture: Option<String>,
    config: Option<Settings>,
    rootfs: Option<RootFs>,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Settings {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    working_dir: Option<String>,
    user: Option<String>,
    stop_signal: Option<String>,
    exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
    volumes: Option<BTreeMap<String, serde_json::Value>>,
    labels: Option<BTreeMap<String, String>>,
}

/// Reads an image's configuration.
pub(crate) fn parse_config(content: &[u8]) -> Result<Configuration, ManifestInvalid> {
    let json = |error: serde_json::Error| ManifestInvalid::Json(format!("configuration: {error}"));
    let document: ConfigDocument = serde_json::from_slice(content).map_err(json)?;
    let platform = (document.os.as_deref(), document.architecture.as_deref());
    if let (Some(os), Some(architecture)) = platform
        && !os.is_empty()
        && !architecture.is_empty()
        && (os, architecture) != ("linux", "amd64")
    {
        return Err(ManifestInvalid::Platform(format!("{os}/{architecture}")));
    }
    let rootfs = document.rootfs;
    let diff_ids =
        rootfs.ok_or_else(|| ManifestInvalid::Json("configuration: missing member \"rootfs\"".to_owned()))?;
    let given = document.config.unwrap_or_default();
    let settings = ImageConfig {
        entrypoint: given.entrypoint.unwrap_or_default(),
        cmd: given.cmd.unwrap_or_default(),
        env: given.env.unwrap_or_default(),
        working_dir: given.working_dir.unwrap_or_default(),
        user: given.user.unwrap_or_default(),
        stop_signal: given.stop_signal.filter(|signal| !signal.is_empty()),
        exposed_ports: given.exposed_ports.unwrap_or_default().into_keys().collect(),
        volumes: given.volumes.unwrap_or_default().into_keys().collect(),
        labels: given.labels.unwrap_or_default().into_iter().collect(),
    };
    Ok(Configuration { settings, diff_ids: diff_ids.diff_ids })
}

#[cfg(test)]
mod tests;

//! Image names, content-addressed blobs, pulling, unpacking, the registry server. Knows no tasks.
//!
//! ```text
//!  name ── pull ── blob ── unpack ── layers: one directory each, in overlay form
//!           │ HTTP
//!  registry ── blob: the registry that `docker push` and our own puller speak to
//! ```

mod blob;
mod digest;
mod disk;
mod durable;
mod image;
mod import;
mod layers;
mod manifest;
mod name;
mod pull;
mod registry;
mod unpack;

pub use blob::{BlobError, BlobStore, Ingest};
pub use digest::{Digest, InvalidDigest};
pub use disk::Room;
pub use image::{Image, ImageConfig};
pub use import::{ImportError, Prepared, Start, import_layout, prepare};
pub use layers::{LayerError, LayerStore};
pub use manifest::ManifestInvalid;
pub use name::{EcrName, ImageName, InvalidName, is_repository, is_tag};
pub use pull::{
    Cleaned, Credentials, KeptImage, Lease, LocalRegistry, Login, PullCause, PullError, PullLimits, Puller,
    PullerConfig, PullerError, RemoteError,
};
pub use registry::{
    Authorize, Body, ImageDetail, ManifestError, PushedManifest, Registry, RegistryError, Repository,
    StoredManifest, UploadError,
};
pub use unpack::{Compression, UnpackError, UnpackLimits, Unpacked, unpack};

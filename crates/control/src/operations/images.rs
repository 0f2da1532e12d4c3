//! Images in repositories through ECR's API: found, brought, deleted.

use super::repositories::{self, Error as RepositoryError, account};
use crate::Control;
use thiserror::Error;
use wharf_image::{Digest, ImageDetail, ManifestError, RegistryError, StoredManifest, UploadError};

/// Why an image or a layer was not taken.
#[derive(Debug, Error)]
pub enum Error {
    /// The repository is missing, or a parameter makes no sense.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The repository has it already, under that name.
    #[error(
        "Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}' in registry with id '{account}'"
    )]
    ImageExists {
        /// Its digest.
        digest: String,
        /// Its tag, or `null`.
        tag: String,
        /// The repository.
        name: String,
        /// The account.
        account: String,
    },
    /// The tag is another image's, and tags do not move.
    #[error(
        "The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the repository is immutable."
    )]
    TagExists {
        /// The tag.
        tag: String,
        /// The repository.
        name: String,
    },
    /// The manifest names content that was not brought before.
    #[error(
        "Layers with digests '{digest}' required for pushing image into repository with name '{name}' in the registry with id '{account}' do not exist"
    )]
    LayersMissing {
        /// What is missing.
        digest: String,
        /// The repository.
        name: String,
        /// The account.
        account: String,
    },
    /// The manifest was given under another digest than its own.
    #[error("{0}")]
    DigestDiffers(String),
    /// There is no such layer.
    #[error(
        "Layer with digest '{digest}' does not exist in the repository with name '{name}' in the registry with id '{account}'"
    )]
    LayerMissing {
        /// The layer.
        digest: String,
        /// The repository.
        name: String,
        /// The account.
        account: String,
    },
    /// There is no such upload.
    #[error(
        "The upload with id '{id}' does not exist for the repository with name '{name}' in the registry with id '{account}'"
    )]
    UploadMissing {
        /// The upload.
        id: String,
        /// The repository.
        name: String,
        /// The account.
        account: String,
    },
    /// A part does not follow the one before.
    #[error(
        "Layer part does not begin where the last one ended: byte {last_valid_byte} is the last one here"
    )]
    PartOutOfTurn {
        /// The last byte that is here.
        last_valid_byte: i64,
        /// The repository.
        name: String,
        /// The upload.
        id: String,
    },
    /// An upload was ended without content.
    #[error("The layer upload with id '{0}' has no parts")]
    EmptyUpload(String),
    /// The layer's content is not what its digest says.
    #[error("{0}")]
    InvalidLayer(String),
    /// Too many uploads.
    #[error("{0}")]
    Limit(String),
    /// The registry cannot be used.
    #[error("use the image registry")]
    Registry(#[source] RegistryError),
}

impl Error {
    fn upload(control: &Control, name: &str, id: &str, error: UploadError) -> Error {
        match error {
            UploadError::Registry(RegistryError::Unknown(_)) => {
                RepositoryError::NotFound { name: name.to_owned(), account: account(control) }.into()
            }
            UploadError::Registry(error) => Error::Registry(error),
            UploadError::Unknown(_) => {
                Error::UploadMissing { id: id.to_owned(), name: name.to_owned(), account: account(control) }
            }
            UploadError::TooMany(_) => Error::Limit(error.to_string()),
            UploadError::Gap { expected, .. } => Error::PartOutOfTurn {
                last_valid_byte: i64::try_from(expected).unwrap_or(i64::MAX) - 1,
                name: name.to_owned(),
                id: id.to_owned(),
            },
            UploadError::Empty(id) => Error::EmptyUpload(id),
            UploadError::Digest(why) => Error::InvalidLayer(why),
        }
    }
}

/// An image as BatchGetImage and BatchDeleteImage name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageRef {
    /// Its digest.
    pub digest: Option<String>,
    /// A tag of it.
    pub tag: Option<String>,
}

/// Why an image of a list was left out: ECR's code and its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure(pub &'static str, pub &'static str);

const NEITHER: Failure =
    Failure("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null");
const BAD_DIGEST: Failure = Failure(
    "InvalidImageDigest",
    "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
);
const NOT_FOUND: Failure = Failure("ImageNotFound", "Requested image not found");
const DIFFERENT: Failure =
    Failure("ImageTagDoesNotMatchDigest", "Requested image tag does not match the requested digest");
const IN_INDEX: Failure =
    Failure("ImageReferencedByManifestList", "Requested image referenced by manifest list");

/// Returns the image that is meant, or why there is none.
pub fn find<'a>(images: &'a [ImageDetail], wanted: &ImageRef) -> Result<&'a ImageDetail, Failure> {
    let digest =
        wanted.digest.as_ref().map(|given| given.parse::<Digest>().map_err(|_| BAD_DIGEST)).transpose()?;
    let by_tag = |tag: &String| images.iter().find(|image| image.tags.contains(tag));
    let by_digest = |digest: &Digest| images.iter().find(|image| image.digest == *digest);
    match (&digest, &wanted.tag) {
        (None, None) => Err(NEITHER),
        (None, Some(tag)) => by_tag(tag).ok_or(NOT_FOUND),
        (Some(digest), None) => by_digest(digest).ok_or(NOT_FOUND),
        (Some(digest), Some(tag)) => match by_tag(tag) {
            Some(image) if image.digest == *digest => Ok(image),
            Some(_) => Err(DIFFERENT),
            None => Err(NOT_FOUND),
        },
    }
}

/// Returns an image's manifest.
pub async fn manifest(control: &Control, name: &str, digest: &Digest) -> Result<StoredManifest, Failure> {
    control.registry().manifest(name, digest.as_str()).await.map_err(|_| NOT_FOUND)
}

/// Deletes an image with all its tags; given a tag, only that, and the image when it was its last.
pub async fn delete(control: &Control, name: &str, wanted: &ImageRef) -> Result<Digest, Failure> {
    let images = repositories::images(control, name).map_err(|_| NOT_FOUND)?;
    let image = find(&images, wanted)?;
    let whole = wanted.tag.is_none() || image.tags.len() == 1;
    if whole && image.needed {
        // The tag alone can go; the image stays until its index does.
        match &wanted.tag {
            Some(tag) if control.registry().delete_manifest(name, tag).await.is_ok() => {
                return Ok(image.digest.clone());
            }
            _ => return Err(IN_INDEX),
        }
    }
    let reference = match &wanted.tag {
        Some(tag) if !whole => tag.as_str(),
        _ => image.digest.as_str(),
    };
    match control.registry().delete_manifest(name, reference).await {
        Ok(digest) => Ok(digest),
        Err(ManifestError::Needed { .. }) => Err(IN_INDEX),
        Err(_) => Err(NOT_FOUND),
    }
}

/// Stores a manifest whose layers were brought before.
pub async fn put(
    control: &Control,
    name: &str,
    manifest: &str,
    media_type: Option<&str>,
    wanted: &ImageRef,
) -> Result<Digest, Error> {
    repositories::find(control, name)?;
    let digest = Digest::of(manifest.as_bytes());
    if let Some(given) = wanted.digest.as_ref().filter(|given| given.as_str() != digest.as_str()) {
        return Err(Error::DigestDiffers(format!(
            "The image digest '{given}' does not match the digest of the manifest, '{digest}'"
        )));
    }
    let reference = wanted.tag.as_deref().unwrap_or(digest.as_str());
    let put = control.registry().put_manifest(name, reference, media_type, manifest.as_bytes()).await;
    match put {
        Ok(pushed) if pushed.unchanged => Err(Error::ImageExists {
            digest: digest.to_string(),
            tag: wanted.tag.clone().unwrap_or_else(|| "null".to_owned()),
            name: name.to_owned(),
            account: account(control),
        }),
        Ok(pushed) => Ok(pushed.digest),
        Err(ManifestError::BlobUnknown(missing)) => Err(Error::LayersMissing {
            digest: missing.to_string(),
            name: name.to_owned(),
            account: account(control),
        }),
        Err(ManifestError::ImmutableTag(tag)) => Err(Error::TagExists { tag, name: name.to_owned() }),
        Err(ManifestError::Registry(error)) => Err(Error::Registry(error)),
        Err(error) => {
            Err(RepositoryError::Invalid(format!("Invalid parameter at 'imageManifest': {error}")).into())
        }
    }
}

/// Returns a layer's size, if it is here.
pub async fn layer(control: &Control, digest: &Digest) -> Result<Option<u64>, Error> {
    control.registry().has(digest).await.map_err(Error::Registry)
}

/// Begins to bring a layer, and returns the upload's id.
pub async fn begin_upload(control: &Control, name: &str) -> Result<String, Error> {
    repositories::find(control, name)?;
    control.registry().begin_upload(name).await.map_err(|error| Error::upload(control, name, "", error))
}

/// Brings the bytes from `first` to `last`, both included, and returns the last byte that is here.
pub async fn upload_part(
    control: &Control,
    name: &str,
    id: &str,
    (first, last): (i64, i64),
    content: &[u8],
) -> Result<i64, Error> {
    let length = last.checked_sub(first).and_then(|length| usize::try_from(length + 1).ok());
    let first = u64::try_from(first).ok();
    let (Some(first), true) = (first, length == Some(content.len())) else {
        return Err(RepositoryError::Invalid(format!(
            "partFirstByte and partLastByte do not fit the {} bytes of layerPartBlob",
            content.len()
        ))
        .into());
    };
    let here = control.registry().upload_part(name, id, first, content).await;
    let here = here.map_err(|error| Error::upload(control, name, id, error))?;
    Ok(i64::try_from(here).unwrap_or(i64::MAX) - 1)
}

/// Ends an upload: the layer is here.
pub async fn complete_upload(control: &Control, name: &str, id: &str, digest: &str) -> Result<Digest, Error> {
    let digest: Digest =
        digest.parse().map_err(|error: wharf_image::InvalidDigest| Error::InvalidLayer(error.to_string()))?;
    let done = control.registry().complete_upload(name, id, &digest).await;
    done.map_err(|error| Error::upload(control, name, id, error))?;
    Ok(digest)
}

/// Returns whether a layer is here, or that it is missing.
pub async fn need_layer(control: &Control, name: &str, digest: &str) -> Result<Digest, Error> {
    repositories::find(control, name)?;
    let missing = || Error::LayerMissing {
        digest: digest.to_owned(),
        name: name.to_owned(),
        account: account(control),
    };
    let parsed: Digest = digest.parse().map_err(|_| missing())?;
    layer(control, &parsed).await?.ok_or_else(missing)?;
    Ok(parsed)
}

//! Layers and manifests brought through the API: shapes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wharf_aws::ecr::{
    BatchGetImageInput, BatchGetImageOutput, CheckLayersInput, CheckLayersOutput, CompleteUploadInput,
    CompleteUploadOutput, DownloadUrlInput, DownloadUrlOutput, Image, ImageFailure, ImageIdentifier,
    InitiateUploadOutput, Layer, LayerFailure, PutImageInput, PutImageOutput, RepositoryInput,
    UploadPartInput, UploadPartOutput,
};
use wharf_control::Control;
use wharf_control::operations::images::{self, Error, ImageRef};
use wharf_control::operations::repositories;

use super::{check_registry, invalid, required};
use crate::{Fault, RegistryTokens};

/// The size that a part should have, in bytes.
pub(crate) const PART_SIZE: u64 = 10 << 20;

pub(super) fn reference(id: &ImageIdentifier) -> ImageRef {
    ImageRef { digest: id.image_digest.clone(), tag: id.image_tag.clone() }
}

pub(super) fn failure(id: ImageIdentifier, images::Failure(code, reason): images::Failure) -> ImageFailure {
    ImageFailure { image_id: id, failure_code: code, failure_reason: reason }
}

pub(super) async fn get(control: &Control, input: BatchGetImageInput) -> Result<BatchGetImageOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    check_count(input.image_ids.len(), "imageIds")?;
    let stored = repositories::images(control, &name)?;
    let mut output = BatchGetImageOutput { images: Vec::new(), failures: Vec::new() };
    for id in input.image_ids {
        let found = match images::find(&stored, &reference(&id)) {
            Ok(image) => images::manifest(control, &name, &image.digest).await,
            Err(failure) => Err(failure),
        };
        match found {
            Ok(manifest)
                if input.accepted_media_types.is_empty()
                    || input.accepted_media_types.contains(&manifest.media_type) =>
            {
                output.images.push(Image {
                    registry_id: control.config().place.account.clone(),
                    repository_name: name.clone(),
                    image_id: ImageIdentifier {
                        image_digest: Some(manifest.digest.to_string()),
                        image_tag: id.image_tag,
                    },
                    image_manifest: String::from_utf8_lossy(&manifest.content).into_owned(),
                    image_manifest_media_type: manifest.media_type,
                });
            }
            Ok(_) => {
                let code = "ImageInaccessible";
                output
                    .failures
                    .push(failure(id, images::Failure(code, "None of acceptedMediaTypes is the image's")));
            }
            Err(why) => output.failures.push(failure(id, why)),
        }
    }
    Ok(output)
}

pub(super) async fn put(control: &Control, input: PutImageInput) -> Result<PutImageOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let manifest = required("imageManifest", input.image_manifest)?;
    let wanted = ImageRef { digest: input.image_digest, tag: input.image_tag };
    let media_type = input.image_manifest_media_type;
    let digest = images::put(control, &name, &manifest, media_type.as_deref(), &wanted).await?;
    let stored = images::manifest(control, &name, &digest).await;
    let media_type = stored.map(|stored| stored.media_type).unwrap_or_default();
    Ok(PutImageOutput {
        image: Image {
            registry_id: control.config().place.account.clone(),
            repository_name: name,
            image_id: ImageIdentifier { image_digest: Some(digest.to_string()), image_tag: wanted.tag },
            image_manifest: manifest,
            image_manifest_media_type: media_type,
        },
    })
}

pub(super) async fn check(control: &Control, input: CheckLayersInput) -> Result<CheckLayersOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    check_count(input.layer_digests.len(), "layerDigests")?;
    repositories::find(control, &name)?;
    let mut output = CheckLayersOutput { layers: Vec::new(), failures: Vec::new() };
    for given in input.layer_digests {
        let Ok(digest) = given.parse() else {
            output.failures.push(LayerFailure {
                failure_reason: format!("Invalid request parameters: '{given}' is not a layer's digest"),
                layer_digest: given,
                failure_code: "InvalidLayerDigest",
            });
            continue;
        };
        let size = images::layer(control, &digest).await?;
        let layer_availability = if size.is_some() { "AVAILABLE" } else { "UNAVAILABLE" };
        output.layers.push(Layer { layer_digest: given, layer_availability, layer_size: size });
    }
    Ok(output)
}

pub(super) async fn begin(control: &Control, input: RepositoryInput) -> Result<InitiateUploadOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let upload_id = images::begin_upload(control, &name).await?;
    Ok(InitiateUploadOutput { upload_id, part_size: PART_SIZE })
}

pub(super) async fn part(control: &Control, input: UploadPartInput) -> Result<UploadPartOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let id = required("uploadId", input.upload_id)?;
    let first = required("partFirstByte", input.part_first_byte)?;
    let last = required("partLastByte", input.part_last_byte)?;
    let blob = required("layerPartBlob", input.layer_part_blob)?;
    let content = STANDARD.decode(blob.as_bytes()).map_err(|_| invalid("layerPartBlob is not base64"))?;
    drop(blob);
    let last_byte_received = images::upload_part(control, &name, &id, (first, last), &content).await?;
    let registry_id = control.config().place.account.clone();
    Ok(UploadPartOutput { registry_id, repository_name: name, upload_id: id, last_byte_received })
}

pub(super) async fn complete(
    control: &Control,
    input: CompleteUploadInput,
) -> Result<CompleteUploadOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let id = required("uploadId", input.upload_id)?;
    let [digest] = input.layer_digests.as_slice() else {
        return Err(invalid("layerDigests must have exactly one entry"));
    };
    let done = images::complete_upload(control, &name, &id, digest).await?;
    Ok(CompleteUploadOutput {
        registry_id: control.config().place.account.clone(),
        repository_name: name,
        upload_id: id,
        layer_digest: done.to_string(),
    })
}

pub(super) async fn download_url(
    control: &Control,
    input: DownloadUrlInput,
) -> Result<DownloadUrlOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let digest = required("layerDigest", input.layer_digest)?;
    let digest = images::need_layer(control, &name, &digest).await?;
    let config = control.config();
    let tokens = RegistryTokens::new(&config.registry_password);
    let token = tokens.issue(wharf_aws::Timestamp::from_millis(control.now().0));
    Ok(DownloadUrlOutput {
        download_url: format!("http://{}/v2/{name}/blobs/{digest}?token={}", config.endpoint, token.password),
        layer_digest: digest.to_string(),
    })
}

fn check_count(count: usize, member: &str) -> Result<(), Fault> {
    if (1..=100).contains(&count) {
        Ok(())
    } else {
        Err(invalid(format!("{member} must have 1 to 100 entries")))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match error {
            Error::Repository(error) => return error.into(),
            Error::Registry(ref error) => return Fault::ours(error),
            Error::PartOutOfTurn { last_valid_byte, ref name, ref id } => {
                return Fault::caller("InvalidLayerPartException", error.to_string())
                    .with("lastValidByteReceived", last_valid_byte)
                    .with("repositoryName", name.clone())
                    .with("uploadId", id.clone());
            }
            Error::ImageExists { .. } => "ImageAlreadyExistsException",
            Error::TagExists { .. } => "ImageTagAlreadyExistsException",
            Error::LayersMissing { .. } => "LayersNotFoundException",
            Error::DigestDiffers(_) => "ImageDigestDoesNotMatchException",
            Error::LayerMissing { .. } => "LayersNotFoundException",
            Error::UploadMissing { .. } => "UploadNotFoundException",
            Error::EmptyUpload(_) => "EmptyUploadException",
            Error::InvalidLayer(_) => "InvalidLayerException",
            Error::Limit(_) => "LimitExceededException",
        };
        Fault::caller(code, error.to_string())
    }
}

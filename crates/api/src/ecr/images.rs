//! Images in repositories: shapes.

use std::time::{SystemTime, UNIX_EPOCH};

use wharf_aws::Timestamp;
use wharf_aws::ecr::{
    BatchDeleteImageOutput, DescribeImagesOutput, ImageDetail, ImageIdentifier, ImagesFilter, ImagesInput,
    ListImagesOutput,
};
use wharf_control::Control;
use wharf_control::operations::{images, repositories};
use wharf_image::ImageDetail as Stored;

use super::layers::{failure, reference};
use super::{check_registry, invalid, page, required};
use crate::Fault;

pub(super) async fn describe(control: &Control, input: ImagesInput) -> Result<DescribeImagesOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let stored = repositories::images(control, &name)?;
    for id in &input.image_ids {
        if !stored.iter().any(|image| is(image, id)) {
            return Err(not_found(control, &name, id));
        }
    }
    let with_tags = tag_status(input.filter.as_ref())?;
    let wanted = stored.iter().filter(|image| {
        (input.image_ids.is_empty() || input.image_ids.iter().any(|id| is(image, id)))
            && with_tags.is_none_or(|with_tags| image.tags.is_empty() != with_tags)
    });
    let shown = wanted.map(|image| ImageDetail {
        registry_id: control.config().place.account.clone(),
        repository_name: name.clone(),
        image_digest: image.digest.to_string(),
        image_tags: image.tags.clone(),
        image_size_in_bytes: image.size,
        image_pushed_at: timestamp(image.pushed_at),
        image_manifest_media_type: image.media_type.clone(),
        artifact_media_type: image.artifact_media_type.clone(),
    });
    let token = input.next_token.as_deref();
    let (image_details, next_token) =
        page(shown.collect(), |image: &ImageDetail| image.image_digest.clone(), token, input.max_results)?;
    Ok(DescribeImagesOutput { image_details, next_token })
}

pub(super) async fn list(control: &Control, input: ImagesInput) -> Result<ListImagesOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let with_tags = tag_status(input.filter.as_ref())?;
    let mut ids: Vec<ImageIdentifier> = Vec::new();
    for image in repositories::images(control, &name)? {
        let digest = Some(image.digest.to_string());
        if image.tags.is_empty() && with_tags != Some(true) {
            ids.push(ImageIdentifier { image_digest: digest.clone(), image_tag: None });
        }
        if with_tags != Some(false) {
            let tagged = image.tags.into_iter();
            ids.extend(
                tagged.map(|tag| ImageIdentifier { image_digest: digest.clone(), image_tag: Some(tag) }),
            );
        }
    }
    let key = |id: &ImageIdentifier| {
        format!(
            "{} {}",
            id.image_digest.as_deref().unwrap_or_default(),
            id.image_tag.as_deref().unwrap_or_default()
        )
    };
    ids.sort_by_key(key);
    let (image_ids, next_token) = page(ids, key, input.next_token.as_deref(), input.max_results)?;
    Ok(ListImagesOutput { image_ids, next_token })
}

pub(super) async fn delete(control: &Control, input: ImagesInput) -> Result<BatchDeleteImageOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    if input.image_ids.is_empty() || input.image_ids.len() > 100 {
        return Err(invalid("imageIds must have 1 to 100 entries"));
    }
    let mut output = BatchDeleteImageOutput { image_ids: Vec::new(), failures: Vec::new() };
    repositories::find(control, &name)?;
    for id in input.image_ids {
        match images::delete(control, &name, &reference(&id)).await {
            Ok(digest) => {
                let image_digest = Some(digest.to_string());
                output.image_ids.push(ImageIdentifier { image_digest, image_tag: id.image_tag });
            }
            Err(why) => output.failures.push(failure(id, why)),
        }
    }
    Ok(output)
}

/// Returns whether images with tags, or those without, are wanted; nothing for all.
fn tag_status(filter: Option<&ImagesFilter>) -> Result<Option<bool>, Fault> {
    match filter.and_then(|filter| filter.tag_status.as_deref()) {
        None | Some("ANY") => Ok(None),
        Some("TAGGED") => Ok(Some(true)),
        Some("UNTAGGED") => Ok(Some(false)),
        Some(other) => {
            Err(invalid(format!("filter.tagStatus '{other}' must be one of TAGGED, UNTAGGED and ANY")))
        }
    }
}

fn is(image: &Stored, id: &ImageIdentifier) -> bool {
    (id.image_digest.is_some() || id.image_tag.is_some())
        && id.image_digest.as_ref().is_none_or(|digest| image.digest.to_string() == *digest)
        && id.image_tag.as_ref().is_none_or(|tag| image.tags.contains(tag))
}

fn not_found(control: &Control, name: &str, id: &ImageIdentifier) -> Fault {
    let shown = |part: &Option<String>| part.clone().unwrap_or_else(|| "null".to_owned());
    let message = format!(
        "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name '{name}' in the registry with id '{}'",
        shown(&id.image_digest),
        shown(&id.image_tag),
        control.config().place.account,
    );
    Fault::caller("ImageNotFoundException", message)
}

fn timestamp(at: SystemTime) -> Timestamp {
    let millis = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

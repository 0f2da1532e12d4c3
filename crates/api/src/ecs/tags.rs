//! The tag operations.

use super::{given, shown};
use wharf_aws::ecs::{
    ListTagsForResourceInput, ListTagsForResourceOutput, NoOutput, TagResourceInput, UntagResourceInput,
};
use wharf_control::{
    Control,
    operations::{Error, tags},
};

pub(super) async fn add(control: &Control, input: TagResourceInput) -> Result<NoOutput, Error> {
    tags::add(control, &input.resource_arn, given::tags(input.tags)?).await?;
    Ok(NoOutput {})
}

pub(super) async fn remove(control: &Control, input: UntagResourceInput) -> Result<NoOutput, Error> {
    tags::remove(control, &input.resource_arn, &input.tag_keys).await?;
    Ok(NoOutput {})
}

pub(super) async fn list(
    control: &Control,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, Error> {
    let tags = tags::list(control, &input.resource_arn).await?;
    Ok(ListTagsForResourceOutput { tags: shown::tags(&tags) })
}

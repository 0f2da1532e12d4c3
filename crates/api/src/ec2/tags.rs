//! Tags: inputs, filters and shapes.

use wharf_aws::ec2::{DescribeInput, DescribeTagsOutput, TagDescription, TagsInput};
use wharf_control::Control;
use wharf_control::operations::networks::tags;
use wharf_model::tag::Tag;

use super::{filters, given, page, refuse_dry_run};
use crate::Fault;

const FILTERS: [&str; 4] = ["key", "resource-id", "resource-type", "value"];

pub(super) async fn create(control: &Control, input: TagsInput) -> Result<(), Fault> {
    check(&input)?;
    if input.tag.is_empty() {
        return Err(given::missing("Tag"));
    }
    let given = input.tag.into_iter();
    let new: Vec<Tag> = given.map(|tag| Tag { key: tag.key, value: tag.value.unwrap_or_default() }).collect();
    refuse_dry_run(input.dry_run)?;
    Ok(tags::put(control, &input.resource_id, &new).await?)
}

pub(super) async fn delete(control: &Control, input: TagsInput) -> Result<(), Fault> {
    check(&input)?;
    refuse_dry_run(input.dry_run)?;
    let given: Vec<(String, Option<String>)> =
        input.tag.into_iter().map(|tag| (tag.key, tag.value)).collect();
    Ok(tags::remove(control, &input.resource_id, &given).await?)
}

fn check(input: &TagsInput) -> Result<(), Fault> {
    if input.resource_id.is_empty() { Err(given::missing("ResourceId")) } else { Ok(()) }
}

pub(super) async fn describe(control: &Control, input: DescribeInput) -> Result<DescribeTagsOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    let all = tags::all(&control.store().view());
    let wanted = all.into_iter().filter(|tagged| {
        let own = [wharf_aws::ec2::Tag { key: tagged.tag.key.clone(), value: tagged.tag.value.clone() }];
        filters::pass(&input.filter, &own, |name| {
            vec![match name {
                "key" => tagged.tag.key.clone(),
                "resource-id" => tagged.resource.clone(),
                "resource-type" => tagged.kind.to_owned(),
                "value" => tagged.tag.value.clone(),
                _ => return Vec::new(),
            }]
        })
    });
    let shown = wanted.map(|tagged| TagDescription {
        resource_id: tagged.resource,
        resource_type: tagged.kind,
        key: tagged.tag.key,
        value: tagged.tag.value,
    });
    let key = |tag: &TagDescription| format!("{} {}", tag.resource_id, tag.key);
    let (tag_set, next_token) = page(shown.collect(), key, &input)?;
    Ok(DescribeTagsOutput { tag_set, next_token })
}

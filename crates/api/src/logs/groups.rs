//! Log groups: shapes to model and back.

use std::sync::Arc;

use wharf_aws::logs::{
    CreateLogGroupInput, DeleteLogGroupInput, DescribeFiltersInput, DescribeLogGroupsInput,
    DescribeLogGroupsOutput, ListTagsInput, ListTagsOutput, LogGroup, MetricFiltersOutput, RetentionInput,
    SubscriptionFiltersOutput, TagInput, TagsOrKeys,
};
use wharf_control::Control;
use wharf_control::operations::log_groups;
use wharf_model::{logs, tag::Tag};

use super::given::{self, bad_token, invalid, required};
use crate::Fault;

const PAGE_SIZE_MAX: usize = 50;

pub(super) async fn create(control: &Control, input: CreateLogGroupInput) -> Result<(), Fault> {
    let name = given::group_name(input.log_group_name)?;
    if input.kms_key_id.is_some() {
        return Err(invalid("kmsKeyId is not supported here; leave it out"));
    }
    if input.deletion_protection_enabled {
        return Err(invalid("deletionProtectionEnabled 'true' is not supported here; leave it out"));
    }
    check_class(input.log_group_class.as_deref())?;
    let tags = input.tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    Ok(log_groups::create(control, &name, tags).await?)
}

fn check_class(given: Option<&str>) -> Result<(), Fault> {
    match given {
        None | Some("STANDARD") => Ok(()),
        Some(other) => {
            Err(invalid(format!("logGroupClass '{other}' is not supported here; only 'STANDARD' is")))
        }
    }
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeLogGroupsInput,
) -> Result<DescribeLogGroupsOutput, Fault> {
    check_class(input.log_group_class.as_deref())?;
    if input.include_linked_accounts {
        return Err(invalid("includeLinkedAccounts 'true' is not supported here; leave it out"));
    }
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let pattern = input.log_group_name_pattern.map(|pattern| pattern.to_lowercase());
    let asked: Vec<String> = input
        .log_group_identifiers
        .iter()
        .map(|identifier| given::by_arn(identifier).unwrap_or_else(|| identifier.clone()))
        .collect();
    let mut found = log_groups::list(control, &input.log_group_name_prefix.unwrap_or_default());
    found.retain(|group| {
        pattern.as_ref().is_none_or(|pattern| group.name.to_lowercase().contains(pattern))
            && (asked.is_empty() || asked.contains(&group.name))
    });
    let limit = given::limit(input.limit, PAGE_SIZE_MAX)?;
    let key = |group: &Arc<logs::LogGroup>| group.name.clone();
    let page = wharf_aws::page::page(found, key, input.next_token.as_deref(), limit);
    let page = page.map_err(|_| bad_token())?;
    let log_groups = page.items.iter().map(|group| show(control, group)).collect();
    Ok(DescribeLogGroupsOutput { log_groups, next_token: page.next })
}

fn show(control: &Control, group: &logs::LogGroup) -> LogGroup {
    LogGroup {
        log_group_name: group.name.clone(),
        creation_time: group.created_at.0,
        metric_filter_count: 0,
        arn: format!("{}:*", group.arn),
        stored_bytes: control.logs().stored_bytes(&group.name),
        log_group_class: "STANDARD",
        log_group_arn: group.arn.to_string(),
        retention_in_days: group.retention_days,
    }
}

pub(super) async fn put_retention(control: &Control, input: RetentionInput) -> Result<(), Fault> {
    let name = given::group_name(input.log_group_name)?;
    let days = required("retentionInDays", input.retention_in_days)?;
    // What no number of days is, is refused with the words for one that is not in the list.
    let days = u32::try_from(days).unwrap_or(u32::MAX);
    Ok(log_groups::set_retention(control, &name, Some(days)).await?)
}

pub(super) async fn delete_retention(control: &Control, input: RetentionInput) -> Result<(), Fault> {
    let name = given::group_name(input.log_group_name)?;
    Ok(log_groups::set_retention(control, &name, None).await?)
}

/// Returns the group that a tagging operation means: by ARN, or by name in its older form.
fn tagged(input: &TagInput) -> Result<String, Fault> {
    match &input.log_group_name {
        Some(name) => given::group_name(Some(name.clone())),
        None => by_resource_arn(input.resource_arn.clone()),
    }
}

fn by_resource_arn(given: Option<String>) -> Result<String, Fault> {
    let arn = required("resourceArn", given)?;
    given::by_arn(&arn).ok_or_else(|| invalid(format!("resourceArn '{arn}' is not a log group's ARN")))
}

pub(super) async fn tag(control: &Control, input: TagInput) -> Result<(), Fault> {
    let name = tagged(&input)?;
    let TagsOrKeys::Tags(tags) = input.tags else { return Err(invalid("tags must have keys and values")) };
    let tags = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    Ok(log_groups::tag(control, &name, tags).await?)
}

pub(super) async fn untag(control: &Control, input: TagInput) -> Result<(), Fault> {
    let name = tagged(&input)?;
    let keys = match input.tags {
        TagsOrKeys::Keys(keys) if !keys.is_empty() => keys,
        TagsOrKeys::Keys(_) | TagsOrKeys::Tags(_) => input.tag_keys,
    };
    Ok(log_groups::untag(control, &name, &keys).await?)
}

pub(super) async fn list_tags_by_name(control: &Control, input: TagInput) -> Result<ListTagsOutput, Fault> {
    tags_of(control, &given::group_name(input.log_group_name)?)
}

fn tags_of(control: &Control, name: &str) -> Result<ListTagsOutput, Fault> {
    let group = log_groups::find(control, name)?;
    Ok(ListTagsOutput { tags: group.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect() })
}

/// There are none, because making one is refused.
pub(super) async fn metric_filters(
    control: &Control,
    input: DescribeFiltersInput,
) -> Result<MetricFiltersOutput, Fault> {
    if let Some(name) = input.log_group_name {
        log_groups::find(control, &given::group_name(Some(name))?)?;
    }
    Ok(MetricFiltersOutput::default())
}

/// There are none, because making one is refused.
pub(super) async fn subscription_filters(
    control: &Control,
    input: DescribeFiltersInput,
) -> Result<SubscriptionFiltersOutput, Fault> {
    log_groups::find(control, &given::group_name(input.log_group_name)?)?;
    Ok(SubscriptionFiltersOutput::default())
}

pub(super) async fn delete(control: &Control, input: DeleteLogGroupInput) -> Result<(), Fault> {
    Ok(log_groups::delete(control, &given::group_name(input.log_group_name)?).await?)
}

pub(super) async fn list_tags(control: &Control, input: ListTagsInput) -> Result<ListTagsOutput, Fault> {
    tags_of(control, &by_resource_arn(input.resource_arn)?)
}

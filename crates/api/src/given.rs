//! What several services check alike in what callers give. Each has its own code for a mistake.

use wharf_aws::LooseTag;
use wharf_model::tag::Tag;

use crate::Fault;

/// Returns a member that must be there.
pub(crate) fn required<T>(code: &'static str, member: &str, given: Option<T>) -> Result<T, Fault> {
    given.ok_or_else(|| {
        let message = format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        );
        Fault::caller(code, message)
    })
}

/// Returns how many items are wanted: what is given, within bounds, or as many as there may be.
pub(crate) fn limit(given: Option<i64>, most: usize) -> Option<usize> {
    match given {
        None => Some(most),
        Some(given) => usize::try_from(given).ok().filter(|limit| (1..=most).contains(limit)),
    }
}

/// Returns tags as they are kept.
pub(crate) fn tags(given: Vec<wharf_aws::Tag>) -> Vec<Tag> {
    given.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect()
}

/// Returns tags as they are kept; one without a value has an empty one.
pub(crate) fn loose_tags(given: Vec<LooseTag>) -> Vec<Tag> {
    given.into_iter().map(|tag| Tag { key: tag.key, value: tag.value.unwrap_or_default() }).collect()
}

/// Returns tags as they are shown.
pub(crate) fn shown_tags(tags: &[Tag]) -> Vec<wharf_aws::Tag> {
    tags.iter().map(|tag| wharf_aws::Tag { key: tag.key.clone(), value: tag.value.clone() }).collect()
}

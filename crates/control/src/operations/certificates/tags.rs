//! Tags of certificates.

use super::{Error, get, parse};
use crate::{Control, operations};
use wharf_model::{certificate::Certificate, tag::Tag};

/// Adds tags, or replaces their values.
pub async fn tag(control: &Control, arn: &str, tags: Vec<Tag>) -> Result<(), Error> {
    check(&tags)?;
    change(control, arn, |known| {
        known.retain(|tag| !tags.iter().any(|new| new.key == tag.key));
        known.extend(tags.iter().cloned());
        check(known)
    })
    .await
}

/// Removes tags: those with the key, or with both key and value when a value is given.
pub async fn untag(control: &Control, arn: &str, tags: &[(String, Option<String>)]) -> Result<(), Error> {
    change(control, arn, |known| {
        known.retain(|tag| {
            let named = |(key, value): &(String, Option<String>)| {
                *key == tag.key && value.as_ref().is_none_or(|value| *value == tag.value)
            };
            !tags.iter().any(named)
        });
        Ok(())
    })
    .await
}

/// Checks tags as ECS does: the rules are the same for all services.
pub(super) fn check(tags: &[Tag]) -> Result<(), Error> {
    operations::tags::check(tags).map_err(|error| Error::InvalidTag(error.to_string()))
}

async fn change(
    control: &Control,
    arn: &str,
    change: impl FnOnce(&mut Vec<Tag>) -> Result<(), Error>,
) -> Result<(), Error> {
    let arn = parse(control, arn)?;
    let changed = control.store().update(|draft| {
        let known = get(draft, &arn)?;
        let mut certificate = Certificate::clone(&known);
        change(&mut certificate.tags)?;
        if certificate != *known {
            draft.put(certificate);
        }
        Ok(())
    });
    Ok(changed.await?)
}

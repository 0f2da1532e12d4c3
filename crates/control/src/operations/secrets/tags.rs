//! Tags of secrets.

use super::{Error, usable};
use crate::{Control, operations};
use wharf_model::{secret::Secret, tag::Tag};

/// Adds tags, or replaces their values.
pub async fn tag(control: &Control, secret: &str, tags: Vec<Tag>) -> Result<(), Error> {
    check(&tags)?;
    change(control, secret, |known| {
        known.retain(|tag| !tags.iter().any(|new| new.key == tag.key));
        known.extend(tags.iter().cloned());
        check(known)
    })
    .await
}

/// Removes the tags with these keys.
pub async fn untag(control: &Control, secret: &str, keys: &[String]) -> Result<(), Error> {
    change(control, secret, |known| {
        known.retain(|tag| !keys.contains(&tag.key));
        Ok(())
    })
    .await
}

/// Checks tags as ECS does: the rules are the same for all services.
pub(super) fn check(tags: &[Tag]) -> Result<(), Error> {
    operations::tags::check(tags).map_err(|error| Error::InvalidParameter(error.to_string()))
}

async fn change(
    control: &Control,
    secret: &str,
    change: impl FnOnce(&mut Vec<Tag>) -> Result<(), Error>,
) -> Result<(), Error> {
    let changed = control.store().update(|draft| {
        let known = usable(draft, secret)?;
        let mut secret: Secret = known.clone();
        change(&mut secret.tags)?;
        if secret != known {
            draft.put(secret);
        }
        Ok(())
    });
    Ok(changed.await?)
}

//! Tags of parameters.

use super::{Error, Reference, look_up};
use crate::{Control, operations};
use wharf_model::tag::Tag;

/// Adds tags, or replaces their values.
pub async fn add_tags(control: &Control, given: &str, tags: Vec<Tag>) -> Result<(), Error> {
    check(&tags)?;
    change(control, given, |known| {
        known.retain(|tag| !tags.iter().any(|new| new.key == tag.key));
        known.extend(tags.iter().cloned());
        check(known)
    })
    .await
}

/// Removes the tags with these keys.
pub async fn remove_tags(control: &Control, given: &str, keys: &[String]) -> Result<(), Error> {
    change(control, given, |known| {
        known.retain(|tag| !keys.contains(&tag.key));
        Ok(())
    })
    .await
}

/// Checks tags as ECS does: the rules are the same for all services.
pub(super) fn check(tags: &[Tag]) -> Result<(), Error> {
    operations::tags::check(tags).map_err(|error| Error::Validation(error.to_string()))
}

async fn change(
    control: &Control,
    given: &str,
    change: impl FnOnce(&mut Vec<Tag>) -> Result<(), Error>,
) -> Result<(), Error> {
    let changed = control.store().update(|draft| {
        let known = look_up(draft, given, &Reference::name_of(given));
        let known = known.ok_or_else(|| Error::NotFound(given.to_owned()))?;
        let mut parameter = (*known).clone();
        change(&mut parameter.tags)?;
        if parameter != *known {
            draft.put(parameter);
        }
        Ok(())
    });
    Ok(changed.await?)
}

//! Tags of clusters, services, tasks, task definitions, container instances and capacity providers.

use super::{Error, instances, references};
use crate::Control;
use wharf_model::{
    Arn, ClusterName, Place,
    capacity::CapacityProvider,
    cluster::Cluster,
    instance::ContainerInstance,
    service::{Service, ServiceStatus},
    tag::Tag,
    task::Task,
    task_definition::TaskDefinition,
};
use wharf_store::{Draft, Record};

/// The most tags of a resource, and the longest key and value.
const TAGS_MAX: usize = 50;
const KEY_MAX: usize = 128;
const VALUE_MAX: usize = 256;

/// Checks tags that a caller gives.
pub fn check(tags: &[Tag]) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::invalid(format!("The maximum number of tags is {TAGS_MAX}.")));
    }
    for Tag { key, value } in tags {
        if key.is_empty() || key.chars().count() > KEY_MAX {
            return Err(Error::invalid(format!("The tag key '{key}' must have 1 to {KEY_MAX} characters.")));
        }
        if value.chars().count() > VALUE_MAX {
            return Err(Error::invalid(format!(
                "The value of tag '{key}' is longer than {VALUE_MAX} characters."
            )));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Error::invalid(format!("The tag key '{key}' must not start with 'aws:'.")));
        }
        if tags.iter().filter(|tag| tag.key == *key).count() > 1 {
            return Err(Error::invalid(format!("The tag key '{key}' is given more than once.")));
        }
    }
    Ok(())
}

/// Adds tags to a resource, or replaces their values.
pub async fn add(control: &Control, resource: &str, tags: Vec<Tag>) -> Result<(), Error> {
    check(&tags)?;
    let place = control.config().place.clone();
    let change = |known: &[Tag]| {
        let mut changed: Vec<Tag> =
            known.iter().filter(|tag| !tags.iter().any(|new| new.key == tag.key)).cloned().collect();
        changed.extend(tags.iter().cloned());
        if changed.len() > TAGS_MAX {
            return Err(Error::invalid(format!("The maximum number of tags is {TAGS_MAX}.")));
        }
        Ok(changed)
    };
    control.store().update(|draft| on(draft, &place, resource, change)).await?;
    Ok(())
}

/// Removes the tags with these keys from a resource.
pub async fn remove(control: &Control, resource: &str, keys: &[String]) -> Result<(), Error> {
    let place = control.config().place.clone();
    let change = |known: &[Tag]| Ok(known.iter().filter(|tag| !keys.contains(&tag.key)).cloned().collect());
    control.store().update(|draft| on(draft, &place, resource, change)).await?;
    Ok(())
}

/// Returns a resource's tags.
pub async fn list(control: &Control, resource: &str) -> Result<Vec<Tag>, Error> {
    let place = control.config().place.clone();
    let mut found = Vec::new();
    let look = |known: &[Tag]| {
        found = known.to_vec();
        Ok(known.to_vec())
    };
    control.store().update(|draft| on(draft, &place, resource, look)).await?;
    Ok(found)
}

/// Changes the tags of the resource with this ARN; nothing is written when they stay the same.
fn on(
    draft: &mut Draft<'_>,
    place: &Place,
    resource: &str,
    change: impl FnOnce(&[Tag]) -> Result<Vec<Tag>, Error>,
) -> Result<(), Error> {
    let invalid = || Error::invalid(format!("Invalid resource ARN '{resource}'."));
    let arn: Arn = resource.parse().map_err(|_| invalid())?;
    let kind = arn.resource.split('/').next().unwrap_or_default();
    let cluster = |parts: Option<Vec<&str>>| -> Option<ClusterName> { parts?.first()?.parse().ok() };
    match kind {
        "cluster" => {
            let name = references::cluster(Some(resource), place)?;
            let known = draft.get::<Cluster>(name.as_str()).ok_or(Error::ClusterNotFound)?;
            let tags = change(&known.tags)?;
            put_if_new(draft, &known.tags, &tags, Cluster { tags: tags.clone(), ..(*known).clone() });
        }
        "service" => {
            let cluster = cluster(arn.parts("service")).ok_or_else(invalid)?;
            let name = references::service(resource, &cluster, place)?;
            let known = draft
                .get::<Service>(&format!("{cluster}/{name}"))
                .filter(|service| service.status != ServiceStatus::Inactive)
                .ok_or(Error::ServiceNotFound)?;
            let tags = change(&known.tags)?;
            put_if_new(draft, &known.tags, &tags, Service { tags: tags.clone(), ..(*known).clone() });
        }
        "task" => {
            let cluster = cluster(arn.parts("task")).ok_or_else(invalid)?;
            let id = references::task(resource, &cluster, place).ok_or_else(invalid)?;
            let known = draft
                .get::<Task>(&format!("{cluster}/{id}"))
                .ok_or_else(|| Error::invalid("The referenced task was not found."))?;
            let tags = change(&known.tags)?;
            put_if_new(draft, &known.tags, &tags, Task { tags: tags.clone(), ..(*known).clone() });
        }
        "task-definition" => {
            let revision = references::definition(resource, place).and_then(|named| named.exact());
            let known = revision
                .and_then(|revision| super::task_definitions::get(draft, &revision))
                .ok_or_else(|| Error::invalid("The specified task definition was not found."))?;
            let tags = change(&known.tags)?;
            put_if_new(draft, &known.tags, &tags, TaskDefinition { tags: tags.clone(), ..(*known).clone() });
        }
        "container-instance" => {
            let cluster = cluster(arn.parts("container-instance")).ok_or_else(invalid)?;
            let known = references::instance(resource, &cluster, place)
                .and_then(|id| instances::find(draft, &cluster, &id))
                .ok_or_else(|| Error::invalid("The specified container instance was not found."))?;
            let record = known.record;
            let tags = change(&record.tags)?;
            put_if_new(
                draft,
                &record.tags.clone(),
                &tags,
                ContainerInstance { tags: tags.clone(), version: record.version + 1, ..record },
            );
        }
        "capacity-provider" => {
            let name = arn.parts("capacity-provider").and_then(|parts| parts.first().copied());
            let known = name.and_then(|name| draft.get::<CapacityProvider>(name));
            let known =
                known.ok_or_else(|| Error::invalid("The specified capacity provider was not found."))?;
            let tags = change(&known.tags)?;
            put_if_new(
                draft,
                &known.tags,
                &tags,
                CapacityProvider { tags: tags.clone(), ..(*known).clone() },
            );
        }
        _ => return Err(invalid()),
    }
    Ok(())
}

fn put_if_new<R: Record>(draft: &mut Draft<'_>, known: &[Tag], tags: &[Tag], record: R) {
    if known != tags {
        draft.put(record);
    }
}

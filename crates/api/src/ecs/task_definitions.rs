//! The task definition operations.

mod read;
mod shape;

pub(super) use read::{environment_file, ephemeral_storage};

use super::{given, shown};
use crate::{Caller, Fault};
use std::sync::Arc;
use wharf_aws::ecs::{
    DeleteTaskDefinitionsInput, DeleteTaskDefinitionsOutput, ListTaskDefinitionFamiliesOutput,
    ListTaskDefinitionsInput, ListTaskDefinitionsOutput, NamedTaskDefinitionInput,
    RegisterTaskDefinitionInput, TaskDefinitionOutput,
};
use wharf_control::{
    Control,
    operations::{Error, task_definitions},
};
use wharf_model::task_definition::{TaskDefinition, TaskDefinitionStatus};

pub(super) async fn register(
    control: &Control,
    caller: &Caller,
    input: RegisterTaskDefinitionInput,
) -> Result<TaskDefinitionOutput, Error> {
    let new = read::definition(input, &caller.principal)?;
    let registered = task_definitions::register(control, new).await?;
    let tags = (!registered.tags.is_empty()).then(|| shown::tags(&registered.tags));
    Ok(TaskDefinitionOutput { task_definition: shape::definition(&registered), tags })
}

pub(super) fn describe(
    control: &Control,
    input: &NamedTaskDefinitionInput,
) -> Result<TaskDefinitionOutput, Error> {
    let with_tags = given::includes_tags(&input.include, &[])?;
    let found = task_definitions::describe(control, &input.task_definition)?;
    let tags = Some(if with_tags { shown::tags(&found.tags) } else { Vec::new() });
    Ok(TaskDefinitionOutput { task_definition: shape::definition(&found), tags })
}

pub(super) async fn deregister(
    control: &Control,
    input: NamedTaskDefinitionInput,
) -> Result<TaskDefinitionOutput, Error> {
    let found = task_definitions::deregister(control, &input.task_definition).await?;
    Ok(TaskDefinitionOutput { task_definition: shape::definition(&found), tags: None })
}

pub(super) async fn delete(
    control: &Control,
    input: DeleteTaskDefinitionsInput,
) -> Result<DeleteTaskDefinitionsOutput, Error> {
    if input.task_definitions.is_empty() || input.task_definitions.len() > 10 {
        return Err(Error::invalid("taskDefinitions must have 1 to 10 items."));
    }
    let deleted = task_definitions::delete(control, &input.task_definitions).await?;
    Ok(DeleteTaskDefinitionsOutput {
        task_definitions: deleted.found.iter().map(|found| shape::deleted(found)).collect(),
        failures: shown::failures(deleted.failures),
    })
}

pub(super) fn list(
    control: &Control,
    input: &ListTaskDefinitionsInput,
) -> Result<ListTaskDefinitionsOutput, Fault> {
    let status = match input.status.as_deref() {
        None | Some("ACTIVE") => Some(TaskDefinitionStatus::Active),
        Some("INACTIVE") => Some(TaskDefinitionStatus::Inactive),
        // What is deleted is gone at once.
        Some("DELETE_IN_PROGRESS") => None,
        Some(other) => return Err(Error::invalid(format!("Invalid status '{other}'.")).into()),
    };
    let family = input.family_prefix.as_deref().filter(|family| !family.is_empty());
    let mut found = status.map_or_else(Vec::new, |status| task_definitions::list(control, family, status));
    // Pages go by ascending keys; for the other direction the numbers are counted downwards.
    let ascending =
        |definition: &Arc<TaskDefinition>| format!("{}:{:010}", definition.family, definition.revision);
    let page = match input.sort.as_deref() {
        None | Some("ASC") => {
            given::page(found, ascending, input.next_token.as_deref(), input.max_results, 100)?
        }
        Some("DESC") => {
            found.sort_by_key(|definition| {
                std::cmp::Reverse((definition.family.clone(), definition.revision))
            });
            let places: Vec<(usize, Arc<TaskDefinition>)> = found.into_iter().enumerate().collect();
            let key = |(place, _): &(usize, Arc<TaskDefinition>)| format!("{place:010}");
            let page = given::page(places, key, input.next_token.as_deref(), input.max_results, 100)?;
            let items = page.items.into_iter().map(|(_, definition)| definition).collect();
            wharf_aws::page::Page { items, next: page.next }
        }
        Some(other) => return Err(Error::invalid(format!("Invalid sort '{other}'.")).into()),
    };
    Ok(ListTaskDefinitionsOutput {
        task_definition_arns: page.items.iter().map(|definition| definition.arn.to_string()).collect(),
        next_token: page.next,
    })
}

pub(super) fn families(
    control: &Control,
    input: &ListTaskDefinitionsInput,
) -> Result<ListTaskDefinitionFamiliesOutput, Fault> {
    let wanted = match input.status.as_deref() {
        None | Some("ALL") => None,
        Some("ACTIVE") => Some(true),
        Some("INACTIVE") => Some(false),
        Some(other) => return Err(Error::invalid(format!("Invalid status '{other}'.")).into()),
    };
    let prefix = input.family_prefix.as_deref().unwrap_or("");
    let families = task_definitions::families(control, prefix)
        .into_iter()
        .filter(|(_, active)| wanted.is_none_or(|wanted| wanted == *active))
        .map(|(family, _)| family.to_string());
    let page = given::page(families, String::clone, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(ListTaskDefinitionFamiliesOutput { families: page.items, next_token: page.next })
}

//! Tags of parameters: shapes to model and back.

use wharf_aws::ssm::{ListTagsOutput, Nothing, Tag, TagsInput};
use wharf_control::Control;
use wharf_control::operations::parameters;
use wharf_model::tag;

use super::given::required;
use crate::Fault;

pub(super) async fn add(control: &Control, input: TagsInput) -> Result<Nothing, Fault> {
    let id = resource(input.resource_type.as_deref(), input.resource_id)?;
    let tags = input.tags.into_iter().map(|tag| tag::Tag { key: tag.key, value: tag.value }).collect();
    parameters::add_tags(control, &id, tags).await.map_err(of_resource)?;
    Ok(Nothing {})
}

pub(super) async fn remove(control: &Control, input: TagsInput) -> Result<Nothing, Fault> {
    let id = resource(input.resource_type.as_deref(), input.resource_id)?;
    parameters::remove_tags(control, &id, &input.tag_keys).await.map_err(of_resource)?;
    Ok(Nothing {})
}

pub(super) async fn list(control: &Control, input: TagsInput) -> Result<ListTagsOutput, Fault> {
    let id = resource(input.resource_type.as_deref(), input.resource_id)?;
    let parameter = parameters::describe(control, &id).map_err(of_resource)?;
    let tags = parameter.tags.iter().map(|tag| Tag { key: tag.key.clone(), value: tag.value.clone() });
    Ok(ListTagsOutput { tag_list: tags.collect() })
}

fn resource(kind: Option<&str>, id: Option<String>) -> Result<String, Fault> {
    match required("resourceType", kind)? {
        "Parameter" => required("resourceId", id),
        other => Err(Fault::caller(
            "InvalidResourceType",
            format!("The resource type '{other}' is not supported here; only 'Parameter' is"),
        )),
    }
}

/// These operations say of a parameter that is not there that the resource's id is wrong.
fn of_resource(error: parameters::Error) -> Fault {
    if let parameters::Error::NotFound(id) = error {
        let message = format!("The resource ID \"{id}\" is not valid. Verify the ID and try again.");
        return Fault::caller("InvalidResourceId", message);
    }
    error.into()
}

//! Tags of parameters: shapes to model and back.

use wharf_aws::Empty;
use wharf_aws::ssm::{ListTagsOutput, TagsInput};
use wharf_control::Control;
use wharf_control::operations::parameters;

use super::given::{self, required};
use crate::Fault;

pub(super) async fn add(control: &Control, input: TagsInput) -> Result<Empty, Fault> {
    let id = resource(input.resource_type.as_deref(), input.resource_id)?;
    parameters::add_tags(control, &id, given::tags(input.tags)).await.map_err(of_resource)?;
    Ok(Empty {})
}

pub(super) async fn remove(control: &Control, input: TagsInput) -> Result<Empty, Fault> {
    let id = resource(input.resource_type.as_deref(), input.resource_id)?;
    parameters::remove_tags(control, &id, &input.tag_keys).await.map_err(of_resource)?;
    Ok(Empty {})
}

pub(super) async fn list(control: &Control, input: TagsInput) -> Result<ListTagsOutput, Fault> {
    let id = resource(input.resource_type.as_deref(), input.resource_id)?;
    let parameter = parameters::describe(control, &id).map_err(of_resource)?;
    Ok(ListTagsOutput { tag_list: given::shown_tags(&parameter.tags) })
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

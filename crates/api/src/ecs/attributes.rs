//! The attribute operations.

use super::given;
use crate::Fault;
use wharf_aws::ecs::{Attribute, AttributesInput, AttributesOutput, ListAttributesInput};
use wharf_control::{
    Control,
    operations::{
        Error,
        attributes::{self, Attributed, Filter},
        references,
    },
};
use wharf_model::instance;

/// The most attributes of one request.
const ATTRIBUTES_MAX: usize = 10;
/// The only kind of target there is.
const TARGET: &str = "container-instance";

pub(super) async fn put(control: &Control, input: AttributesInput) -> Result<AttributesOutput, Error> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    let put = attributes::put(control, &cluster, read(input.attributes)?).await?;
    Ok(AttributesOutput { attributes: put.into_iter().map(shape).collect(), next_token: None })
}

pub(super) async fn delete(control: &Control, input: AttributesInput) -> Result<AttributesOutput, Error> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    let deleted = attributes::delete(control, &cluster, read(input.attributes)?).await?;
    Ok(AttributesOutput { attributes: deleted.into_iter().map(shape).collect(), next_token: None })
}

pub(super) fn list(control: &Control, input: ListAttributesInput) -> Result<AttributesOutput, Fault> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    check_type(Some(&input.target_type))?;
    if input.attribute_value.is_some() && input.attribute_name.is_none() {
        return Err(Error::invalid("attributeName must be specified when attributeValue is.").into());
    }
    let filter = Filter { name: input.attribute_name, value: input.attribute_value };
    let found = attributes::list(control, &cluster, &filter)?;
    let key = |found: &Attributed| format!("{} {}", found.target, found.attribute.name);
    let page = given::page(found, key, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(AttributesOutput { attributes: page.items.into_iter().map(shape).collect(), next_token: page.next })
}

fn read(given: Vec<Attribute>) -> Result<Vec<Attributed>, Error> {
    if given.is_empty() || given.len() > ATTRIBUTES_MAX {
        return Err(Error::invalid(format!("attributes must have 1 to {ATTRIBUTES_MAX} items.")));
    }
    let attribute = |given: Attribute| {
        check_type(given.target_type.as_deref())?;
        let target = given.target_id.filter(|target| !target.is_empty());
        let target = target.ok_or_else(|| Error::invalid("targetId must be specified."))?;
        let attribute = instance::Attribute { name: given.name, value: given.value };
        Ok(Attributed { attribute, target })
    };
    given.into_iter().map(attribute).collect()
}

fn check_type(given: Option<&str>) -> Result<(), Error> {
    match given {
        None | Some("" | TARGET) => Ok(()),
        Some(other) => Err(Error::invalid(format!("Invalid targetType '{other}'."))),
    }
}

fn shape(found: Attributed) -> Attribute {
    let instance::Attribute { name, value } = found.attribute;
    let target_type = Some(TARGET.to_owned());
    Attribute { name, value, target_type, target_id: Some(found.target) }
}

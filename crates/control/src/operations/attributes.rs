//! Custom attributes of container instances.

use super::{Error, clusters, instances, references};
use crate::Control;
use wharf_model::{ClusterName, instance::Attribute};

/// The longest name and value.
const LENGTH_MAX: usize = 128;

/// An attribute and the instance it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributed {
    /// The attribute.
    pub attribute: Attribute,
    /// The instance, as it was given or as its ARN.
    pub target: String,
}

/// Which attributes are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those of this name.
    pub name: Option<String>,
    /// Those of this value.
    pub value: Option<String>,
}

/// Checks an attribute that a caller gives.
pub(super) fn check(attribute: &Attribute) -> Result<(), Error> {
    let Attribute { name, value } = attribute;
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "-_./\\".contains(letter);
    if name.is_empty() || name.len() > LENGTH_MAX || !name.chars().all(letters) {
        return Err(Error::invalid(format!(
            "Invalid attribute name '{name}': 1 to {LENGTH_MAX} letters, numbers, hyphens, underscores, slashes and \
             periods."
        )));
    }
    let Some(value) = value else { return Ok(()) };
    let valid = value.chars().all(|letter| letters(letter) || "@: ".contains(letter));
    if value.len() > LENGTH_MAX || !valid || value.starts_with(' ') || value.ends_with(' ') {
        return Err(Error::invalid(format!("Invalid value '{value}' of attribute '{name}'.")));
    }
    Ok(())
}

/// Gives instances attributes, or changes their values.
pub async fn put(
    control: &Control,
    cluster: &ClusterName,
    given: Vec<Attributed>,
) -> Result<Vec<Attributed>, Error> {
    given.iter().try_for_each(|given| check(&given.attribute))?;
    change(control, cluster, given, |attributes, attribute| {
        match attributes.iter_mut().find(|known| known.name == attribute.name) {
            Some(known) => known.value.clone_from(&attribute.value),
            None => attributes.push(attribute.clone()),
        }
        Ok(())
    })
    .await
}

/// Takes attributes from instances. One that an instance does not have is no error.
pub async fn delete(
    control: &Control,
    cluster: &ClusterName,
    given: Vec<Attributed>,
) -> Result<Vec<Attributed>, Error> {
    change(control, cluster, given, |attributes, attribute| {
        attributes.retain(|known| known.name != attribute.name);
        Ok(())
    })
    .await
}

/// Lists attributes, built-in ones included, by instance and name.
pub fn list(control: &Control, cluster: &ClusterName, filter: &Filter) -> Result<Vec<Attributed>, Error> {
    let place = &control.config().place;
    let view = control.store().view();
    clusters::active(&view, cluster)?;
    let instances = instances::of_cluster(&view, cluster);
    let found = instances.iter().flat_map(|instance| {
        let target = instances::arn(place, cluster, &instance.record.id).to_string();
        let attributes = instance.attributes(place).into_iter();
        attributes.map(move |(name, value)| Attributed {
            attribute: Attribute { name, value },
            target: target.clone(),
        })
    });
    let passes = |found: &Attributed| {
        filter.name.as_ref().is_none_or(|name| found.attribute.name == *name)
            && (filter.value.is_none() || found.attribute.value == filter.value)
    };
    Ok(found.filter(passes).collect())
}

async fn change(
    control: &Control,
    cluster: &ClusterName,
    given: Vec<Attributed>,
    change: impl Fn(&mut Vec<Attribute>, &Attribute) -> Result<(), Error>,
) -> Result<Vec<Attributed>, Error> {
    let place = control.config().place.clone();
    let changed = control
        .store()
        .update(|draft| {
            clusters::active(draft, cluster)?;
            let mut changed = Vec::new();
            for Attributed { attribute, target } in given {
                let not_found = || Error::TargetNotFound(target.clone());
                let instance = references::instance(&target, cluster, &place)
                    .and_then(|id| instances::find(draft, cluster, &id))
                    .ok_or_else(not_found)?;
                let mut record = instance.record.clone();
                change(&mut record.attributes, &attribute)?;
                if record.attributes.len() > instances::ATTRIBUTES_MAX {
                    return Err(Error::AttributeLimit);
                }
                let target = instances::arn(&place, cluster, &record.id).to_string();
                if record != instance.record {
                    record.version += 1;
                    draft.put(record);
                }
                changed.push(Attributed { attribute, target });
            }
            Ok::<_, Error>(changed)
        })
        .await?;
    Ok(changed)
}

//! What a caller may write for a cluster, service, task or definition: a short name, or an ARN.

use super::Error;
use wharf_model::{Arn, ClusterName, Family, NodeId, Place, ServiceName, TaskId, task_definition::Revision};

/// Returns the cluster that is meant; `default` when none was named.
pub fn cluster(given: Option<&str>, place: &Place) -> Result<ClusterName, Error> {
    let given = given.filter(|given| !given.is_empty()).unwrap_or("default");
    let name = match arn(given, place)? {
        Some(arn) => arn.parts("cluster").and_then(|parts| single(&parts)),
        None => Some(given.to_owned()),
    };
    name.and_then(|name| name.parse().ok())
        .ok_or_else(|| Error::invalid(format!("Invalid identifier: {given}")))
}

/// Returns the service that is meant. An ARN must be of this cluster.
pub fn service(given: &str, cluster: &ClusterName, place: &Place) -> Result<ServiceName, Error> {
    let name = match arn(given, place)? {
        Some(arn) => arn.parts("service").and_then(|parts| in_cluster(&parts, cluster)),
        None => Some(given.to_owned()),
    };
    name.and_then(|name| name.parse().ok()).ok_or(Error::ServiceNotFound)
}

/// Returns the task that is meant, if it can be one of this cluster.
pub fn task(given: &str, cluster: &ClusterName, place: &Place) -> Option<TaskId> {
    match arn(given, place).ok()? {
        Some(arn) => in_cluster(&arn.parts("task")?, cluster)?.parse().ok(),
        None => given.parse().ok(),
    }
}

/// Returns the container instance that is meant, if it can be one of this cluster.
pub fn instance(given: &str, cluster: &ClusterName, place: &Place) -> Option<NodeId> {
    match arn(given, place).ok()? {
        Some(arn) => in_cluster(&arn.parts("container-instance")?, cluster)?.parse().ok(),
        None => given.parse().ok(),
    }
}

/// A task definition as it may be named: the latest active revision of a family, or one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionRef {
    /// The family.
    pub family: Family,
    /// The revision, when one is named.
    pub revision: Option<u32>,
}

impl DefinitionRef {
    /// Returns the revision that is named, if one is.
    pub fn exact(&self) -> Option<Revision> {
        Some(Revision { family: self.family.clone(), revision: self.revision? })
    }
}

/// Returns the task definition that is meant, if it has the form of one.
pub fn definition(given: &str, place: &Place) -> Option<DefinitionRef> {
    let named = match arn(given, place).ok()? {
        Some(arn) => single(&arn.parts("task-definition")?)?,
        None => given.to_owned(),
    };
    let (family, revision) = match named.split_once(':') {
        Some((family, revision)) => (family, Some(revision.parse().ok().filter(|number| *number > 0)?)),
        None => (named.as_str(), None),
    };
    Some(DefinitionRef { family: family.parse().ok()?, revision })
}

/// Takes an ARN apart if it is one; those of other accounts are refused.
fn arn(given: &str, place: &Place) -> Result<Option<Arn>, Error> {
    if !given.starts_with("arn:") {
        return Ok(None);
    }
    let arn: Arn = given.parse().map_err(|_| Error::invalid("The ARN provided is invalid."))?;
    if arn.service != "ecs" {
        return Err(Error::invalid("The ARN provided is invalid."));
    }
    if arn.account != place.account {
        return Err(Error::invalid(format!(
            "Identifier is for {}. Your accountId is {}",
            arn.account, place.account
        )));
    }
    Ok(Some(arn))
}

fn single(parts: &[&str]) -> Option<String> {
    match parts {
        [name] => Some((*name).to_owned()),
        _ => None,
    }
}

/// Returns the last part of `cluster/name`; the old form without a cluster is taken too.
fn in_cluster(parts: &[&str], cluster: &ClusterName) -> Option<String> {
    match parts {
        [name] => Some((*name).to_owned()),
        [of, name] if *of == cluster.as_str() => Some((*name).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

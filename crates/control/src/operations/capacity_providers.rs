//! Capacity providers, and which of them a cluster's tasks are placed by.

use super::{Described, Error, Failure, clusters, tags};
use crate::{Control, look::Look};
use std::sync::Arc;
use wharf_model::{
    Arn, ClusterName, Place,
    capacity::{CapacityProvider, FARGATE, FARGATE_SPOT, StrategyItem, group_name, is_fargate},
    cluster::{Cluster, ClusterStatus},
    service::{Service, ServiceStatus},
    tag::Tag,
    task::{Task, TaskStatus},
    task_definition::LaunchType,
};
use wharf_plan::capacity;

const NAME_MAX: usize = 255;
const PER_CLUSTER_MAX: usize = 20;
const NOT_FOUND: &str =
    "The specified capacity provider was not found. Specify a valid name or ARN and try again.";

/// A capacity provider, built in or made by a caller.
#[derive(Debug, Clone)]
pub enum Provider {
    /// `FARGATE` or `FARGATE_SPOT`, with its ARN.
    BuiltIn(&'static str, Arn),
    /// One over a group of instances.
    Group(Arc<CapacityProvider>),
}

/// What tasks are to be placed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capacity {
    /// The cluster's default strategy; container instances if it has none.
    Unsaid,
    /// A launch type.
    Launch(LaunchType),
    /// Capacity providers.
    Strategy(Vec<StrategyItem>),
}

/// What tasks are placed by. With a strategy, the launch type is what its providers have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) launch_type: LaunchType,
    pub(crate) strategy: Vec<StrategyItem>,
}

/// Makes a capacity provider over an auto scaling group.
pub async fn create(control: &Control, name: &str, group: Arn, given: Vec<Tag>) -> Result<Provider, Error> {
    let (place, now) = (control.config().place.clone(), control.now());
    check_name(name)?;
    tags::check(&given)?;
    let made = control
        .store()
        .update(|draft| {
            if draft.get::<CapacityProvider>(name).is_some() {
                return Err(Error::invalid(format!(
                    "The specified capacity provider name '{name}' is already in use."
                )));
            }
            let known = draft.list::<CapacityProvider>("");
            if let Some(known) = known.iter().find(|known| known.group_name() == group_name(&group)) {
                return Err(Error::invalid(format!(
                    "The specified Auto Scaling group ARN is already being used by capacity provider {}. Specify a \
                     unique Auto Scaling group ARN and try again.",
                    known.name
                )));
            }
            let provider = CapacityProvider {
                name: name.to_owned(),
                arn: arn(&place, name),
                group,
                updated: false,
                tags: given,
                created_at: now,
            };
            draft.put(provider.clone());
            Ok(Provider::Group(Arc::new(provider)))
        })
        .await?;
    Ok(made)
}

/// Says that a capacity provider's settings were changed to what they are.
pub async fn update(control: &Control, given: &str) -> Result<Provider, Error> {
    let place = control.config().place.clone();
    let updated = control
        .store()
        .update(|draft| {
            let known = named(given, &place).and_then(|name| draft.get::<CapacityProvider>(&name));
            let known = known.ok_or_else(|| Error::client(NOT_FOUND))?;
            let provider = CapacityProvider { updated: true, ..(*known).clone() };
            draft.put(provider.clone());
            Ok::<_, Error>(Provider::Group(Arc::new(provider)))
        })
        .await?;
    Ok(updated)
}

/// Deletes a capacity provider that no cluster uses.
pub async fn delete(control: &Control, given: &str) -> Result<Provider, Error> {
    let place = control.config().place.clone();
    let deleted = control
        .store()
        .update(|draft| {
            let name = named(given, &place).ok_or_else(|| Error::client(NOT_FOUND))?;
            if is_fargate(&name) {
                return Err(Error::client(
                    "The specified capacity provider is reserved and cannot be deleted.",
                ));
            }
            let known = draft.get::<CapacityProvider>(&name).ok_or_else(|| Error::client(NOT_FOUND))?;
            let clusters = draft.list::<Cluster>("");
            let uses = |cluster: &&Arc<Cluster>| {
                cluster.status == ClusterStatus::Active && cluster.capacity_providers.contains(&name)
            };
            if let Some(cluster) = clusters.iter().find(uses) {
                return Err(Error::client(format!(
                    "The capacity provider cannot be deleted because it is associated with cluster: {}. Remove the \
                     capacity provider from the cluster and try again.",
                    cluster.name
                )));
            }
            draft.delete::<CapacityProvider>(&name);
            Ok(Provider::Group(known))
        })
        .await?;
    Ok(deleted)
}

/// Describes capacity providers; all of them, or all of a cluster, when none is named.
pub fn describe(
    control: &Control,
    given: &[String],
    cluster: Option<&ClusterName>,
) -> Result<Described<Provider>, Error> {
    let place = &control.config().place;
    let view = control.store().view();
    let of_cluster = match cluster {
        Some(cluster) => Some(clusters::active(&view, cluster)?.capacity_providers.clone()),
        None => None,
    };
    if given.is_empty() {
        let mut all = vec![built_in(FARGATE, place), built_in(FARGATE_SPOT, place)];
        all.extend(view.list::<CapacityProvider>("").into_iter().map(Provider::Group));
        all.retain(|provider| of_cluster.as_ref().is_none_or(|names| names.contains(&name(provider))));
        return Ok(Described { found: all, failures: Vec::new() });
    }
    let found = given.iter().map(|given| {
        let missing = || match given.starts_with("arn:") {
            true => Failure::missing(given),
            false => Failure::missing(arn(place, given)),
        };
        find(&view, place, given)
            .filter(|provider| of_cluster.as_ref().is_none_or(|names| names.contains(&name(provider))))
            .ok_or_else(missing)
    });
    Ok(found.collect())
}

/// Sets the capacity providers of a cluster, and the strategy for those who say nothing.
pub async fn put_for_cluster(
    control: &Control,
    cluster: &ClusterName,
    providers: &[String],
    default_strategy: Vec<StrategyItem>,
) -> Result<clusters::ClusterSummary, Error> {
    let place = control.config().place.clone();
    let changed = control
        .store()
        .update(|draft| {
            let known = clusters::active(draft, cluster)?;
            let (names, strategy) = associated(draft, &place, providers, default_strategy)?;
            for gone in known.capacity_providers.iter().filter(|name| !names.contains(name)) {
                if in_use(draft, cluster, gone) {
                    return Err(Error::ResourceInUse(
                        "The specified capacity provider is in use and cannot be removed.".to_owned(),
                    ));
                }
            }
            let changed =
                Cluster { capacity_providers: names, default_strategy: strategy, ..(*known).clone() };
            if changed != *known {
                draft.put(changed.clone());
            }
            Ok(clusters::summary(draft, Arc::new(changed)))
        })
        .await?;
    Ok(changed)
}

/// Checks what a cluster's tasks are to be placed by; returns the names and the strategy with names.
pub(super) fn associated(
    look: &impl Look,
    place: &Place,
    providers: &[String],
    strategy: Vec<StrategyItem>,
) -> Result<(Vec<String>, Vec<StrategyItem>), Error> {
    if providers.len() > PER_CLUSTER_MAX {
        return Err(Error::invalid(format!("capacityProviders can have at most {PER_CLUSTER_MAX} items.")));
    }
    let mut names = Vec::new();
    for given in providers {
        let found = find(look, place, given).ok_or_else(|| Error::invalid(NOT_FOUND))?;
        if names.contains(&name(&found)) {
            return Err(Error::invalid(format!("The capacity provider '{given}' is given more than once.")));
        }
        names.push(name(&found));
    }
    Ok((names.clone(), checked(look, place, &names, strategy)?))
}

/// Returns what tasks of a cluster are placed by.
pub(crate) fn choose(
    look: &impl Look,
    place: &Place,
    cluster: &Cluster,
    capacity: &Capacity,
) -> Result<Chosen, Error> {
    let strategy = match capacity {
        Capacity::Launch(launch_type) => {
            return Ok(Chosen { launch_type: *launch_type, strategy: Vec::new() });
        }
        Capacity::Unsaid => cluster.default_strategy.clone(),
        Capacity::Strategy(strategy) => checked(look, place, &cluster.capacity_providers, strategy.clone())?,
    };
    let fargate = strategy.first().is_some_and(|item| is_fargate(&item.provider));
    let launch_type = if fargate { LaunchType::Fargate } else { LaunchType::Ec2 };
    Ok(Chosen { launch_type, strategy })
}

/// Returns a provider.
pub(crate) fn find(look: &impl Look, place: &Place, given: &str) -> Option<Provider> {
    match named(given, place)?.as_str() {
        FARGATE => Some(built_in(FARGATE, place)),
        FARGATE_SPOT => Some(built_in(FARGATE_SPOT, place)),
        name => look.get::<CapacityProvider>(name).map(Provider::Group),
    }
}

/// Returns a provider's name.
pub fn name(provider: &Provider) -> String {
    match provider {
        Provider::BuiltIn(name, _) => (*name).to_owned(),
        Provider::Group(provider) => provider.name.clone(),
    }
}

fn checked(
    look: &impl Look,
    place: &Place,
    associated: &[String],
    strategy: Vec<StrategyItem>,
) -> Result<Vec<StrategyItem>, Error> {
    let mut checked = Vec::new();
    for item in strategy {
        let found = find(look, place, &item.provider).ok_or_else(|| Error::invalid(NOT_FOUND))?;
        let provider = name(&found);
        if !associated.contains(&provider) {
            return Err(Error::invalid(
                "The specified capacity provider strategy cannot contain a capacity provider that is not associated \
                 with the cluster. Associate the capacity provider with the cluster and try again.",
            ));
        }
        checked.push(StrategyItem { provider, ..item });
    }
    capacity::check(&checked).map_err(|error| Error::invalid(error.to_string()))?;
    Ok(checked)
}

fn in_use(look: &impl Look, cluster: &ClusterName, provider: &str) -> bool {
    let prefix = format!("{cluster}/");
    let by_service = look.list::<Service>(&prefix).iter().any(|service| {
        service.status != ServiceStatus::Inactive
            && service.strategy.iter().any(|item| item.provider == provider)
    });
    by_service
        || look.list::<Task>(&prefix).iter().any(|task| {
            task.last_status != TaskStatus::Stopped && task.capacity_provider.as_deref() == Some(provider)
        })
}

fn built_in(name: &'static str, place: &Place) -> Provider {
    Provider::BuiltIn(name, arn(place, name))
}

fn arn(place: &Place, name: &str) -> Arn {
    place.arn("ecs", format_args!("capacity-provider/{name}"))
}

/// Returns the name that is meant by a name or an ARN.
fn named(given: &str, place: &Place) -> Option<String> {
    if !given.starts_with("arn:") {
        return Some(given.to_owned());
    }
    let arn: Arn = given.parse().ok()?;
    let parts = arn.parts("capacity-provider").filter(|_| arn.account == place.account)?;
    Some((*parts.first()?).to_owned())
}

fn check_name(name: &str) -> Result<(), Error> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let lower = name.to_ascii_lowercase();
    let reserved = ["aws", "ecs", "fargate"].iter().any(|prefix| lower.starts_with(prefix));
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(letters) || reserved {
        return Err(Error::invalid(
            "The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters \
             (upper and lowercase), numbers, underscores (_), and hyphens (-). The name cannot be prefixed with \
             \"aws\", \"ecs\", or \"fargate\".",
        ));
    }
    Ok(())
}

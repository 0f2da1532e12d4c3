//! From what callers write to the model's values: each rule of writing once.

use crate::Fault;
use wharf_aws::{
    ecs::{self, Others},
    page::{self, Page},
};
use wharf_control::operations::{Error, capacity_providers::Capacity, tags};
use wharf_model::{
    CpuUnits, Mebibytes,
    capacity::StrategyItem,
    placement::{Constraint, Resource, SpreadBy, Strategy},
    service::{AwsvpcConfiguration, PropagateTags},
    tag::Tag,
    task_definition::LaunchType,
};

#[cfg(test)]
mod tests;

/// Refuses the members of an input that ask for something this version does not do.
pub(super) fn refuse(others: &Others, of: &str, members: &[(&'static str, &str)]) -> Result<(), Error> {
    match others.first_asked_for(members) {
        Some(member) => Err(unsupported(member, of)),
        None => Ok(()),
    }
}

/// Returns the error of a member that this version does not honour.
pub(super) fn unsupported(member: &str, of: &str) -> Error {
    Error::invalid(format!("not supported by this version of Wharf: '{member}'{of}"))
}

/// Returns a number that AWS writes as a signed integer.
pub(super) fn count(given: i32, member: &str) -> Result<u32, Error> {
    u32::try_from(given).map_err(|_| Error::invalid(format!("{member} must not be negative.")))
}

/// Returns a port.
pub(super) fn port(given: Option<i32>, member: &str) -> Result<u16, Error> {
    let port = given.and_then(|given| u16::try_from(given).ok()).filter(|port| *port > 0);
    port.ok_or_else(|| Error::invalid(format!("{member} must be between 1 and 65535.")))
}

/// Where AWS sends whoever gave a size that there is not.
const SIZES: &str =
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";

/// Returns CPU units written as a number of units or of `vCPU`.
pub(super) fn cpu(given: &str) -> Result<CpuUnits, Error> {
    let invalid = || Error::client(format!("Invalid 'cpu' setting for task: '{given}'. {SIZES}"));
    amount(given, &["vcpu"], 1024).map(CpuUnits).ok_or_else(invalid)
}

/// Returns mebibytes written as a number of them or of `GB`.
pub(super) fn memory(given: &str) -> Result<Mebibytes, Error> {
    let invalid = || Error::client(format!("Invalid 'memory' setting for task: '{given}'. {SIZES}"));
    amount(given, &["gb", "g"], 1024).map(Mebibytes).ok_or_else(invalid)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn amount(given: &str, units: &[&str], times: u32) -> Option<u32> {
    let given = given.trim().to_ascii_lowercase();
    let with_unit = units.iter().find_map(|unit| given.strip_suffix(unit));
    let amount = match with_unit {
        Some(number) => {
            let scaled = number.trim().parse::<f64>().ok()? * f64::from(times);
            let whole = scaled.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&scaled);
            whole.then_some(scaled as u32)?
        }
        None => given.parse().ok()?,
    };
    (amount > 0).then_some(amount)
}

/// Returns a launch type; EC2 when none was given, as on AWS.
pub(super) fn launch_type(given: Option<&str>) -> Result<LaunchType, Error> {
    match given {
        None | Some("EC2") => Ok(LaunchType::Ec2),
        Some("FARGATE") => Ok(LaunchType::Fargate),
        Some(other @ ("EXTERNAL" | "MANAGED_INSTANCES")) => {
            Err(unsupported("launchType", &format!(" {other}")))
        }
        Some(other) => Err(Error::invalid(format!("Invalid launchType '{other}'."))),
    }
}

/// Returns what tasks are placed by.
pub(super) fn capacity(
    launch_type: Option<&str>,
    strategy: &[ecs::CapacityProviderStrategyItem],
) -> Result<Capacity, Error> {
    match (launch_type, strategy) {
        (Some(_), [_, ..]) => {
            Err(Error::invalid("Specify either Launch Type or Capacity Provider Strategy, but not both."))
        }
        (Some(given), []) => Ok(Capacity::Launch(self::launch_type(Some(given))?)),
        (None, []) => Ok(Capacity::Unsaid),
        (None, given) => Ok(Capacity::Strategy(self::strategy(given)?)),
    }
}

/// Returns a capacity provider strategy.
pub(super) fn strategy(given: &[ecs::CapacityProviderStrategyItem]) -> Result<Vec<StrategyItem>, Error> {
    let item = |given: &ecs::CapacityProviderStrategyItem| {
        if given.capacity_provider.is_empty() {
            return Err(Error::invalid(
                "capacityProvider must be specified in a capacity provider strategy.",
            ));
        }
        Ok(StrategyItem {
            provider: given.capacity_provider.clone(),
            base: count(given.base, "base of a capacity provider strategy")?,
            weight: count(given.weight, "weight of a capacity provider strategy")?,
        })
    };
    given.iter().map(item).collect()
}

/// Returns placement constraints.
pub(super) fn constraints(given: &[ecs::PlacementConstraint]) -> Result<Vec<Constraint>, Error> {
    let constraint = |given: &ecs::PlacementConstraint| {
        let expression = given.expression.as_deref().unwrap_or("");
        match given.r#type.as_deref() {
            Some("distinctInstance") if expression.is_empty() => Ok(Constraint::DistinctInstance),
            Some("distinctInstance") => {
                Err(Error::invalid("An expression cannot be specified with the distinctInstance constraint."))
            }
            Some("memberOf") => Ok(Constraint::MemberOf(expression.to_owned())),
            other => {
                let given = other.unwrap_or("");
                Err(Error::invalid(format!("Invalid placement constraint type '{given}'.")))
            }
        }
    };
    given.iter().map(constraint).collect()
}

/// Returns placement strategies.
pub(super) fn placement_strategies(given: &[ecs::PlacementStrategy]) -> Result<Vec<Strategy>, Error> {
    let strategy = |given: &ecs::PlacementStrategy| {
        let field = given.field.as_deref().unwrap_or("");
        let invalid = || Error::invalid(format!("Invalid field '{field}' of a placement strategy."));
        match given.r#type.as_deref() {
            Some("random") if field.is_empty() => Ok(Strategy::Random),
            Some("random") => Err(invalid()),
            Some("binpack") if field.eq_ignore_ascii_case("cpu") => Ok(Strategy::Binpack(Resource::Cpu)),
            Some("binpack") if field.eq_ignore_ascii_case("memory") => {
                Ok(Strategy::Binpack(Resource::Memory))
            }
            Some("binpack") => Err(invalid()),
            Some("spread") if field == "instanceId" || field == "host" => {
                Ok(Strategy::Spread(SpreadBy::Instance))
            }
            Some("spread") => match field.strip_prefix("attribute:").filter(|name| !name.is_empty()) {
                Some(name) => Ok(Strategy::Spread(SpreadBy::Attribute(name.to_owned()))),
                None => Err(invalid()),
            },
            other => {
                let given = other.unwrap_or("");
                Err(Error::invalid(format!("Invalid placement strategy type '{given}'.")))
            }
        }
    };
    given.iter().map(strategy).collect()
}

/// Checks a caller's own reference, which nobody but its audit trail shows.
pub(super) fn reference_id(given: Option<&str>) -> Result<(), Error> {
    match given {
        Some(given) if given.chars().count() > 1024 => {
            Err(Error::invalid("referenceId can have at most 1024 characters."))
        }
        _ => Ok(()),
    }
}

/// Checks a platform version: there is one.
pub(super) fn platform_version(given: Option<&str>, capacity: &Capacity) -> Result<(), Error> {
    match (given.filter(|given| !given.is_empty()), capacity) {
        (None, _) => Ok(()),
        (Some(_), Capacity::Launch(LaunchType::Ec2)) => {
            Err(Error::invalid("The platform version must be null when specifying an EC2 launch type."))
        }
        (Some("LATEST" | "1.4.0"), _) => Ok(()),
        (Some(_), _) => Err(Error::invalid("The specified platform does not exist.")),
    }
}

/// Returns where interfaces are made.
pub(super) fn network(
    given: Option<&ecs::NetworkConfiguration>,
) -> Result<Option<AwsvpcConfiguration>, Error> {
    let Some(given) = given.and_then(|given| given.awsvpc_configuration.as_ref()) else { return Ok(None) };
    let subnet = |id: &String| {
        id.parse().map_err(|_| {
            Error::invalid(format!(
                "Error retrieving subnet information for [{id}]: The subnet ID '{id}' does not exist (ErrorCode: \
                 InvalidSubnetID.NotFound)"
            ))
        })
    };
    let group = |id: &String| {
        id.parse().map_err(|_| {
            Error::invalid(format!(
                "Error retrieving security group information for [{id}]: The security group '{id}' does not exist \
                 (ErrorCode: InvalidGroup.NotFound)"
            ))
        })
    };
    let assign_public_ip = match given.assign_public_ip.as_deref() {
        None | Some("" | "DISABLED") => false,
        Some("ENABLED") => true,
        Some(other) => return Err(Error::invalid(format!("Invalid assignPublicIp '{other}'."))),
    };
    Ok(Some(AwsvpcConfiguration {
        subnets: given.subnets.iter().map(subnet).collect::<Result<_, _>>()?,
        security_groups: given.security_groups.iter().map(group).collect::<Result<_, _>>()?,
        assign_public_ip,
    }))
}

/// Returns from where tasks take their tags.
pub(super) fn propagate_tags(given: Option<&str>) -> Result<PropagateTags, Error> {
    match given {
        None | Some("" | "NONE") => Ok(PropagateTags::None),
        Some("SERVICE") => Ok(PropagateTags::Service),
        Some("TASK_DEFINITION") => Ok(PropagateTags::TaskDefinition),
        Some(other) => Err(Error::invalid(format!("Invalid propagateTags '{other}'."))),
    }
}

/// Returns tags.
pub(super) fn tags(given: Vec<ecs::Tag>) -> Result<Vec<Tag>, Error> {
    let tags: Vec<Tag> = given.into_iter().map(|ecs::Tag { key, value }| Tag { key, value }).collect();
    tags::check(&tags)?;
    Ok(tags)
}

/// Returns whether tags are asked for; anything else that is asked for has to be known.
pub(super) fn includes_tags(include: &[String], known: &[&str]) -> Result<bool, Error> {
    match include.iter().find(|given| given.as_str() != "TAGS" && !known.contains(&given.as_str())) {
        Some(unknown) => Err(Error::invalid(format!("Invalid value '{unknown}' in include."))),
        None => Ok(include.iter().any(|given| given == "TAGS")),
    }
}

/// Returns one page of a listing of at most 100 items.
pub(super) fn page<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    token: Option<&str>,
    max_results: Option<i32>,
    default: usize,
) -> Result<Page<T>, Fault> {
    let limit = match max_results {
        None => default,
        Some(given @ 1..=100) => usize::try_from(given).unwrap_or(default),
        Some(_) => return Err(Error::invalid("maxResults must be between 1 and 100.").into()),
    };
    page::page(items, key, token, limit)
        .map_err(|_| Error::invalid("Invalid token. The nextToken is not one that was returned.").into())
}

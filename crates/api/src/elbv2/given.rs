//! Members as callers give them, checked and turned into values.

use std::net::Ipv4Addr;
use std::str::FromStr;

use wharf_aws::elbv2::Target;
use wharf_model::Arn;

use crate::Fault;
pub(super) use crate::given::loose_tags as tags;

/// The largest page, which is also the default.
const PAGE_SIZE_MAX: usize = 400;

/// Returns the fault of a value that is not allowed.
pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("ValidationError", message)
}

/// Returns a member that has to be there.
pub(super) fn required<T>(member: &str, given: Option<T>) -> Result<T, Fault> {
    given.ok_or_else(|| invalid(format!("{member} must be specified")))
}

/// Returns the fault of a member, or of a value of it, that is not served here.
pub(super) fn unsupported(member: &str, given: &str, instead: &str) -> Fault {
    invalid(format!("{member} '{given}' is not supported here; {instead}"))
}

/// Refuses a member that is not served here if it is given.
pub(super) fn absent<T>(member: &str, given: Option<&T>) -> Result<(), Fault> {
    match given {
        Some(_) => Err(invalid(format!("{member} is not supported here; leave it out"))),
        None => Ok(()),
    }
}

/// Refuses every value of a member but one, which is also its default.
pub(super) fn only(member: &str, given: Option<&str>, allowed: &str) -> Result<(), Fault> {
    match given {
        Some(other) if other != allowed => Err(unsupported(member, other, &format!("only '{allowed}' is"))),
        Some(_) | None => Ok(()),
    }
}

/// Returns the ARN of a `kind` of resource; `what` names it in words.
pub(super) fn arn(kind: &str, what: &str, given: &str) -> Result<Arn, Fault> {
    let parsed = given.parse::<Arn>().ok();
    parsed
        .filter(|arn| arn.service == "elasticloadbalancing" && arn.parts(kind).is_some())
        .ok_or_else(|| invalid(format!("'{given}' is not a valid {what} ARN")))
}

pub(super) fn load_balancer(given: Option<String>) -> Result<Arn, Fault> {
    arn("loadbalancer", "load balancer", &required("LoadBalancerArn", given)?)
}

pub(super) fn target_group(given: Option<String>) -> Result<Arn, Fault> {
    arn("targetgroup", "target group", &required("TargetGroupArn", given)?)
}

pub(super) fn listener(given: Option<String>) -> Result<Arn, Fault> {
    arn("listener", "listener", &required("ListenerArn", given)?)
}

pub(super) fn rule(given: Option<String>) -> Result<Arn, Fault> {
    arn("listener-rule", "listener rule", &required("RuleArn", given)?)
}

/// Returns an id, or `fault` of what was given.
pub(super) fn id<T: FromStr>(given: &str, fault: impl FnOnce(&str) -> Fault) -> Result<T, Fault> {
    given.parse().map_err(|_| fault(given))
}

/// Returns a number that fits its type.
pub(super) fn number<T: TryFrom<i64>>(member: &str, given: i64) -> Result<T, Fault> {
    T::try_from(given).map_err(|_| invalid(format!("{member} '{given}' is out of range")))
}

/// Returns a target's address and port.
pub(super) fn target(given: &Target) -> Result<(Ipv4Addr, Option<u16>), Fault> {
    let bad = || Fault::caller("InvalidTarget", format!("'{}' is not an IPv4 address", given.id));
    let ip = given.id.parse().map_err(|_| bad())?;
    let port: Option<u16> = given.port.map(|port| number("Targets.Port", port)).transpose()?;
    if port == Some(0) {
        return Err(invalid("Targets.Port '0' must be between 1 and 65535"));
    }
    Ok((ip, port))
}

/// Returns the size of a page.
pub(super) fn page_size(given: Option<i64>) -> Result<usize, Fault> {
    match given {
        None => Ok(PAGE_SIZE_MAX),
        Some(size @ 1..=400) => number("PageSize", size),
        Some(size) => Err(invalid(format!("PageSize '{size}' must be between 1 and 400"))),
    }
}

/// Returns a page of items, which are in the order of their keys.
pub(super) fn page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    marker: Option<&str>,
    size: Option<i64>,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let page = wharf_aws::page::page(items, key, marker, page_size(size)?)
        .map_err(|_| invalid("The Marker is not valid"))?;
    Ok((page.items, page.next))
}

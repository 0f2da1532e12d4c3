//! What callers write: ids, blocks, tags of what is being made, and what is refused by its name.

use std::net::Ipv4Addr;
use std::str::FromStr;

use wharf_aws::ec2::TagSpecification;
use wharf_control::operations::networks::Kind;
use wharf_model::network::Cidr;
use wharf_model::tag::Tag;

use super::fault;
use crate::Fault;

/// Returns an id of a kind.
pub(super) fn id<T: FromStr>(kind: Kind, given: &str) -> Result<T, Fault> {
    let (prefix, code) = fault::malformed(kind);
    if given.is_empty() {
        return Err(missing(&format!("{}Id", kind_name(kind))));
    }
    given
        .parse()
        .map_err(|_| Fault::caller(code, format!("Invalid id: \"{given}\" (expecting \"{prefix}-...\")")))
}

/// Returns the ids that were given, each well formed and there.
pub(super) fn ids<T: FromStr + AsRef<str>>(
    kind: Kind,
    given: &[String],
    exists: impl Fn(&str) -> bool,
) -> Result<Vec<T>, Fault> {
    let one = |given: &String| {
        let id: T = self::id(kind, given)?;
        if exists(id.as_ref()) { Ok(id) } else { Err(not_found(kind, given)) }
    };
    given.iter().map(one).collect()
}

/// Returns the fault of an id that names nothing.
pub(super) fn not_found(kind: Kind, given: &str) -> Fault {
    let message = format!("The {} '{given}' does not exist", kind.name());
    Fault::caller(fault::not_found(kind), message)
}

/// Returns the fault of a parameter that has to be there.
pub(super) fn missing(name: &str) -> Fault {
    Fault::caller("MissingParameter", format!("The request must contain the parameter {name}"))
}

/// Returns the fault of a parameter that makes no sense.
pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::caller("InvalidParameterValue", message)
}

/// Refuses a parameter that this version does not support, by its name, when it was given.
pub(super) fn refuse(given: bool, name: &str) -> Result<(), Fault> {
    if given {
        return Err(Fault::caller("UnsupportedOperation", format!("The parameter {name} is not supported.")));
    }
    Ok(())
}

/// Returns a block; host bits are set to zero, as EC2 does.
pub(super) fn cidr(given: &str, parameter: &str) -> Result<Cidr, Fault> {
    let parse = || {
        let (address, prefix) = given.split_once('/')?;
        Cidr::around(address.parse::<Ipv4Addr>().ok()?, prefix.parse().ok()?)
    };
    parse().ok_or_else(|| {
        invalid(format!(
            "Value ({given}) for parameter {parameter} is invalid. This is not a valid CIDR block."
        ))
    })
}

/// Returns the tags of what is being made; every specification must be for its kind.
pub(super) fn tags(given: &[TagSpecification], kind: &str) -> Result<Vec<Tag>, Fault> {
    let mut tags = Vec::new();
    for TagSpecification { resource_type, tag } in given {
        if resource_type != kind {
            return Err(invalid(format!(
                "'{resource_type}' is not a valid taggable resource type for this operation."
            )));
        }
        tags.extend(tag.iter().map(|tag| Tag { key: tag.key.clone(), value: tag.value.clone() }));
    }
    Ok(tags)
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Vpc => "Vpc",
        Kind::Subnet => "Subnet",
        Kind::SecurityGroup => "Group",
        Kind::SecurityGroupRule => "SecurityGroupRule",
        Kind::PrefixList => "PrefixList",
        Kind::InternetGateway => "InternetGateway",
        Kind::RouteTable => "RouteTable",
        Kind::RouteTableAssociation => "Association",
        Kind::NatGateway => "NatGateway",
        Kind::Allocation => "Allocation",
        Kind::NetworkInterface => "NetworkInterface",
        Kind::FlowLog => "FlowLog",
    }
}

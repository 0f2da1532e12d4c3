//! Names and ids, checked once and then a type.

use crate::word::{parsed, shared};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};
use thiserror::Error;

/// A name that does not have the shape its kind asks for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalid {kind}: '{given}'")]
pub struct InvalidName {
    /// What the name was meant to be, in words.
    pub kind: &'static str,
    /// What was given.
    pub given: String,
}

/// Those that many records say are `shared`; an `own` one names a single thing.
macro_rules! name {
    ($(#[$doc:meta])* shared $type:ident, $kind:literal, $valid:expr) => {
        name!($(#[$doc])* $type, $kind, $valid, shared);
    };
    ($(#[$doc:meta])* own $type:ident, $kind:literal, $valid:expr) => {
        name!($(#[$doc])* $type, $kind, $valid, Arc::from);
    };
    ($(#[$doc:meta])* $type:ident, $kind:literal, $valid:expr, $keep:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(given: &str) -> Result<Self, InvalidName> {
                let valid: fn(&str) -> bool = $valid;
                if valid(given) {
                    Ok(Self($keep(given)))
                } else {
                    Err(InvalidName { kind: $kind, given: given.to_owned() })
                }
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;

            fn try_from(given: String) -> Result<Self, InvalidName> {
                given.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0.as_ref().to_owned()
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                parsed(from)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// Letters, digits, `-` and `_`, at most `max` of them: ECS's rule for clusters, families and services.
fn plain(given: &str, max: usize) -> bool {
    !given.is_empty()
        && given.len() <= max
        && given.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn lower_hex(given: &str, length: usize) -> bool {
    given.len() == length && given.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `<prefix>-` and 17 hexadecimal digits (8 for ids as old as EC2 itself).
fn ec2_id(given: &str, prefix: &str) -> bool {
    given
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|digits| lower_hex(digits, 17) || lower_hex(digits, 8))
}

name!(/// A cluster's name.
    shared ClusterName, "cluster name", |given| plain(given, 255));
name!(/// A task definition's family.
    shared Family, "task definition family", |given| plain(given, 255));
name!(/// A service's name.
    shared ServiceName, "service name", |given| plain(given, 255));
name!(/// A task's id: 32 hexadecimal digits.
    own TaskId, "task id", |given| lower_hex(given, 32));
name!(/// A deployment's id: `ecs-svc/` and 19 digits.
    shared DeploymentId, "deployment id", |given| given
        .strip_prefix("ecs-svc/")
        .is_some_and(|digits| digits.len() == 19 && digits.bytes().all(|byte| byte.is_ascii_digit())));
name!(/// A node's id, which is also its container instance's: 32 hexadecimal digits.
    shared NodeId, "node id", |given| lower_hex(given, 32));
name!(/// A VPC's id.
    shared VpcId, "VPC id", |given| ec2_id(given, "vpc"));
name!(/// A subnet's id.
    shared SubnetId, "subnet id", |given| ec2_id(given, "subnet"));
name!(/// A security group's id.
    shared SecurityGroupId, "security group id", |given| ec2_id(given, "sg"));
name!(/// A network interface's id.
    own EniId, "network interface id", |given| ec2_id(given, "eni"));
name!(/// A security group rule's id.
    own SecurityGroupRuleId, "security group rule id", |given| ec2_id(given, "sgr"));
name!(/// A managed prefix list's id.
    own PrefixListId, "prefix list id", |given| ec2_id(given, "pl"));
name!(/// An internet gateway's id.
    own InternetGatewayId, "internet gateway id", |given| ec2_id(given, "igw"));
name!(/// A NAT gateway's id.
    own NatGatewayId, "NAT gateway id", |given| ec2_id(given, "nat"));
name!(/// A flow log's id.
    own FlowLogId, "flow log id", |given| ec2_id(given, "fl"));
name!(/// A route table's id.
    own RouteTableId, "route table id", |given| ec2_id(given, "rtb"));
name!(/// The id of a route table's association with a subnet, or with its VPC as the main table.
    own RouteTableAssociationId, "route table association id", |given| ec2_id(given, "rtbassoc"));
name!(/// An Elastic IP address's allocation id.
    own AllocationId, "allocation id", |given| ec2_id(given, "eipalloc"));
name!(/// An image repository's name, as ECR allows it.
own RepositoryName, "repository name", |given| {
    let part = |part: &str| {
        let edge = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        edge(part.bytes().next())
            && edge(part.bytes().last())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
    };
    (2..=256).contains(&given.len()) && given.split('/').all(part)
});

#[cfg(test)]
mod tests;

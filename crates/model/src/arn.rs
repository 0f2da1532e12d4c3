//! Amazon Resource Names: built by `Display`, taken apart by `FromStr`, nowhere else.

use crate::{
    name::InvalidName,
    word::{Word, parsed},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// The region and account that a Wharf stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The region, such as `us-east-1`.
    pub region: String,
    /// The account: twelve digits.
    pub account: String,
}

impl Place {
    /// Returns the ARN of `resource` (such as `cluster/web`) in `service` (such as `ecs`) at this place.
    pub fn arn(&self, service: &str, resource: impl fmt::Display) -> Arn {
        Arn {
            partition: "aws".into(),
            service: service.into(),
            region: self.region.as_str().into(),
            account: self.account.as_str().into(),
            resource: resource.to_string(),
        }
    }
}

/// An ARN, `arn:partition:service:region:account:resource`; the resource may itself contain colons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    /// `aws` and its siblings.
    pub partition: Word,
    /// The service's namespace, such as `ecs`.
    pub service: Word,
    /// The region; empty for global services.
    pub region: Word,
    /// The account; empty for some services.
    pub account: Word,
    /// What is named, such as `task/web/0123…`.
    pub resource: String,
}

impl Arn {
    /// Returns the parts of a resource written `kind/name/…`, when it is of this kind.
    pub fn parts(&self, kind: &str) -> Option<Vec<&str>> {
        let rest = self.resource.strip_prefix(kind)?;
        let rest = rest.strip_prefix(['/', ':'])?;
        Some(rest.split('/').collect())
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Arn { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl FromStr for Arn {
    type Err = InvalidName;

    fn from_str(given: &str) -> Result<Arn, InvalidName> {
        let mut parts = given.splitn(6, ':');
        let mut part = || parts.next();
        match (part(), part(), part(), part(), part(), part()) {
            (Some(arn), Some(partition), Some(service), Some(region), Some(account), Some(resource))
                if arn == "arn" && !partition.is_empty() && !service.is_empty() && !resource.is_empty() =>
            {
                Ok(Arn {
                    partition: partition.into(),
                    service: service.into(),
                    region: region.into(),
                    account: account.into(),
                    resource: resource.to_owned(),
                })
            }
            _ => Err(InvalidName { kind: "ARN", given: given.to_owned() }),
        }
    }
}

impl TryFrom<String> for Arn {
    type Error = InvalidName;

    fn try_from(given: String) -> Result<Arn, InvalidName> {
        given.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> String {
        arn.to_string()
    }
}

impl Serialize for Arn {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Arn {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Arn, D::Error> {
        parsed(from)
    }
}

#[cfg(test)]
mod tests;

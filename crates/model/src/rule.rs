//! A listener's rules: which requests they are for, what is done with those, and how they are rewritten first.

use crate::{Arn, Timestamp, name::InvalidName, routing::Action, tag::Tag};
use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// A rule. The rule with the lowest priority whose conditions all hold decides; without one the listener does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its ARN.
    pub arn: Arn,
    /// The load balancer.
    pub load_balancer: Arn,
    /// The listener.
    pub listener: Arn,
    /// Its place among the listener's rules, 1 to 50,000.
    pub priority: u32,
    /// What must hold of a request, all of it.
    pub conditions: Vec<Condition>,
    /// What is done with a request.
    pub action: Action,
    /// How a request is rewritten before it goes to a target.
    pub transforms: Vec<Transform>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// What must hold of a request; one of the values is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// Its host, without the port, in any case.
    HostHeader(Patterns),
    /// Its path, case and all.
    PathPattern(Patterns),
    /// One of its headers, in any case.
    HttpHeader {
        /// The header's name.
        name: String,
        /// What it may be.
        patterns: Patterns,
    },
    /// Its method, case and all.
    HttpRequestMethod(Vec<String>),
    /// One of the pairs of its query, in any case.
    QueryString(Vec<QueryPattern>),
    /// The address of who connected.
    SourceIp(Vec<Block>),
}

/// Patterns of one of two kinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Patterns {
    /// `*` stands for any number of characters, `?` for one, and a backslash takes that from the next.
    Wildcards(Vec<String>),
    /// Regular expressions.
    Regexes(Vec<String>),
}

impl Condition {
    /// Returns the name that the API uses for what it looks at.
    pub fn field(&self) -> &'static str {
        match self {
            Condition::HostHeader(_) => "host-header",
            Condition::PathPattern(_) => "path-pattern",
            Condition::HttpHeader { .. } => "http-header",
            Condition::HttpRequestMethod(_) => "http-request-method",
            Condition::QueryString(_) => "query-string",
            Condition::SourceIp(_) => "source-ip",
        }
    }
}

impl Patterns {
    /// Returns the patterns, of whatever kind.
    pub fn values(&self) -> &[String] {
        match self {
            Patterns::Wildcards(values) | Patterns::Regexes(values) => values,
        }
    }
}

/// A pair of a query; without a key, the value of any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryPattern {
    /// The key, which may have wildcards.
    pub key: Option<String>,
    /// The value, which may have wildcards.
    pub value: String,
}

/// How a part of a request is rewritten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transform {
    /// The part.
    pub part: RewrittenPart,
    /// A regular expression; a part that it does not match stays as it is.
    pub regex: String,
    /// What stands in place of the match; `$1` is what the first group matched.
    pub replace: String,
}

/// What can be rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RewrittenPart {
    /// The `Host` header.
    HostHeader,
    /// The path with the query.
    Url,
}

/// Compiles a regular expression of a rule. As with AWS there is no look-around and no Unicode class.
pub fn expression(text: &str, any_case: bool) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).unicode(false).case_insensitive(any_case).size_limit(1 << 20).build()
}

/// A block of addresses of either family, `address/prefix`; host bits are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Block {
    address: IpAddr,
    prefix: u8,
}

impl Block {
    /// Returns whether an address lies in the block.
    pub fn contains(&self, address: IpAddr) -> bool {
        let prefix = u32::from(self.prefix);
        match (self.address, address) {
            (IpAddr::V4(block), IpAddr::V4(address)) => {
                let differ = block.to_bits() ^ address.to_bits();
                differ.checked_shr(32 - prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(block), IpAddr::V6(address)) => {
                let differ = block.to_bits() ^ address.to_bits();
                differ.checked_shr(128 - prefix).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Block {
    type Err = InvalidName;

    fn from_str(given: &str) -> Result<Block, InvalidName> {
        let invalid = || InvalidName { kind: "CIDR block", given: given.to_owned() };
        let (address, prefix) = given.split_once('/').ok_or_else(invalid)?;
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let prefix: u8 = prefix.parse().map_err(|_| invalid())?;
        let zero_host_bits = match address {
            IpAddr::V4(address) => {
                prefix <= 32 && address.to_bits().checked_shl(u32::from(prefix)).unwrap_or(0) == 0
            }
            IpAddr::V6(address) => {
                prefix <= 128 && address.to_bits().checked_shl(u32::from(prefix)).unwrap_or(0) == 0
            }
        };
        if zero_host_bits { Ok(Block { address, prefix }) } else { Err(invalid()) }
    }
}

impl TryFrom<String> for Block {
    type Error = InvalidName;

    fn try_from(given: String) -> Result<Block, InvalidName> {
        given.parse()
    }
}

impl From<Block> for String {
    fn from(block: Block) -> String {
        block.to_string()
    }
}

#[cfg(test)]
mod tests;

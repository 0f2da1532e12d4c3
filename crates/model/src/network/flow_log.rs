//! Flow logs: whose traffic is written down, and how.

use crate::{Arn, EniId, FlowLogId, SubnetId, Timestamp, VpcId, tag::Tag};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A flow log. Its records go to a log group, to a stream for each interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLog {
    /// Its id.
    pub id: FlowLogId,
    /// Whose traffic.
    pub resource: FlowLogResource,
    /// Which traffic.
    pub traffic: TrafficType,
    /// The log group's name.
    pub group: String,
    /// The role that delivers on AWS.
    pub role: Arn,
    /// The longest time that a record sums up, in seconds.
    pub interval_secs: u32,
    /// What a record says.
    pub format: FlowFormat,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl FlowLog {
    /// Returns whether the traffic of an interface belongs to this log.
    pub fn covers(&self, interface: &EniId, subnet: &SubnetId, vpc: &VpcId) -> bool {
        match &self.resource {
            FlowLogResource::Vpc(id) => id == vpc,
            FlowLogResource::Subnet(id) => id == subnet,
            FlowLogResource::Interface(id) => id == interface,
        }
    }

    /// Returns the name of an interface's stream.
    pub fn stream(&self, interface: &EniId) -> String {
        let traffic = match self.traffic {
            TrafficType::Accept => "accept",
            TrafficType::Reject => "reject",
            TrafficType::All => "all",
        };
        format!("{interface}-{traffic}")
    }
}

/// Whose traffic a flow log is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowLogResource {
    /// That of every interface of a VPC.
    Vpc(VpcId),
    /// That of every interface of a subnet.
    Subnet(SubnetId),
    /// That of one interface.
    Interface(EniId),
}

impl fmt::Display for FlowLogResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlowLogResource::Vpc(id) => id.fmt(f),
            FlowLogResource::Subnet(id) => id.fmt(f),
            FlowLogResource::Interface(id) => id.fmt(f),
        }
    }
}

/// Which traffic a flow log is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrafficType {
    /// What was let through.
    Accept,
    /// What was refused.
    Reject,
    /// Both.
    All,
}

/// A field of a record: those of version 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowField {
    /// The format's version.
    Version,
    /// The account.
    AccountId,
    /// The interface.
    InterfaceId,
    /// Who sent.
    SrcAddr,
    /// Who was sent to.
    DstAddr,
    /// The port of who sent.
    SrcPort,
    /// The port of who was sent to.
    DstPort,
    /// The protocol's number.
    Protocol,
    /// The packets.
    Packets,
    /// Their bytes.
    Bytes,
    /// When the first came.
    Start,
    /// When the last came.
    End,
    /// `ACCEPT` or `REJECT`.
    Action,
    /// `OK`, `NODATA` or `SKIPDATA`.
    LogStatus,
}

impl FlowField {
    /// Every field in the order of the default format.
    pub const ALL: [FlowField; 14] = [
        FlowField::Version,
        FlowField::AccountId,
        FlowField::InterfaceId,
        FlowField::SrcAddr,
        FlowField::DstAddr,
        FlowField::SrcPort,
        FlowField::DstPort,
        FlowField::Protocol,
        FlowField::Packets,
        FlowField::Bytes,
        FlowField::Start,
        FlowField::End,
        FlowField::Action,
        FlowField::LogStatus,
    ];

    /// Returns its name in a format.
    pub fn name(self) -> &'static str {
        match self {
            FlowField::Version => "version",
            FlowField::AccountId => "account-id",
            FlowField::InterfaceId => "interface-id",
            FlowField::SrcAddr => "srcaddr",
            FlowField::DstAddr => "dstaddr",
            FlowField::SrcPort => "srcport",
            FlowField::DstPort => "dstport",
            FlowField::Protocol => "protocol",
            FlowField::Packets => "packets",
            FlowField::Bytes => "bytes",
            FlowField::Start => "start",
            FlowField::End => "end",
            FlowField::Action => "action",
            FlowField::LogStatus => "log-status",
        }
    }
}

/// What a record says: `${field}`s with one space between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FlowFormat(Vec<FlowField>);

/// Why a text is no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFormat {
    /// It is not made of `${field}`s with one space between them.
    #[error("it is not made of fields ${{field}} with one space between them")]
    Shape,
    /// A field that is not one of version 2.
    #[error("the field {0} is not supported")]
    Field(String),
}

impl FlowFormat {
    /// Returns its fields.
    pub fn fields(&self) -> &[FlowField] {
        &self.0
    }
}

impl Default for FlowFormat {
    fn default() -> FlowFormat {
        FlowFormat(FlowField::ALL.to_vec())
    }
}

impl fmt::Display for FlowFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<String> = self.0.iter().map(|field| format!("${{{}}}", field.name())).collect();
        f.write_str(&fields.join(" "))
    }
}

impl FromStr for FlowFormat {
    type Err = InvalidFormat;

    fn from_str(given: &str) -> Result<FlowFormat, InvalidFormat> {
        let mut fields = Vec::new();
        for word in given.split(' ') {
            let name = word.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            let name = name
                .filter(|name| !name.is_empty() && !name.contains(['$', '{', '}']))
                .ok_or(InvalidFormat::Shape)?;
            let field = FlowField::ALL.into_iter().find(|field| field.name() == name);
            fields.push(field.ok_or_else(|| InvalidFormat::Field(name.to_owned()))?);
        }
        Ok(FlowFormat(fields))
    }
}

impl TryFrom<String> for FlowFormat {
    type Error = InvalidFormat;

    fn try_from(given: String) -> Result<FlowFormat, InvalidFormat> {
        given.parse()
    }
}

impl From<FlowFormat> for String {
    fn from(format: FlowFormat) -> String {
        format.to_string()
    }
}

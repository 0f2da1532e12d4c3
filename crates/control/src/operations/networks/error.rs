//! Why an operation on networks is refused. The words are EC2's own where those are known.

use crate::operations::interfaces;
use thiserror::Error;
use wharf_model::{
    AllocationId, InternetGatewayId, RouteTableAssociationId, RouteTableId, SecurityGroupId, VpcId,
    network::Cidr,
};
use wharf_store::{StoreError, UpdateError};

/// Kinds of things that ids name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A VPC.
    Vpc,
    /// A subnet.
    Subnet,
    /// A security group.
    SecurityGroup,
    /// A security group's rule.
    SecurityGroupRule,
    /// A managed prefix list.
    PrefixList,
    /// An internet gateway.
    InternetGateway,
    /// A route table.
    RouteTable,
    /// A route table's association.
    RouteTableAssociation,
    /// A NAT gateway.
    NatGateway,
    /// An Elastic IP address.
    Allocation,
    /// A network interface.
    NetworkInterface,
    /// A flow log.
    FlowLog,
}

impl Kind {
    /// Returns what EC2 calls it in messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Vpc => "vpc ID",
            Kind::Subnet => "subnet ID",
            Kind::SecurityGroup => "security group",
            Kind::SecurityGroupRule => "security group rule ID",
            Kind::PrefixList => "prefix list ID",
            Kind::InternetGateway => "internetGateway ID",
            Kind::RouteTable => "routeTable ID",
            Kind::RouteTableAssociation => "association ID",
            Kind::NatGateway => "NatGateway",
            Kind::Allocation => "allocation ID",
            Kind::NetworkInterface => "networkInterface ID",
            Kind::FlowLog => "flow log ID",
        }
    }
}

/// Why an operation is refused.
#[derive(Debug, Error)]
pub enum Error {
    /// An id names nothing.
    #[error("The {} '{id}' does not exist", .kind.name())]
    NotFound { kind: Kind, id: String },
    /// An id of no kind that can be tagged.
    #[error("The ID '{0}' is not valid")]
    InvalidId(String),
    /// Something else still needs it.
    #[error("{0}")]
    InUse(String),
    /// A parameter that makes no sense, or that this version does not support.
    #[error("{0}")]
    InvalidParameter(String),
    /// Parameters that exclude each other.
    #[error("{0}")]
    InvalidCombination(String),
    /// A parameter that has to be there is not.
    #[error("The request must contain the parameter {0}")]
    Missing(&'static str),
    /// A block that no VPC can have.
    #[error("The CIDR '{0}' is invalid.")]
    VpcRange(Cidr),
    /// A block that no subnet of this VPC can have.
    #[error("The CIDR '{0}' is invalid.")]
    SubnetRange(Cidr),
    /// Another subnet has these addresses.
    #[error("The CIDR '{0}' conflicts with another subnet")]
    SubnetConflict(Cidr),
    /// There is a default VPC.
    #[error("A Default VPC already exists for this account in this region.")]
    DefaultVpcExists,
    /// A VPC's group has this name.
    #[error("The security group '{name}' already exists for VPC '{vpc}'")]
    DuplicateGroup { name: String, vpc: VpcId },
    /// A default group cannot be deleted.
    #[error("the specified group: \"{0}\" name: \"default\" cannot be deleted by a user")]
    DefaultGroup(SecurityGroupId),
    /// The group has this rule.
    #[error("the specified rule \"{0}\" already exists")]
    DuplicateRule(String),
    /// The group has no such rule.
    #[error("The specified rule does not exist in this security group.")]
    RuleNotFound,
    /// Ports or types that do not belong together.
    #[error("{0}")]
    MalformedRule(String),
    /// No more rules fit.
    #[error("The maximum number of rules per security group has been reached.")]
    RulesExhausted,
    /// The gateway is not attached there.
    #[error("resource {gateway} is not attached to network {vpc}")]
    NotAttached { gateway: InternetGatewayId, vpc: VpcId },
    /// It is attached or associated already.
    #[error("{0}")]
    AlreadyAssociated(String),
    /// The table has a route for this destination.
    #[error("The route identified by {0} already exists.")]
    RouteExists(Cidr),
    /// The table has no route for this destination.
    #[error("no route with destination-cidr-block {destination} in route table {table}")]
    RouteNotFound { destination: Cidr, table: RouteTableId },
    /// A main table stays associated with its VPC.
    #[error("cannot disassociate the main route table association {0}")]
    MainAssociation(RouteTableAssociationId),
    /// An Elastic IP address is associated.
    #[error("Address {0} is in use.")]
    AddressInUse(AllocationId),
    /// The resource has a flow log to this log group.
    #[error("Error. There is an existing Flow Log with the same configuration and log destination.")]
    FlowLogExists,
    /// Ids that name no flow log.
    #[error("These flow log ids in the input list are not found: [TotalCount: {}] {}", .0.len(), .0.join(", "))]
    FlowLogsNotFound(Vec<String>),
    /// A token was used before for another request.
    #[error("The client token was used before with different parameters.")]
    TokenReused,
    /// An interface cannot be made.
    #[error(transparent)]
    Interface(#[from] interfaces::Error),
    /// The state file cannot take the change.
    #[error("use the state file")]
    Store(#[from] StoreError),
}

impl Error {
    /// Returns the error of an id that names nothing.
    pub fn missing(kind: Kind, id: impl ToString) -> Error {
        Error::NotFound { kind, id: id.to_string() }
    }

    /// Returns the error of a parameter.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::InvalidParameter(message.into())
    }
}

impl From<UpdateError<Error>> for Error {
    fn from(error: UpdateError<Error>) -> Error {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::Store(error) => Error::Store(error),
        }
    }
}

//! What is said of a refusal: EC2's codes.

use wharf_control::operations::interfaces;
use wharf_control::operations::networks::{Error, Kind};

use crate::Fault;

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match &error {
            Error::NotFound { kind, .. } => not_found(*kind),
            Error::InvalidId(_) => "InvalidID",
            Error::InUse(_) => "DependencyViolation",
            Error::InvalidParameter(_) => "InvalidParameterValue",
            Error::InvalidCombination(_) => "InvalidParameterCombination",
            Error::Missing(_) => "MissingParameter",
            Error::VpcRange(_) => "InvalidVpc.Range",
            Error::SubnetRange(_) => "InvalidSubnet.Range",
            Error::SubnetConflict(_) => "InvalidSubnet.Conflict",
            Error::DefaultVpcExists => "DefaultVpcAlreadyExists",
            Error::DuplicateGroup { .. } => "InvalidGroup.Duplicate",
            Error::DefaultGroup(_) => "CannotDelete",
            Error::DuplicateRule(_) => "InvalidPermission.Duplicate",
            Error::RuleNotFound => "InvalidPermission.NotFound",
            Error::MalformedRule(_) => "InvalidPermission.Malformed",
            Error::RulesExhausted => "RulesPerSecurityGroupLimitExceeded",
            Error::NotAttached { .. } => "Gateway.NotAttached",
            Error::AlreadyAssociated(_) => "Resource.AlreadyAssociated",
            Error::RouteExists(_) => "RouteAlreadyExists",
            Error::RouteNotFound { .. } => "InvalidRoute.NotFound",
            Error::MainAssociation(_) => "InvalidParameterValue",
            Error::AddressInUse(_) => "InvalidIPAddress.InUse",
            Error::FlowLogExists => "FlowLogAlreadyExists",
            Error::FlowLogsNotFound(_) => not_found(Kind::FlowLog),
            Error::TokenReused => "IdempotentParameterMismatch",
            Error::Interface(error) => match error {
                interfaces::Error::SubnetNotFound(_) => not_found(Kind::Subnet),
                interfaces::Error::SubnetsExhausted(_) => "InsufficientFreeAddressesInSubnet",
                interfaces::Error::SubnetOverlaps { .. } => "InvalidSubnet.Conflict",
                interfaces::Error::PublicExhausted(_) => "AddressLimitExceeded",
            },
            Error::Store(error) => return Fault::store(error),
        };
        Fault::caller(code, error.to_string())
    }
}

/// Returns the code of an id that names nothing.
pub(super) fn not_found(kind: Kind) -> &'static str {
    match kind {
        Kind::Vpc => "InvalidVpcID.NotFound",
        Kind::Subnet => "InvalidSubnetID.NotFound",
        Kind::SecurityGroup => "InvalidGroup.NotFound",
        Kind::SecurityGroupRule => "InvalidSecurityGroupRuleId.NotFound",
        Kind::PrefixList => "InvalidPrefixListID.NotFound",
        Kind::InternetGateway => "InvalidInternetGatewayID.NotFound",
        Kind::RouteTable => "InvalidRouteTableID.NotFound",
        Kind::RouteTableAssociation => "InvalidAssociationID.NotFound",
        Kind::NatGateway => "NatGatewayNotFound",
        Kind::Allocation => "InvalidAllocationID.NotFound",
        Kind::NetworkInterface => "InvalidNetworkInterfaceID.NotFound",
        Kind::FlowLog => "InvalidFlowLogId.NotFound",
    }
}

/// Returns what ids of a kind begin with, and the code of a text that is none.
pub(super) fn malformed(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Vpc => ("vpc", "InvalidVpcID.Malformed"),
        Kind::Subnet => ("subnet", "InvalidSubnetID.Malformed"),
        Kind::SecurityGroup => ("sg", "InvalidGroupId.Malformed"),
        Kind::SecurityGroupRule => ("sgr", "InvalidSecurityGroupRuleId.Malformed"),
        Kind::PrefixList => ("pl", "InvalidPrefixListID.Malformed"),
        Kind::InternetGateway => ("igw", "InvalidInternetGatewayId.Malformed"),
        Kind::RouteTable => ("rtb", "InvalidRouteTableId.Malformed"),
        Kind::RouteTableAssociation => ("rtbassoc", "InvalidAssociationID.Malformed"),
        Kind::NatGateway => ("nat", "NatGatewayMalformed"),
        Kind::Allocation => ("eipalloc", "InvalidAllocationID.Malformed"),
        Kind::NetworkInterface => ("eni", "InvalidNetworkInterfaceId.Malformed"),
        Kind::FlowLog => ("fl", "InvalidParameterValue"),
    }
}

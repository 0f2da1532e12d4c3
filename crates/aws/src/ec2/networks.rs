//! VPCs, subnets, security groups and zones.

use super::Tag;
use serde::Serialize;

/// Output of DescribeVpcs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeVpcsOutput {
    pub vpc_set: Vec<Vpc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A VPC.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vpc {
    pub vpc_id: String,
    pub owner_id: String,
    pub state: &'static str,
    pub cidr_block: String,
    pub cidr_block_association_set: Vec<CidrAssociation>,
    pub dhcp_options_id: &'static str,
    pub instance_tenancy: &'static str,
    pub is_default: bool,
    pub tag_set: Vec<Tag>,
}

/// A block of a VPC.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CidrAssociation {
    pub association_id: String,
    pub cidr_block: String,
    pub cidr_block_state: State,
}

/// A state in an element of its own.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    pub state: &'static str,
}

/// Output of DescribeSubnets.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeSubnetsOutput {
    pub subnet_set: Vec<Subnet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A subnet.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    pub subnet_id: String,
    pub subnet_arn: String,
    pub state: &'static str,
    pub owner_id: String,
    pub vpc_id: String,
    pub cidr_block: String,
    pub ipv6_cidr_block_association_set: Vec<()>,
    pub available_ip_address_count: u32,
    pub availability_zone: String,
    pub availability_zone_id: String,
    pub default_for_az: bool,
    pub map_public_ip_on_launch: bool,
    pub map_customer_owned_ip_on_launch: bool,
    pub assign_ipv6_address_on_creation: bool,
    pub enable_dns64: bool,
    pub ipv6_native: bool,
    pub tag_set: Vec<Tag>,
}

/// Output of DescribeSecurityGroups.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeSecurityGroupsOutput {
    pub security_group_info: Vec<SecurityGroup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A security group.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroup {
    pub group_id: String,
    pub group_name: String,
    pub group_description: String,
    pub owner_id: String,
    pub vpc_id: String,
    pub security_group_arn: String,
    pub ip_permissions: Vec<IpPermission>,
    pub ip_permissions_egress: Vec<IpPermission>,
    pub tag_set: Vec<Tag>,
}

/// Traffic that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IpPermission {
    pub ip_protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_port: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_port: Option<i64>,
    pub groups: Vec<UserIdGroupPair>,
    pub ip_ranges: Vec<IpRange>,
    pub ipv6_ranges: Vec<()>,
    pub prefix_list_ids: Vec<()>,
}

/// A security group on the other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdGroupPair {
    pub user_id: String,
    pub group_id: String,
}

/// Addresses on the other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IpRange {
    pub cidr_ip: String,
}

/// Output of DescribeAvailabilityZones.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeAvailabilityZonesOutput {
    pub availability_zone_info: Vec<AvailabilityZone>,
}

/// An availability zone.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AvailabilityZone {
    pub zone_name: String,
    pub zone_id: String,
    pub zone_state: &'static str,
    pub region_name: String,
    pub group_name: String,
    pub network_border_group: String,
    pub opt_in_status: &'static str,
    pub zone_type: &'static str,
    pub message_set: Vec<()>,
}

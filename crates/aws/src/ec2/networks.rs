//! VPCs, subnets, and zones, regions and the account.

use super::{Tag, TagSpecification};
use serde::{Deserialize, Serialize};

/// A boolean in an element of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct AttributeBoolean {
    pub value: bool,
}

/// Input of CreateVpc.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateVpcInput {
    pub cidr_block: Option<String>,
    pub instance_tenancy: Option<String>,
    pub amazon_provided_ipv6_cidr_block: bool,
    pub ipv6_cidr_block: Option<String>,
    pub ipv6_pool: Option<String>,
    pub ipv4_ipam_pool_id: Option<String>,
    pub ipv6_ipam_pool_id: Option<String>,
    pub tag_specification: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// Output of CreateVpc and CreateDefaultVpc.
#[derive(Debug, Clone, Serialize)]
pub struct VpcOutput {
    pub vpc: Vpc,
}

/// Input of operations that name a VPC.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct VpcInput {
    pub vpc_id: String,
    pub attribute: String,
    pub dry_run: bool,
}

/// Output of DescribeVpcAttribute.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VpcAttributeOutput {
    pub vpc_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_dns_support: Option<AttributeBoolean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_dns_hostnames: Option<AttributeBoolean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_network_address_usage_metrics: Option<AttributeBoolean>,
}

/// Input of ModifyVpcAttribute.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ModifyVpcAttributeInput {
    pub vpc_id: String,
    pub enable_dns_support: Option<AttributeBoolean>,
    pub enable_dns_hostnames: Option<AttributeBoolean>,
    pub enable_network_address_usage_metrics: Option<AttributeBoolean>,
}

/// Input of CreateSubnet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateSubnetInput {
    pub vpc_id: String,
    pub cidr_block: Option<String>,
    pub availability_zone: Option<String>,
    pub availability_zone_id: Option<String>,
    pub ipv6_cidr_block: Option<String>,
    pub ipv6_native: bool,
    pub outpost_arn: Option<String>,
    pub ipv4_ipam_pool_id: Option<String>,
    pub ipv6_ipam_pool_id: Option<String>,
    pub tag_specification: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// Output of CreateSubnet.
#[derive(Debug, Clone, Serialize)]
pub struct SubnetOutput {
    pub subnet: Subnet,
}

/// Input of operations that name a subnet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SubnetInput {
    pub subnet_id: String,
    pub dry_run: bool,
}

/// Input of ModifySubnetAttribute; one attribute at a time.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ModifySubnetAttributeInput {
    pub subnet_id: String,
    pub map_public_ip_on_launch: Option<AttributeBoolean>,
    pub assign_ipv6_address_on_creation: Option<AttributeBoolean>,
    pub map_customer_owned_ip_on_launch: Option<AttributeBoolean>,
    pub customer_owned_ipv4_pool: Option<String>,
    pub enable_dns64: Option<AttributeBoolean>,
    pub private_dns_hostname_type_on_launch: Option<String>,
    pub enable_resource_name_dns_a_record_on_launch: Option<AttributeBoolean>,
    #[serde(rename = "EnableResourceNameDnsAAAARecordOnLaunch")]
    pub enable_resource_name_dns_aaaa_record_on_launch: Option<AttributeBoolean>,
    pub enable_lni_at_device_index: Option<i64>,
    pub disable_lni_at_device_index: Option<AttributeBoolean>,
}

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

/// Output of DescribeRegions.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeRegionsOutput {
    pub region_info: Vec<Region>,
}

/// A region.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    pub region_name: String,
    pub region_endpoint: String,
    pub opt_in_status: &'static str,
}

/// Input of DescribeAccountAttributes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeAccountAttributesInput {
    pub attribute_name: Vec<String>,
    pub dry_run: bool,
}

/// Output of DescribeAccountAttributes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeAccountAttributesOutput {
    pub account_attribute_set: Vec<AccountAttribute>,
}

/// An attribute of the account.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountAttribute {
    pub attribute_name: &'static str,
    pub attribute_value_set: Vec<AccountAttributeValue>,
}

/// A value of an attribute.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountAttributeValue {
    pub attribute_value: String,
}

/// Output of DescribeNetworkAcls.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeNetworkAclsOutput {
    pub network_acl_set: Vec<NetworkAcl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A network ACL: each VPC has its default one, which allows everything.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAcl {
    pub network_acl_id: String,
    pub vpc_id: String,
    pub owner_id: String,
    #[serde(rename = "default")]
    pub is_default: bool,
    pub entry_set: Vec<NetworkAclEntry>,
    pub association_set: Vec<NetworkAclAssociation>,
    pub tag_set: Vec<Tag>,
}

/// A rule of a network ACL.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAclEntry {
    pub rule_number: u32,
    pub protocol: &'static str,
    pub rule_action: &'static str,
    pub egress: bool,
    pub cidr_block: &'static str,
}

/// A subnet of a network ACL.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAclAssociation {
    pub network_acl_association_id: String,
    pub network_acl_id: String,
    pub subnet_id: String,
}

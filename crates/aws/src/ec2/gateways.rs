//! Internet and NAT gateways, route tables and Elastic IP addresses.

use super::networks::State;
use super::{Tag, TagSpecification};
use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Input of operations on internet gateways.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct InternetGatewayInput {
    pub internet_gateway_id: String,
    pub vpc_id: String,
    pub tag_specification: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// Output of CreateInternetGateway.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InternetGatewayOutput {
    pub internet_gateway: InternetGateway,
}

/// Output of DescribeInternetGateways.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeInternetGatewaysOutput {
    pub internet_gateway_set: Vec<InternetGateway>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// An internet gateway.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InternetGateway {
    pub internet_gateway_id: String,
    pub attachment_set: Vec<InternetGatewayAttachment>,
    pub owner_id: String,
    pub tag_set: Vec<Tag>,
}

/// What an internet gateway is attached to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InternetGatewayAttachment {
    pub vpc_id: String,
    pub state: &'static str,
}

/// Input of operations on route tables, their routes and associations: each reads what is its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RouteTableInput {
    pub vpc_id: String,
    pub route_table_id: String,
    pub subnet_id: Option<String>,
    pub association_id: Option<String>,
    pub destination_cidr_block: Option<String>,
    pub gateway_id: Option<String>,
    pub nat_gateway_id: Option<String>,
    // Targets and destinations that are refused by name.
    pub destination_ipv6_cidr_block: Option<String>,
    pub destination_prefix_list_id: Option<String>,
    pub instance_id: Option<String>,
    pub network_interface_id: Option<String>,
    pub transit_gateway_id: Option<String>,
    pub vpc_peering_connection_id: Option<String>,
    pub vpc_endpoint_id: Option<String>,
    pub egress_only_internet_gateway_id: Option<String>,
    pub local_gateway_id: Option<String>,
    pub carrier_gateway_id: Option<String>,
    pub core_network_arn: Option<String>,
    pub odb_network_arn: Option<String>,
    pub public_ipv4_pool: Option<String>,
    pub local_target: bool,
    pub tag_specification: Vec<TagSpecification>,
    pub client_token: Option<String>,
    pub dry_run: bool,
}

/// Output of CreateRouteTable.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteTableOutput {
    pub route_table: RouteTable,
}

/// Output of AssociateRouteTable.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AssociateRouteTableOutput {
    pub association_id: String,
    pub association_state: State,
}

/// Output of ReplaceRouteTableAssociation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplaceRouteTableAssociationOutput {
    pub new_association_id: String,
    pub association_state: State,
}

/// Output of DescribeRouteTables.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeRouteTablesOutput {
    pub route_table_set: Vec<RouteTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A route table.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteTable {
    pub route_table_id: String,
    pub vpc_id: String,
    pub owner_id: String,
    pub route_set: Vec<Route>,
    pub association_set: Vec<RouteTableAssociation>,
    pub propagating_vgw_set: Vec<()>,
    pub tag_set: Vec<Tag>,
}

/// A route.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    pub destination_cidr_block: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat_gateway_id: Option<String>,
    pub state: &'static str,
    pub origin: &'static str,
}

/// What a route table serves.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteTableAssociation {
    pub route_table_association_id: String,
    pub route_table_id: String,
    pub main: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet_id: Option<String>,
    pub association_state: State,
}

/// Input of operations on NAT gateways.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NatGatewayInput {
    pub nat_gateway_id: String,
    pub subnet_id: String,
    pub allocation_id: Option<String>,
    pub connectivity_type: Option<String>,
    pub private_ip_address: Option<String>,
    pub availability_mode: Option<String>,
    pub vpc_id: Option<String>,
    pub secondary_allocation_id: Vec<String>,
    pub secondary_private_ip_address: Vec<String>,
    pub secondary_private_ip_address_count: Option<u32>,
    pub tag_specification: Vec<TagSpecification>,
    pub client_token: Option<String>,
    pub dry_run: bool,
}

/// Output of CreateNatGateway.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NatGatewayOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    pub nat_gateway: NatGateway,
}

/// Output of DeleteNatGateway.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteNatGatewayOutput {
    pub nat_gateway_id: String,
}

/// Output of DescribeNatGateways.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeNatGatewaysOutput {
    pub nat_gateway_set: Vec<NatGateway>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A NAT gateway.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NatGateway {
    pub nat_gateway_id: String,
    pub subnet_id: String,
    pub vpc_id: String,
    pub state: &'static str,
    pub connectivity_type: &'static str,
    pub create_time: Timestamp,
    pub nat_gateway_address_set: Vec<NatGatewayAddress>,
    pub tag_set: Vec<Tag>,
}

/// The addresses of a NAT gateway.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NatGatewayAddress {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
    pub network_interface_id: String,
    pub private_ip: String,
    pub is_primary: bool,
    pub status: &'static str,
}

/// Input of operations on Elastic IP addresses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct AddressInput {
    pub allocation_id: Option<String>,
    pub public_ip: Option<String>,
    pub domain: Option<String>,
    pub address: Option<String>,
    pub public_ipv4_pool: Option<String>,
    pub customer_owned_ipv4_pool: Option<String>,
    pub ipam_pool_id: Option<String>,
    pub network_border_group: Option<String>,
    pub tag_specification: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// Output of AllocateAddress.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AllocateAddressOutput {
    pub public_ip: String,
    pub allocation_id: String,
    pub public_ipv4_pool: &'static str,
    pub network_border_group: String,
    pub domain: &'static str,
}

/// Output of DescribeAddresses.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeAddressesOutput {
    pub addresses_set: Vec<Address>,
}

/// An Elastic IP address.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    pub public_ip: String,
    pub allocation_id: String,
    pub domain: &'static str,
    pub network_border_group: String,
    pub public_ipv4_pool: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_interface_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_interface_owner_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_ip_address: Option<String>,
    pub tag_set: Vec<Tag>,
}

/// Output of DescribeAddressesAttribute: no address has a name of its own.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeAddressesAttributeOutput {
    pub address_set: Vec<AddressAttribute>,
}

/// An address in DescribeAddressesAttribute.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressAttribute {
    pub public_ip: String,
    pub allocation_id: String,
}

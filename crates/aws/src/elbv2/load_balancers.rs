//! Load balancers.

use super::{Attribute, Tag};
use crate::Timestamp;
use serde::{Deserialize, Serialize, de::IgnoredAny};

/// Input of CreateLoadBalancer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateLoadBalancerInput {
    pub name: Option<String>,
    pub subnets: Vec<String>,
    pub subnet_mappings: Vec<SubnetMapping>,
    pub security_groups: Vec<String>,
    pub scheme: Option<String>,
    pub tags: Vec<Tag>,
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    pub ip_address_type: Option<String>,
    pub customer_owned_ipv4_pool: Option<String>,
    pub enable_prefix_for_ipv6_source_nat: Option<String>,
    pub ipam_pools: Option<IgnoredAny>,
}

/// A subnet, with addresses that only network load balancers may have.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SubnetMapping {
    pub subnet_id: Option<String>,
    pub allocation_id: Option<String>,
    #[serde(rename = "PrivateIPv4Address")]
    pub private_ipv4_address: Option<String>,
    #[serde(rename = "IPv6Address")]
    pub ipv6_address: Option<String>,
    pub source_nat_ipv6_prefix: Option<String>,
}

/// Input of DescribeLoadBalancers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeLoadBalancersInput {
    pub load_balancer_arns: Vec<String>,
    pub names: Vec<String>,
    pub marker: Option<String>,
    pub page_size: Option<i64>,
}

/// An input that is a load balancer's ARN.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct LoadBalancerInput {
    pub load_balancer_arn: Option<String>,
}

/// Input of ModifyLoadBalancerAttributes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ModifyLoadBalancerAttributesInput {
    pub load_balancer_arn: Option<String>,
    pub attributes: Vec<Attribute>,
}

/// Output of CreateLoadBalancer and DescribeLoadBalancers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoadBalancersOutput {
    pub load_balancers: Vec<LoadBalancer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
}

/// A load balancer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoadBalancer {
    pub load_balancer_arn: String,
    #[serde(rename = "DNSName")]
    pub dns_name: String,
    pub canonical_hosted_zone_id: String,
    pub created_time: Timestamp,
    pub load_balancer_name: String,
    pub scheme: &'static str,
    pub vpc_id: String,
    pub state: LoadBalancerState,
    #[serde(rename = "Type")]
    pub kind: &'static str,
    pub availability_zones: Vec<AvailabilityZone>,
    pub security_groups: Vec<String>,
    pub ip_address_type: &'static str,
}

/// Where a load balancer stands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoadBalancerState {
    pub code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A subnet that a load balancer is in. Only network load balancers list addresses.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AvailabilityZone {
    pub zone_name: String,
    pub subnet_id: String,
    pub load_balancer_addresses: Vec<()>,
}

/// Input of SetSecurityGroups.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SetSecurityGroupsInput {
    pub load_balancer_arn: Option<String>,
    pub security_groups: Vec<String>,
    pub enforce_security_group_inbound_rules_on_private_link_traffic: Option<String>,
}

/// Output of SetSecurityGroups.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetSecurityGroupsOutput {
    pub security_group_ids: Vec<String>,
}

/// Input of SetSubnets.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SetSubnetsInput {
    pub load_balancer_arn: Option<String>,
    pub subnets: Vec<String>,
    pub subnet_mappings: Vec<SubnetMapping>,
    pub ip_address_type: Option<String>,
    pub enable_prefix_for_ipv6_source_nat: Option<String>,
}

/// Output of SetSubnets.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetSubnetsOutput {
    pub availability_zones: Vec<AvailabilityZone>,
    pub ip_address_type: &'static str,
}

/// Input of SetIpAddressType.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SetIpAddressTypeInput {
    pub load_balancer_arn: Option<String>,
    pub ip_address_type: Option<String>,
}

/// Output of SetIpAddressType.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetIpAddressTypeOutput {
    pub ip_address_type: &'static str,
}

/// Output of DescribeCapacityReservation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CapacityReservationOutput {
    pub decrease_requests_remaining: u32,
    pub capacity_reservation_state: Vec<()>,
}

/// Input of DescribeAccountLimits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeAccountLimitsInput {
    pub marker: Option<String>,
    pub page_size: Option<i64>,
}

/// Output of DescribeAccountLimits.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountLimitsOutput {
    pub limits: Vec<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
}

/// A limit.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Limit {
    pub name: &'static str,
    pub max: String,
}

//! Network interfaces.

use super::Tag;
use crate::Timestamp;
use serde::Serialize;

/// Output of DescribeNetworkInterfaces.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeNetworkInterfacesOutput {
    pub network_interface_set: Vec<NetworkInterface>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A network interface.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkInterface {
    pub network_interface_id: String,
    pub subnet_id: String,
    pub vpc_id: String,
    pub availability_zone: String,
    pub availability_zone_id: String,
    pub description: String,
    pub owner_id: String,
    pub requester_id: &'static str,
    pub requester_managed: bool,
    pub status: &'static str,
    pub mac_address: String,
    pub private_ip_address: String,
    pub private_dns_name: String,
    pub source_dest_check: bool,
    pub interface_type: &'static str,
    pub group_set: Vec<GroupIdentifier>,
    pub attachment: Attachment,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association: Option<Association>,
    pub tag_set: Vec<Tag>,
    pub private_ip_addresses_set: Vec<PrivateAddress>,
    pub ipv6_addresses_set: Vec<()>,
}

/// A security group of an interface.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupIdentifier {
    pub group_id: String,
    pub group_name: String,
}

/// What an interface is attached to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    pub attachment_id: String,
    pub instance_owner_id: &'static str,
    pub device_index: u32,
    pub network_card_index: u32,
    pub status: &'static str,
    pub attach_time: Timestamp,
    pub delete_on_termination: bool,
}

/// A public address.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Association {
    pub public_ip: String,
    pub public_dns_name: String,
    pub ip_owner_id: &'static str,
}

/// A private address.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrivateAddress {
    pub private_ip_address: String,
    pub private_dns_name: String,
    pub primary: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association: Option<Association>,
}

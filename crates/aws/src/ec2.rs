//! Request and response shapes of EC2's network operations. Fields are AWS's members, by their names on the wire.

mod flow_logs;
mod gateways;
mod interfaces;
mod networks;
mod security_groups;

pub use flow_logs::*;
pub use gateways::*;
pub use interfaces::*;
pub use networks::*;
pub use security_groups::*;

use serde::{Deserialize, Serialize};

/// Input of the describe calls: each reads the ids of its own kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeInput {
    pub vpc_id: Vec<String>,
    pub subnet_id: Vec<String>,
    pub group_id: Vec<String>,
    pub group_name: Vec<String>,
    pub network_interface_id: Vec<String>,
    pub zone_name: Vec<String>,
    pub zone_id: Vec<String>,
    pub region_name: Vec<String>,
    pub security_group_rule_id: Vec<String>,
    pub internet_gateway_id: Vec<String>,
    pub route_table_id: Vec<String>,
    pub nat_gateway_id: Vec<String>,
    pub allocation_id: Vec<String>,
    pub public_ip: Vec<String>,
    pub prefix_list_id: Vec<String>,
    pub network_acl_id: Vec<String>,
    pub filter: Vec<Filter>,
    pub max_results: Option<i64>,
    pub next_token: Option<String>,
    pub dry_run: bool,
}

/// A filter: any of the values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Filter {
    pub name: String,
    pub value: Vec<String>,
}

/// A tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// Tags of what is being made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TagSpecification {
    pub resource_type: String,
    pub tag: Vec<Tag>,
}

/// Input of CreateTags and DeleteTags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TagsInput {
    pub resource_id: Vec<String>,
    pub tag: Vec<GivenTag>,
    pub dry_run: bool,
}

/// A tag of which the value may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GivenTag {
    pub key: String,
    pub value: Option<String>,
}

/// Output of DescribeTags.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeTagsOutput {
    pub tag_set: Vec<TagDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A tag with what it is on.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TagDescription {
    pub resource_id: String,
    pub resource_type: &'static str,
    pub key: String,
    pub value: String,
}

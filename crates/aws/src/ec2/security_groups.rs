//! Security groups, their rules, and managed prefix lists.

use super::{Tag, TagSpecification};
use serde::{Deserialize, Serialize};

/// Input of CreateSecurityGroup.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateSecurityGroupInput {
    pub group_name: String,
    pub group_description: String,
    pub vpc_id: Option<String>,
    pub tag_specification: Vec<TagSpecification>,
    pub dry_run: bool,
}

/// Output of CreateSecurityGroup.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateSecurityGroupOutput {
    #[serde(rename = "return")]
    pub done: bool,
    pub group_id: String,
    pub security_group_arn: String,
    pub tag_set: Vec<Tag>,
}

/// Input of the operations that change a group's rules, or delete it: each reads what is its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RulesInput {
    pub group_id: Option<String>,
    pub group_name: Option<String>,
    pub ip_permissions: Vec<GivenPermission>,
    pub security_group_rule_id: Vec<String>,
    pub security_group_rule: Vec<SecurityGroupRuleUpdate>,
    pub security_group_rule_description: Vec<RuleDescription>,
    pub tag_specification: Vec<TagSpecification>,
    // The oldest way to name one permission.
    pub ip_protocol: Option<String>,
    pub from_port: Option<i64>,
    pub to_port: Option<i64>,
    pub cidr_ip: Option<String>,
    pub source_security_group_name: Option<String>,
    pub source_security_group_owner_id: Option<String>,
    pub dry_run: bool,
}

/// A permission as it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GivenPermission {
    pub ip_protocol: Option<String>,
    pub from_port: Option<i64>,
    pub to_port: Option<i64>,
    pub groups: Vec<GivenGroup>,
    pub ip_ranges: Vec<GivenRange>,
    pub ipv6_ranges: Vec<GivenRange6>,
    pub prefix_list_ids: Vec<GivenPrefixList>,
}

/// A group on the other side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GivenGroup {
    pub group_id: Option<String>,
    pub group_name: Option<String>,
    pub user_id: Option<String>,
    pub vpc_id: Option<String>,
    pub vpc_peering_connection_id: Option<String>,
    pub description: Option<String>,
}

/// Addresses on the other side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GivenRange {
    pub cidr_ip: String,
    pub description: Option<String>,
}

/// IPv6 addresses on the other side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GivenRange6 {
    pub cidr_ipv6: String,
    pub description: Option<String>,
}

/// A prefix list on the other side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GivenPrefixList {
    pub prefix_list_id: String,
    pub description: Option<String>,
}

/// What a rule is to become.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SecurityGroupRuleUpdate {
    pub security_group_rule_id: String,
    pub security_group_rule: RuleRequest,
}

/// A rule as ModifySecurityGroupRules takes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RuleRequest {
    pub ip_protocol: Option<String>,
    pub from_port: Option<i64>,
    pub to_port: Option<i64>,
    pub cidr_ipv4: Option<String>,
    pub cidr_ipv6: Option<String>,
    pub prefix_list_id: Option<String>,
    pub referenced_group_id: Option<String>,
    pub description: Option<String>,
}

/// What a rule is to be described by.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RuleDescription {
    pub security_group_rule_id: String,
    pub description: Option<String>,
}

/// Output of the authorize operations.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeOutput {
    #[serde(rename = "return")]
    pub done: bool,
    pub security_group_rule_set: Vec<SecurityGroupRule>,
}

/// Output of the revoke operations.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevokeOutput {
    #[serde(rename = "return")]
    pub done: bool,
    pub revoked_security_group_rule_set: Vec<RevokedRule>,
}

/// A rule that was taken away.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevokedRule {
    pub security_group_rule_id: String,
    pub group_id: String,
    pub is_egress: bool,
    pub ip_protocol: String,
    pub from_port: i64,
    pub to_port: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr_ipv4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr_ipv6: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_list_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referenced_group_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Output of DeleteSecurityGroup.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteSecurityGroupOutput {
    #[serde(rename = "return")]
    pub done: bool,
    pub group_id: String,
}

/// Output of DescribeSecurityGroupRules.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeSecurityGroupRulesOutput {
    pub security_group_rule_set: Vec<SecurityGroupRule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A rule of a security group.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroupRule {
    pub security_group_rule_id: String,
    pub group_id: String,
    pub group_owner_id: String,
    pub is_egress: bool,
    pub ip_protocol: String,
    pub from_port: i64,
    pub to_port: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr_ipv4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr_ipv6: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_list_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referenced_group_info: Option<ReferencedGroup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub security_group_rule_arn: String,
    pub tag_set: Vec<Tag>,
}

/// A group that a rule names.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferencedGroup {
    pub group_id: String,
    pub user_id: String,
    pub vpc_id: String,
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
    pub ip_protocol: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_port: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_port: Option<i64>,
    pub groups: Vec<UserIdGroupPair>,
    pub ip_ranges: Vec<IpRange>,
    pub ipv6_ranges: Vec<Ipv6Range>,
    pub prefix_list_ids: Vec<PrefixListId>,
}

/// A security group on the other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdGroupPair {
    pub user_id: String,
    pub group_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Addresses on the other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IpRange {
    pub cidr_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// IPv6 addresses on the other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ipv6Range {
    pub cidr_ipv6: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A prefix list on the other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixListId {
    pub prefix_list_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Input of the operations on managed prefix lists: each reads what is its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PrefixListInput {
    pub prefix_list_id: Option<String>,
    pub prefix_list_name: Option<String>,
    pub address_family: Option<String>,
    pub max_entries: Option<u32>,
    pub current_version: Option<u64>,
    pub target_version: Option<u64>,
    pub entry: Vec<PrefixListEntry>,
    pub add_entry: Vec<PrefixListEntry>,
    pub remove_entry: Vec<PrefixListEntry>,
    pub tag_specification: Vec<TagSpecification>,
    pub client_token: Option<String>,
    pub max_results: Option<i64>,
    pub next_token: Option<String>,
    pub dry_run: bool,
}

/// A network of a prefix list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct PrefixListEntry {
    pub cidr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Output of the operations that make, change or delete a prefix list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixListOutput {
    pub prefix_list: ManagedPrefixList,
}

/// Output of DescribeManagedPrefixLists.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeManagedPrefixListsOutput {
    pub prefix_list_set: Vec<ManagedPrefixList>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A managed prefix list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedPrefixList {
    pub prefix_list_id: String,
    pub address_family: &'static str,
    pub state: &'static str,
    pub prefix_list_arn: String,
    pub prefix_list_name: String,
    pub max_entries: u32,
    pub version: u64,
    pub owner_id: String,
    pub tag_set: Vec<Tag>,
}

/// Output of GetManagedPrefixListEntries.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixListEntriesOutput {
    pub entry_set: Vec<PrefixListEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

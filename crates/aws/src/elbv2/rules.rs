//! Rules, their conditions and transforms.

use super::{Action, Tag};
use serde::{Deserialize, Serialize};

/// Input of CreateRule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateRuleInput {
    pub listener_arn: Option<String>,
    pub conditions: Vec<RuleCondition>,
    pub priority: Option<i64>,
    pub actions: Vec<Action>,
    pub tags: Vec<Tag>,
    pub transforms: Vec<RuleTransform>,
}

/// Input of ModifyRule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ModifyRuleInput {
    pub rule_arn: Option<String>,
    pub conditions: Vec<RuleCondition>,
    pub actions: Vec<Action>,
    pub transforms: Vec<RuleTransform>,
    pub reset_transforms: Option<bool>,
}

/// An input that is a rule's ARN.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RuleInput {
    pub rule_arn: Option<String>,
}

/// Input of SetRulePriorities.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SetRulePrioritiesInput {
    pub rule_priorities: Vec<RulePriority>,
}

/// A rule with its new priority.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RulePriority {
    pub rule_arn: Option<String>,
    pub priority: Option<i64>,
}

/// Input of DescribeRules.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeRulesInput {
    pub listener_arn: Option<String>,
    pub rule_arns: Vec<String>,
    pub marker: Option<String>,
    pub page_size: Option<i64>,
}

/// Output of CreateRule, ModifyRule, SetRulePriorities and DescribeRules.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RulesOutput {
    pub rules: Vec<Rule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
}

/// A rule.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rule {
    pub rule_arn: String,
    pub priority: String,
    pub conditions: Vec<RuleCondition>,
    pub actions: Vec<Action>,
    pub is_default: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<RuleTransform>,
}

/// What must hold of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RuleCondition {
    pub field: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_header_config: Option<PatternsConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_pattern_config: Option<PatternsConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_header_config: Option<HttpHeaderConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_string_config: Option<QueryStringConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_request_method_config: Option<ValuesConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip_config: Option<ValuesConfig>,
}

/// What a host or a path may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PatternsConfig {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regex_values: Vec<String>,
}

/// What a header may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HttpHeaderConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_header_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regex_values: Vec<String>,
}

/// What the query may have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct QueryStringConfig {
    pub values: Vec<QueryStringPair>,
}

/// A key and a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct QueryStringPair {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Values without patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ValuesConfig {
    pub values: Vec<String>,
}

/// How a request is rewritten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RuleTransform {
    #[serde(rename = "Type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_header_rewrite_config: Option<RewritesConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_rewrite_config: Option<RewritesConfig>,
}

/// Rewrites.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RewritesConfig {
    pub rewrites: Vec<Rewrite>,
}

/// What is replaced by what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Rewrite {
    pub regex: Option<String>,
    pub replace: Option<String>,
}

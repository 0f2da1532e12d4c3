//! Request and response shapes of the parameter store. Fields are AWS's members.

use crate::{Hidden, Tag, Timestamp};
use serde::{Deserialize, Serialize};

/// Input of PutParameter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PutParameterInput {
    pub name: Option<String>,
    pub description: Option<String>,
    pub value: Option<Hidden>,
    pub r#type: Option<String>,
    pub key_id: Option<String>,
    pub overwrite: bool,
    pub allowed_pattern: Option<String>,
    pub tags: Vec<Tag>,
    pub tier: Option<String>,
    pub policies: Option<String>,
    pub data_type: Option<String>,
}

/// Output of PutParameter.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutParameterOutput {
    pub version: u64,
    pub tier: &'static str,
}

/// Input of GetParameter, GetParameters and DeleteParameter(s).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NamedInput {
    pub name: Option<String>,
    pub names: Vec<String>,
    pub with_decryption: bool,
}

/// A parameter with one of its values.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parameter {
    pub name: String,
    pub r#type: &'static str,
    pub value: Hidden,
    pub version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    pub last_modified_date: Timestamp,
    #[serde(rename = "ARN")]
    pub arn: String,
    pub data_type: &'static str,
}

/// Output of GetParameter.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetParameterOutput {
    pub parameter: Parameter,
}

/// Output of GetParameters.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetParametersOutput {
    pub parameters: Vec<Parameter>,
    pub invalid_parameters: Vec<String>,
}

/// Input of GetParametersByPath, DescribeParameters and GetParameterHistory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ListInput {
    pub name: Option<String>,
    pub path: Option<String>,
    pub recursive: bool,
    pub parameter_filters: Vec<ParameterFilter>,
    pub filters: Vec<Filter>,
    pub with_decryption: bool,
    pub max_results: Option<i64>,
    pub next_token: Option<String>,
    pub shared: bool,
}

/// Which parameters are wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ParameterFilter {
    pub key: String,
    pub option: Option<String>,
    pub values: Vec<String>,
}

/// The same, as it was said formerly.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Filter {
    pub key: String,
    pub values: Vec<String>,
}

/// Output of GetParametersByPath.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ByPathOutput {
    pub parameters: Vec<Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A parameter without its value, or in its history with it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Metadata {
    pub name: String,
    #[serde(rename = "ARN", skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    pub r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<&'static str>,
    pub last_modified_date: Timestamp,
    pub last_modified_user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Hidden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_pattern: Option<String>,
    pub version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    pub tier: &'static str,
    pub policies: Vec<serde_json::Value>,
    pub data_type: &'static str,
}

/// Output of DescribeParameters and GetParameterHistory.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetadataOutput {
    pub parameters: Vec<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Output of DeleteParameters.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteParametersOutput {
    pub deleted_parameters: Vec<String>,
    pub invalid_parameters: Vec<String>,
}

/// Input of the operations on tags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TagsInput {
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    pub tags: Vec<Tag>,
    pub tag_keys: Vec<String>,
}

/// Output of ListTagsForResource.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsOutput {
    pub tag_list: Vec<Tag>,
}

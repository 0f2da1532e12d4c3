//! Shapes of custom attributes.

use serde::{Deserialize, Serialize};

/// An attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `container-instance`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_type: Option<String>,
    /// The instance's id or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
}

/// Input of `PutAttributes` and `DeleteAttributes`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AttributesInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// The attributes.
    pub attributes: Vec<Attribute>,
}

/// Input of `ListAttributes`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListAttributesInput {
    /// The cluster.
    pub cluster: Option<String>,
    /// `container-instance`.
    pub target_type: String,
    /// Those of this name.
    pub attribute_name: Option<String>,
    /// Those of this value.
    pub attribute_value: Option<String>,
    /// Where to go on.
    pub next_token: Option<String>,
    /// The most to return.
    pub max_results: Option<i32>,
}

/// Output of the operations on attributes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttributesOutput {
    /// The attributes.
    pub attributes: Vec<Attribute>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

//! Tags, and other shapes that many operations share.

use serde::{Deserialize, Serialize};

/// A tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// A name and a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyValuePair {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A thing that is not there, or cannot be done, in an answer that is otherwise fine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its ARN.
    pub arn: String,
    /// Why.
    pub reason: String,
    /// More of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Input of `TagResource`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TagResourceInput {
    /// The resource's ARN.
    pub resource_arn: String,
    /// The tags to add.
    pub tags: Vec<Tag>,
}

/// Input of `UntagResource`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UntagResourceInput {
    /// The resource's ARN.
    pub resource_arn: String,
    /// The keys of the tags to remove.
    pub tag_keys: Vec<String>,
}

/// Input of `ListTagsForResource`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListTagsForResourceInput {
    /// The resource's ARN.
    pub resource_arn: String,
}

/// Output of `ListTagsForResource`.
#[derive(Debug, Clone, Serialize)]
pub struct ListTagsForResourceOutput {
    /// The tags.
    pub tags: Vec<Tag>,
}

/// An answer of `{}`.
#[derive(Debug, Clone, Serialize)]
pub struct NoOutput {}

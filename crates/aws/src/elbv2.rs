//! Request and response shapes of Elastic Load Balancing, version 2. Fields are AWS's members.

mod listeners;
mod load_balancers;
mod rules;
mod target_groups;

pub use crate::LooseTag as Tag;
pub use listeners::*;
pub use load_balancers::*;
pub use rules::*;
pub use target_groups::*;

use serde::{Deserialize, Serialize};

/// A named setting.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Attribute {
    pub key: String,
    pub value: String,
}

/// Input of AddTags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct AddTagsInput {
    pub resource_arns: Vec<String>,
    pub tags: Vec<Tag>,
}

/// Input of RemoveTags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RemoveTagsInput {
    pub resource_arns: Vec<String>,
    pub tag_keys: Vec<String>,
}

/// Input of DescribeTags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeTagsInput {
    pub resource_arns: Vec<String>,
}

/// The tags of one resource.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagDescription {
    pub resource_arn: String,
    pub tags: Vec<Tag>,
}

/// Output of DescribeTags.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeTagsOutput {
    pub tag_descriptions: Vec<TagDescription>,
}

/// An answer that is a list of attributes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttributesOutput {
    pub attributes: Vec<Attribute>,
}

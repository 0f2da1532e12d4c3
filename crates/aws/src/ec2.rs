//! Request and response shapes of EC2's describe calls. Fields are AWS's members, by their names on the wire.

mod interfaces;
mod networks;

pub use interfaces::*;
pub use networks::*;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    pub key: String,
    pub value: String,
}

//! Shapes of placement and of capacity provider strategies.

use serde::{Deserialize, Serialize};

/// A share of a strategy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CapacityProviderStrategyItem {
    /// The provider's name or ARN.
    pub capacity_provider: String,
    /// Its part of the tasks beyond the base.
    pub weight: i32,
    /// So many tasks come first.
    pub base: i32,
}

/// What an instance must be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlacementConstraint {
    /// `distinctInstance` or `memberOf`.
    pub r#type: Option<String>,
    /// The expression of `memberOf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
}

/// What makes an instance the better one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlacementStrategy {
    /// `random`, `spread` or `binpack`.
    pub r#type: Option<String>,
    /// What is spread over, or filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

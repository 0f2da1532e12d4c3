//! Where tasks may go and should go, as it was asked.

use serde::{Deserialize, Serialize};

/// Constraints and strategies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// All of these hold.
    pub constraints: Vec<Constraint>,
    /// The first decides, the next among equals.
    pub strategies: Vec<Strategy>,
}

/// What an instance must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Constraint {
    /// Without another task of the group.
    DistinctInstance,
    /// Such that an expression of the cluster query language holds.
    MemberOf(String),
}

/// What makes an instance the better one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// Nothing: any.
    Random,
    /// The least left of a resource.
    Binpack(Resource),
    /// The fewest tasks of the group among the instances with the same value of this.
    Spread(SpreadBy),
}

/// A resource that instances are filled by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// The processors.
    Cpu,
    /// The memory.
    Memory,
}

/// What tasks are spread over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpreadBy {
    /// Instances.
    Instance,
    /// The values of an attribute.
    Attribute(String),
}

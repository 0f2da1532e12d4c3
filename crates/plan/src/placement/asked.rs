//! What a task asks of a node, read once.

use crate::query::{Expression, InvalidExpression};
use thiserror::Error;
use wharf_model::{
    CpuUnits, Mebibytes,
    placement::{Constraint, Placement, Strategy},
    task_definition::Transport,
};

/// The most constraints, and the most strategies, as on AWS.
const CONSTRAINTS_MAX: usize = 10;
pub(super) const STRATEGIES_MAX: usize = 5;

/// Processors and memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// The processors.
    pub cpu: CpuUnits,
    /// The memory.
    pub memory: Mebibytes,
}

/// Whether a task holds what it asked for alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Alone: the node's sum is never exceeded (EC2).
    Reserved,
    /// Together with others, each within its limit (Fargate).
    Shared,
}

/// A constraint, with its expression read.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// No two tasks of the group on one node.
    Distinct,
    /// The expression holds.
    Member(Expression),
}

/// What a task asks of a node.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// How much it takes.
    pub size: Size,
    /// Whether it takes it alone.
    pub holding: Holding,
    /// The ports it takes on its node.
    pub ports: &'a [(u16, Transport)],
    /// What the node must be.
    pub rules: &'a [Rule],
    /// What makes it the better one.
    pub strategies: &'a [Strategy],
    /// The task's group.
    pub group: &'a str,
    /// Any number, for [`Strategy::Random`].
    pub dice: u64,
}

/// A placement that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidPlacement {
    /// An expression cannot be read.
    #[error(transparent)]
    Expression(#[from] InvalidExpression),
    /// There are too many constraints.
    #[error("Placement constraints can have at most {CONSTRAINTS_MAX} items.")]
    Constraints,
    /// There are too many strategies.
    #[error("Placement strategies can have at most {STRATEGIES_MAX} items.")]
    Strategies,
}

/// Returns what a placement asks of nodes.
pub fn read(placement: &Placement) -> Result<Vec<Rule>, InvalidPlacement> {
    if placement.constraints.len() > CONSTRAINTS_MAX {
        return Err(InvalidPlacement::Constraints);
    }
    if placement.strategies.len() > STRATEGIES_MAX {
        return Err(InvalidPlacement::Strategies);
    }
    placement
        .constraints
        .iter()
        .map(|constraint| match constraint {
            Constraint::DistinctInstance => Ok(Rule::Distinct),
            Constraint::MemberOf(expression) => Ok(Rule::Member(expression.parse()?)),
        })
        .collect()
}

//! The cluster query language: which container instances an expression means.
//!
//! `attribute:ecs.instance-type =~ t3.* and not (task:group == service:db or runningTasksCount > 10)`: tests of a subject,
//! joined by `and`, `or`, `not` and parentheses (ECS developer guide, "Cluster query language").

mod named;
mod parse;

pub use named::Named;

use regex::Regex;
use std::{cmp::Ordering, str::FromStr};
use thiserror::Error;
use wharf_model::{Timestamp, Word};

#[cfg(test)]
mod tests;

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Invalid expression '{given}': {why}")]
pub struct InvalidExpression {
    /// The text.
    pub given: String,
    /// What is wrong with it.
    pub why: String,
}

/// What is known of an instance that an expression may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its id.
    pub instance_id: String,
    /// Its attributes, some of them without a value.
    pub attributes: Named<Option<Word>>,
    /// Whether its agent is connected.
    pub agent_connected: bool,
    /// Its agent's version.
    pub agent_version: String,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// How many tasks of each group are on it.
    pub groups: Named<usize>,
    /// How many tasks run on it.
    pub running_tasks: usize,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// All of these.
    All(Vec<Expression>),
    /// One of these at least.
    Any(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>),
    /// A single test.
    Test(Subject, Check),
}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// `attribute:<name>`.
    Attribute(String),
    /// `agentConnected`.
    AgentConnected,
    /// `agentVersion`.
    AgentVersion,
    /// `ec2InstanceId`.
    InstanceId,
    /// `registeredAt`.
    RegisteredAt,
    /// `runningTasksCount`.
    RunningTasks,
    /// `task:group`.
    TaskGroup,
}

/// How it is tested.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// It has a value, or is there without one.
    Exists,
    /// Its order towards this is one of these.
    Compare(Vec<Ordering>, String),
    /// It is one of these.
    In(Vec<String>),
    /// All of it matches this.
    Matches(Pattern),
}

/// A regular expression, equal to another by its text.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl FromStr for Expression {
    type Err = InvalidExpression;

    fn from_str(given: &str) -> Result<Expression, InvalidExpression> {
        parse::expression(given).map_err(|why| InvalidExpression { given: given.to_owned(), why })
    }
}

impl Expression {
    /// Returns whether the expression means this instance.
    pub fn holds(&self, facts: &Facts) -> bool {
        match self {
            Expression::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Expression::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Expression::Not(part) => !part.holds(facts),
            Expression::Test(subject, check) => holds(subject, check, facts),
        }
    }
}

fn holds(subject: &Subject, check: &Check, facts: &Facts) -> bool {
    let text = |value: &str| passes(subject, check, value);
    match subject {
        Subject::Attribute(name) => match facts.attributes.get(name) {
            None => false,
            Some(None) => *check == Check::Exists,
            Some(Some(value)) => text(value),
        },
        Subject::AgentConnected => text(&facts.agent_connected.to_string()),
        Subject::AgentVersion => text(&facts.agent_version),
        Subject::InstanceId => text(&facts.instance_id),
        Subject::RegisteredAt => text(&facts.registered_at.to_rfc3339()),
        Subject::RunningTasks => text(&facts.running_tasks.to_string()),
        // An instance has as many groups as its tasks have; one of them is enough.
        Subject::TaskGroup => facts.groups.names().any(text),
    }
}

fn passes(subject: &Subject, check: &Check, value: &str) -> bool {
    match check {
        Check::Exists => true,
        Check::Compare(wanted, with) => wanted.contains(&order(subject, value, with)),
        Check::In(list) => list.iter().any(|item| order(subject, value, item) == Ordering::Equal),
        Check::Matches(Pattern(pattern)) => pattern.is_match(value),
    }
}

/// Compares as times, versions, numbers or letters, whichever both are.
fn order(subject: &Subject, left: &str, right: &str) -> Ordering {
    if *subject == Subject::RegisteredAt
        && let (Some(left), Some(right)) = (Timestamp::from_rfc3339(left), Timestamp::from_rfc3339(right))
    {
        return left.cmp(&right);
    }
    if let (Some(left), Some(right)) = (version(left), version(right)) {
        return left.cmp(&right);
    }
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => left.total_cmp(&right),
        (_, _) => left.cmp(right),
    }
}

/// Returns the numbers of a version such as `1.100.2`; a whole number is one of a single part.
fn version(text: &str) -> Option<Vec<u64>> {
    // With one point it may as well be a decimal number.
    if text.bytes().filter(|byte| *byte == b'.').count() == 1 {
        return None;
    }
    text.split('.').map(|part| part.parse().ok()).collect()
}

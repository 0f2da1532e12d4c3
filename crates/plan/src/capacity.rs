//! Which capacity provider the next task of a strategy goes to.

use std::{cmp::Reverse, collections::BTreeMap};
use thiserror::Error;
use wharf_model::capacity::{StrategyItem, is_fargate};

#[cfg(test)]
mod tests;

const ITEMS_MAX: usize = 20;
const BASE_MAX: u32 = 100_000;
const WEIGHT_MAX: u32 = 1_000;

/// Why a strategy cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidStrategy {
    /// There are too many items.
    #[error("The specified capacity provider strategy can have at most {ITEMS_MAX} capacity providers.")]
    TooMany,
    /// A provider is there twice.
    #[error("The specified capacity provider strategy contains the capacity provider '{0}' more than once.")]
    Twice(String),
    /// More than one item has a base.
    #[error("The specified capacity provider strategy can have a base for one capacity provider only.")]
    Bases,
    /// A base is too large.
    #[error("The base of capacity provider '{0}' must be between 0 and {BASE_MAX}.")]
    Base(String),
    /// A weight is too large.
    #[error("The weight of capacity provider '{0}' must be between 0 and {WEIGHT_MAX}.")]
    Weight(String),
    /// Nothing says where tasks beyond the base go.
    #[error(
        "The specified capacity provider strategy must have at least one capacity provider with a weight greater than \
         zero."
    )]
    NoWeight,
    /// Fargate and instances are mixed.
    #[error(
        "The specified capacity provider strategy cannot contain both Fargate and Auto Scaling group capacity providers."
    )]
    Mixed,
}

/// Checks a strategy.
pub fn check(strategy: &[StrategyItem]) -> Result<(), InvalidStrategy> {
    if strategy.len() > ITEMS_MAX {
        return Err(InvalidStrategy::TooMany);
    }
    for (place, item) in strategy.iter().enumerate() {
        let name = || item.provider.clone();
        if strategy[..place].iter().any(|other| other.provider == item.provider) {
            return Err(InvalidStrategy::Twice(name()));
        }
        if item.base > BASE_MAX {
            return Err(InvalidStrategy::Base(name()));
        }
        if item.weight > WEIGHT_MAX {
            return Err(InvalidStrategy::Weight(name()));
        }
    }
    if strategy.iter().filter(|item| item.base > 0).count() > 1 {
        return Err(InvalidStrategy::Bases);
    }
    if strategy.len() > 1 && strategy.iter().all(|item| item.weight == 0) {
        return Err(InvalidStrategy::NoWeight);
    }
    let fargate = strategy.iter().filter(|item| is_fargate(&item.provider)).count();
    if fargate > 0 && fargate < strategy.len() {
        return Err(InvalidStrategy::Mixed);
    }
    Ok(())
}

/// Returns the provider of the next task, when so many are placed by each already: the base first, then whoever is
/// furthest behind its weight, the earlier one among equals.
pub fn next<'a>(strategy: &'a [StrategyItem], placed: &BTreeMap<String, usize>) -> Option<&'a str> {
    let placed = |item: &StrategyItem| placed.get(&item.provider).copied().unwrap_or(0);
    let base = |item: &StrategyItem| usize::try_from(item.base).unwrap_or(usize::MAX);
    if let Some(item) = strategy.iter().find(|item| placed(item) < base(item)) {
        return Some(&item.provider);
    }
    if let [only] = strategy {
        return Some(&only.provider);
    }
    let weighted = strategy.iter().enumerate().filter(|(_, item)| item.weight > 0);
    let next = weighted.min_by(|(first, left), (second, right)| {
        // As if the task were placed there: the smaller share of its weight goes first.
        let share = |item: &StrategyItem| placed(item) - base(item).min(placed(item)) + 1;
        let left_share = share(left).saturating_mul(usize::try_from(right.weight).unwrap_or(usize::MAX));
        let right_share = share(right).saturating_mul(usize::try_from(left.weight).unwrap_or(usize::MAX));
        (left_share, Reverse(left.weight), first).cmp(&(right_share, Reverse(right.weight), second))
    });
    next.map(|(_, item)| item.provider.as_str())
}

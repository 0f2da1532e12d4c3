//! In which zone the next task of a service goes.

use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Returns the zone with the fewest tasks; the earliest one among equals.
pub fn emptiest<'a>(zones: &[&'a str], tasks: &BTreeMap<&str, usize>) -> Option<&'a str> {
    zones.iter().copied().min_by_key(|zone| tasks.get(zone).copied().unwrap_or(0))
}

/// Returns each task's place among those of its zone, counted from zero, in the order given.
pub fn crowds<'a>(zones: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    zones
        .into_iter()
        .map(|zone| {
            let there = seen.entry(zone).or_default();
            *there += 1;
            *there - 1
        })
        .collect()
}

//! Filters: which names are known, and which values match.

use wharf_aws::ec2::{Filter, Tag};

use crate::Fault;

/// Refuses filters whose names are not known. `tag:…` and `tag-key` are known everywhere.
pub(super) fn check(filters: &[Filter], known: &[&str]) -> Result<(), Fault> {
    let is_known = |name: &str| known.contains(&name) || name == "tag-key" || name.starts_with("tag:");
    match filters.iter().find(|filter| !is_known(&filter.name)) {
        Some(unknown) => {
            Err(Fault::caller("InvalidParameterValue", format!("The filter '{}' is invalid", unknown.name)))
        }
        None => Ok(()),
    }
}

/// Returns whether an item passes every filter: each needs one value that matches one of the item's.
pub(super) fn pass(filters: &[Filter], tags: &[Tag], values: impl Fn(&str) -> Vec<String>) -> bool {
    filters.iter().all(|filter| {
        let own = match filter.name.strip_prefix("tag:") {
            Some(key) => tags.iter().filter(|tag| tag.key == key).map(|tag| tag.value.clone()).collect(),
            None if filter.name == "tag-key" => tags.iter().map(|tag| tag.key.clone()).collect(),
            None => values(&filter.name),
        };
        own.iter().any(|value| filter.value.iter().any(|pattern| matches(pattern, value)))
    })
}

/// Returns whether a value is what a pattern says: `*` stands for any text, `?` for one character, and a backslash
/// takes the next character as it is.
fn matches(pattern: &str, value: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let value: Vec<char> = value.chars().collect();
    let (mut at, mut from) = (0, 0);
    // Where the last star was, and how much of the value it has taken.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
                continue;
            }
            Some('?') if from < value.len() => Some(1),
            Some('\\') if pattern.get(at + 1).is_some_and(|c| value.get(from) == Some(c)) => Some(2),
            Some(c) if *c != '\\' && value.get(from) == Some(c) => Some(1),
            None if from == value.len() => return true,
            Some(_) | None => None,
        };
        match (step, star) {
            (Some(step), _) => {
                at += step;
                from += 1;
            }
            (None, Some((place, taken))) if taken < value.len() => {
                star = Some((place, taken + 1));
                at = place + 1;
                from = taken + 1;
            }
            (None, _) => return false,
        }
    }
}

#[cfg(test)]
mod tests;

//! Which status codes pass a health check.

use std::{num::ParseIntError, str::FromStr};

/// The status codes of a matcher such as `200`, `200,202` or `200-299`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matcher(Vec<(u16, u16)>);

impl Matcher {
    /// Returns the matcher that nothing passes.
    pub(crate) fn none() -> Matcher {
        Matcher(Vec::new())
    }

    /// Returns whether this status passes.
    pub(crate) fn passes(&self, status: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }
}

impl FromStr for Matcher {
    type Err = ParseIntError;

    fn from_str(given: &str) -> Result<Matcher, ParseIntError> {
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Ok((first.trim().parse()?, last.trim().parse()?))
        };
        given.split(',').map(range).collect::<Result<_, _>>().map(Matcher)
    }
}

#[cfg(test)]
mod tests;

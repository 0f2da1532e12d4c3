//! Which images of a repository its lifecycle policy expires.
//!
//! As ECR has it: rules are looked at by priority, the smallest number first. A rule selects images by their tags and
//! counts them as if no other rule had expired any; what an earlier rule has selected, a later one never expires.

use crate::wildcard::fits;
use std::collections::BTreeSet;
use std::time::Duration;
use wharf_model::Timestamp;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its place among the rules; smaller is earlier.
    pub priority: u32,
    /// Which images it is about.
    pub tags: Tags,
    /// Which of these it expires.
    pub expires: Expires,
}

/// Which images a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// All.
    Any,
    /// Those without a tag.
    Untagged,
    /// Those that have, for each of these, a tag that begins with it.
    Prefixes(Vec<String>),
    /// Those that have, for each of these, a tag that fits it; `*` stands for anything.
    Patterns(Vec<String>),
}

/// Which of its images a rule expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expires {
    /// All but so many of the newest.
    MoreThan(usize),
    /// Those pushed longer ago.
    OlderThan(Duration),
}

/// An image of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its digest.
    pub digest: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was pushed.
    pub pushed_at: Timestamp,
    /// Whether an index names it; then it goes only with that.
    pub needed: bool,
}

/// Returns the digests of the images to expire.
pub fn expired(rules: &[Rule], images: &[Image], now: Timestamp) -> BTreeSet<String> {
    let mut rules: Vec<&Rule> = rules.iter().collect();
    rules.sort_by_key(|rule| rule.priority);
    let mut newest_first: Vec<&Image> = images.iter().filter(|image| !image.needed).collect();
    newest_first.sort_by(|a, b| (b.pushed_at, &b.digest).cmp(&(a.pushed_at, &a.digest)));
    let (mut expired, mut claimed) = (BTreeSet::new(), BTreeSet::new());
    for rule in rules {
        let selected: Vec<&&Image> = newest_first.iter().filter(|image| rule.tags.select(image)).collect();
        let due = selected.iter().enumerate().filter(|(place, image)| match rule.expires {
            Expires::MoreThan(count) => *place >= count,
            Expires::OlderThan(age) => now.since(image.pushed_at) > age,
        });
        expired.extend(
            due.filter(|(_, image)| !claimed.contains(&image.digest)).map(|(_, image)| image.digest.clone()),
        );
        claimed.extend(selected.iter().map(|image| image.digest.clone()));
    }
    expired
}

impl Tags {
    fn select(&self, image: &Image) -> bool {
        let each = |wanted: &[String], fits: fn(&str, &str) -> bool| {
            wanted.iter().all(|wanted| image.tags.iter().any(|tag| fits(wanted, tag)))
        };
        match self {
            Tags::Any => true,
            Tags::Untagged => image.tags.is_empty(),
            Tags::Prefixes(prefixes) => each(prefixes, |prefix, tag| tag.starts_with(prefix)),
            Tags::Patterns(patterns) => each(patterns, fits),
        }
    }
}

#[cfg(test)]
mod tests;

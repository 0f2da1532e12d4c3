//! Filter patterns for plain text: `error`, `"connection reset"`, `error -timeout`, `?error ?warning`.

use thiserror::Error;

/// A pattern of a kind that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Invalid filter pattern: {0}")]
pub struct InvalidPattern(pub String);

/// Which events are wanted, by their words. Case matters, as on AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Pattern {
    /// Returns the pattern that `given` spells; an empty one wants every event.
    pub fn parse(given: &str) -> Result<Pattern, InvalidPattern> {
        let given = given.trim();
        if let Some(kind) = ["{", "[", "%"].iter().find(|kind| given.starts_with(**kind)) {
            return Err(InvalidPattern(format!("patterns that start with '{kind}' are not supported")));
        }
        let mut pattern = Pattern::default();
        let mut rest = given;
        while !rest.is_empty() {
            let (list, unsigned) = match rest.as_bytes()[0] {
                b'-' => (&mut pattern.none, &rest[1..]),
                b'?' => (&mut pattern.any, &rest[1..]),
                _ => (&mut pattern.all, rest),
            };
            let (term, after) = match unsigned.strip_prefix('"') {
                Some(quoted) => quoted
                    .split_once('"')
                    .ok_or_else(|| InvalidPattern(format!("a quotation mark of '{given}' is not closed")))?,
                None => unsigned.split_once(char::is_whitespace).unwrap_or((unsigned, "")),
            };
            if term.is_empty() {
                return Err(InvalidPattern(format!("'{given}' has an empty term")));
            }
            list.push(term.to_owned());
            rest = after.trim_start();
        }
        Ok(pattern)
    }

    /// Returns whether an event with this text is wanted.
    pub fn matches(&self, text: &str) -> bool {
        self.all.iter().all(|term| text.contains(term))
            && (self.any.is_empty() || self.any.iter().any(|term| text.contains(term)))
            && !self.none.iter().any(|term| text.contains(term))
    }
}

//! Filter patterns in CloudWatch Logs' syntax, of all four kinds: words (`error -timeout`, `?a ?b`, `"a b"`), regular
//! expressions (`%[45]\d\d%`), members of JSON (`{ $.level = "error" }`) and fields between spaces
//! (`[ip, user, status = 4*]`).

mod expression;
mod fields;
mod json;
mod terms;
#[cfg(test)]
mod tests;

use thiserror::Error;

/// A pattern that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Invalid filter pattern: {0}")]
pub struct InvalidPattern(pub String);

/// Which events are wanted, by their text. Case matters, as on AWS.
#[derive(Debug, Clone, Default)]
pub struct Pattern(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Terms(terms::Terms),
    Json(json::Json),
    Fields(fields::Fields),
}

impl Default for Kind {
    fn default() -> Kind {
        Kind::Terms(terms::Terms::default())
    }
}

impl Pattern {
    /// Returns the pattern that `given` spells; an empty one wants every event.
    pub fn parse(given: &str) -> Result<Pattern, InvalidPattern> {
        let given = given.trim();
        let within = |open: char, close: char| given.strip_prefix(open)?.strip_suffix(close);
        let kind = if given.starts_with('{') {
            let inner =
                within('{', '}').ok_or_else(|| InvalidPattern(format!("'{given}' has no closing brace")))?;
            Kind::Json(json::Json::parse(inner)?)
        } else if given.starts_with('[') {
            let inner = within('[', ']')
                .ok_or_else(|| InvalidPattern(format!("'{given}' has no closing bracket")))?;
            Kind::Fields(fields::Fields::parse(inner)?)
        } else {
            Kind::Terms(terms::Terms::parse(given)?)
        };
        Ok(Pattern(kind))
    }

    /// Returns whether an event with this text is wanted.
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Kind::Terms(terms) => terms.match_text(text),
            Kind::Json(json) => json.match_text(text),
            Kind::Fields(fields) => fields.match_text(text),
        }
    }

    /// Returns the fields of an event's text as the pattern names them, for those kinds that name any.
    pub fn extract(&self, text: &str) -> Vec<(String, String)> {
        match &self.0 {
            Kind::Terms(_) => Vec::new(),
            Kind::Json(json) => json.extract(text),
            Kind::Fields(fields) => fields.extract(text),
        }
    }
}

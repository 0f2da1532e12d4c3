//! Words: all plain ones, any of those with a question mark, none of those with a minus.

use super::InvalidPattern;
use super::expression::regex;
use regex::Regex;

#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    all: Vec<Term>,
    any: Vec<Term>,
    none: Vec<Term>,
}

#[derive(Debug, Clone)]
enum Term {
    Text(String),
    Regex(Regex),
}

impl Term {
    fn is_in(&self, text: &str) -> bool {
        match self {
            Term::Text(term) => text.contains(term),
            Term::Regex(regex) => regex.is_match(text),
        }
    }
}

impl Terms {
    pub(super) fn parse(given: &str) -> Result<Terms, InvalidPattern> {
        let mut terms = Terms::default();
        let mut rest = given;
        while !rest.is_empty() {
            let (list, unsigned) = match rest.as_bytes()[0] {
                b'-' => (&mut terms.none, &rest[1..]),
                b'?' => (&mut terms.any, &rest[1..]),
                _ => (&mut terms.all, rest),
            };
            let (term, after) = term(unsigned, given)?;
            list.push(term);
            rest = after.trim_start();
        }
        Ok(terms)
    }

    pub(super) fn match_text(&self, text: &str) -> bool {
        self.all.iter().all(|term| term.is_in(text))
            && (self.any.is_empty() || self.any.iter().any(|term| term.is_in(text)))
            && !self.none.iter().any(|term| term.is_in(text))
    }
}

fn term<'a>(from: &'a str, whole: &str) -> Result<(Term, &'a str), InvalidPattern> {
    let empty = || InvalidPattern(format!("'{whole}' has an empty term"));
    if let Some(inner) = from.strip_prefix('%') {
        let end = inner
            .find('%')
            .ok_or_else(|| InvalidPattern(format!("a percent sign of '{whole}' is not closed")))?;
        return Ok((Term::Regex(regex(&inner[..end])?), &inner[end + 1..]));
    }
    if let Some(inner) = from.strip_prefix('"') {
        let mut text = String::new();
        let mut letters = inner.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' if text.is_empty() => return Err(empty()),
                '"' => return Ok((Term::Text(text), &inner[at + 1..])),
                '\\' => text.extend(letters.next().map(|(_, escaped)| escaped)),
                letter => text.push(letter),
            }
        }
        return Err(InvalidPattern(format!("a quotation mark of '{whole}' is not closed")));
    }
    let (text, after) = from.split_once(char::is_whitespace).unwrap_or((from, ""));
    if text.is_empty() { Err(empty()) } else { Ok((Term::Text(text.to_owned()), after)) }
}

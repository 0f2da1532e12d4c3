//! Patterns for events whose fields stand between spaces: `[ip, user, ..., status = 4* || status = 5*, bytes > 1000]`.
//!
//! What is in quotation marks or brackets is one field.

use super::InvalidPattern;
use super::expression::{Check, Expression, Reader};

#[derive(Debug, Clone)]
pub(super) struct Fields {
    before: Vec<Field>,
    /// The fields after `...`; nothing where there is none and the count must be right.
    after: Option<Vec<Field>>,
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    expression: Option<Expression>,
}

impl Fields {
    pub(super) fn parse(given: &str) -> Result<Fields, InvalidPattern> {
        let mut fields = Fields { before: Vec::new(), after: None };
        let mut reader = Reader::new(given);
        if reader.is_done() {
            return Err(InvalidPattern("'[]' names no field".to_owned()));
        }
        loop {
            if reader.take("...") {
                if fields.after.replace(Vec::new()).is_some() {
                    return Err(reader.wrong("'...' may stand there once"));
                }
            } else {
                let field = field(&mut reader)?;
                match &mut fields.after {
                    Some(after) => after.push(field),
                    None => fields.before.push(field),
                }
            }
            if reader.is_done() {
                return Ok(fields);
            }
            if !reader.take(",") {
                return Err(reader.wrong("fields are separated by commas"));
            }
        }
    }

    pub(super) fn match_text(&self, text: &str) -> bool {
        self.pairs(text).is_some_and(|pairs| {
            pairs.iter().all(|(field, text)| {
                let Some(expression) = &field.expression else { return true };
                expression.holds(&|test| match &test.check {
                    Check::Compare(order, wanted) => wanted.compare_text(*order, text),
                    Check::IsNull | Check::IsTrue | Check::IsFalse | Check::NotExists => false,
                })
            })
        })
    }

    pub(super) fn extract(&self, text: &str) -> Vec<(String, String)> {
        let pairs = self.pairs(text).unwrap_or_default();
        pairs.into_iter().map(|(field, text)| (format!("${}", field.name), text)).collect()
    }

    /// Returns each named field with its text; nothing when the text has too few or too many.
    fn pairs(&self, text: &str) -> Option<Vec<(&Field, String)>> {
        let texts = split(text);
        let after = self.after.as_deref().unwrap_or_default();
        let named = self.before.len() + after.len();
        let fits = if self.after.is_some() { texts.len() >= named } else { texts.len() == named };
        if !fits {
            return None;
        }
        let last = texts.len() - after.len();
        let first = self.before.iter().zip(texts[..self.before.len()].iter().cloned());
        Some(first.chain(after.iter().zip(texts[last..].iter().cloned())).collect())
    }
}

fn field(reader: &mut Reader<'_>) -> Result<Field, InvalidPattern> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    // The expression begins with the field's own name, so that is looked at without taking it.
    let mut ahead = Reader::new(reader.rest());
    let name = ahead.word(plain).to_owned();
    if name.is_empty() {
        return Err(reader.wrong("a field's name is missing"));
    }
    if ahead.is_done() || ahead.take(",") {
        reader.word(plain);
        return Ok(Field { name, expression: None });
    }
    let expected = name.clone();
    let expression = reader.expression(&move |reader| {
        let subject = reader.word(plain).to_owned();
        if subject == expected {
            Ok(subject)
        } else {
            Err(reader.wrong("a field is compared under its own name"))
        }
    })?;
    Ok(Field { name, expression: Some(expression) })
}

/// Splits a text at its spaces.
fn split(text: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let quoted = close.and_then(|close| rest[1..].split_once(close));
        let (field, after) = match quoted {
            Some(found) => found,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        fields.push(field.to_owned());
        rest = after.trim_start();
    }
    fields
}

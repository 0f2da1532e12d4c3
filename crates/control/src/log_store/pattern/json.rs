//! Patterns for events that are JSON: `{ $.a.b[0] = "x*" && ($.n > 3 || $.ok IS TRUE) }`.

use super::InvalidPattern;
use super::expression::{Check, Expression, Order, Reader};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(super) struct Json {
    expression: Expression,
    selectors: BTreeMap<String, Vec<Step>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
    AnyElement,
}

impl Json {
    pub(super) fn parse(given: &str) -> Result<Json, InvalidPattern> {
        let mut reader = Reader::new(given);
        let expression = reader.expression(&|reader| {
            let word = reader.word(|c| {
                c.is_alphanumeric() || matches!(c, '$' | '.' | '_' | '-' | '[' | ']' | '*' | '@' | ':' | '/')
            });
            if word.starts_with('$') {
                Ok(word.to_owned())
            } else {
                Err(reader.wrong("a selector begins with '$.'"))
            }
        })?;
        if !reader.is_done() {
            return Err(reader.wrong("something follows the last comparison"));
        }
        let mut selectors = BTreeMap::new();
        for subject in expression.subjects() {
            let steps =
                steps(subject).ok_or_else(|| InvalidPattern(format!("'{subject}' is not a selector")))?;
            selectors.insert(subject.to_owned(), steps);
        }
        Ok(Json { expression, selectors })
    }

    pub(super) fn match_text(&self, text: &str) -> bool {
        let Ok(event) = serde_json::from_str::<Value>(text) else { return false };
        if !event.is_object() && !event.is_array() {
            return false;
        }
        self.expression.holds(&|test| {
            let mut found = Vec::new();
            if let Some(steps) = self.selectors.get(&test.subject) {
                select(&event, steps, &mut found);
            }
            match &test.check {
                Check::NotExists => found.is_empty(),
                Check::IsNull => found.iter().any(|value| value.is_null()),
                Check::IsTrue => found.iter().any(|value| **value == Value::Bool(true)),
                Check::IsFalse => found.iter().any(|value| **value == Value::Bool(false)),
                Check::Compare(order, wanted) => found.iter().any(|value| match value {
                    Value::String(text) => wanted.compare_text(*order, text),
                    Value::Number(number) => {
                        number.as_f64().is_some_and(|number| wanted.compare_number(*order, number))
                    }
                    Value::Bool(flag) => wanted.compare_text(*order, if *flag { "true" } else { "false" }),
                    Value::Null | Value::Array(_) | Value::Object(_) => *order == Order::Different,
                }),
            }
        })
    }

    pub(super) fn extract(&self, text: &str) -> Vec<(String, String)> {
        let Ok(event) = serde_json::from_str::<Value>(text) else { return Vec::new() };
        let one = |(name, steps): (&String, &Vec<Step>)| {
            let mut found = Vec::new();
            select(&event, steps, &mut found);
            let shown = match found.first()? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some((name.clone(), shown))
        };
        self.selectors.iter().filter_map(one).collect()
    }
}

fn select<'v>(value: &'v Value, steps: &[Step], found: &mut Vec<&'v Value>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(value);
        return;
    };
    match (step, value) {
        (Step::Member(name), Value::Object(members)) => {
            if let Some(member) = members.get(name) {
                select(member, rest, found);
            }
        }
        (Step::Element(place), Value::Array(elements)) => {
            if let Some(element) = elements.get(*place) {
                select(element, rest, found);
            }
        }
        (Step::AnyElement, Value::Array(elements)) => {
            elements.iter().for_each(|element| select(element, rest, found));
        }
        (_, _) => {}
    }
}

/// Takes `$.a.b[0].c` apart.
fn steps(selector: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = selector.strip_prefix('$')?;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (place, after) = inner.split_once(']')?;
            steps.push(match place {
                "*" => Step::AnyElement,
                place => Step::Element(place.parse().ok()?),
            });
            rest = after;
        } else {
            let inner = rest.strip_prefix('.')?;
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            let (name, after) = inner.split_at(end);
            match name {
                "" if after.starts_with('[') => {}
                "" => return None,
                "*" => steps.push(Step::AnyElement),
                name => steps.push(Step::Member(name.to_owned())),
            }
            rest = after;
        }
    }
    (!steps.is_empty()).then_some(steps)
}

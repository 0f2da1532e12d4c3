//! Comparisons joined by `&&`, `||` and parentheses, as patterns for JSON and for fields have them.

use super::InvalidPattern;
use regex::{Regex, RegexBuilder};
use wharf_plan::wildcard::fits;

/// The most parentheses inside each other.
const DEPTH_MAX: usize = 32;

/// What must hold.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Test(Test),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// One comparison.
#[derive(Debug, Clone)]
pub(super) struct Test {
    /// What is compared: a selector, or a field's name.
    pub(super) subject: String,
    pub(super) check: Check,
}

#[derive(Debug, Clone)]
pub(super) enum Check {
    Compare(Order, Value),
    IsNull,
    IsTrue,
    IsFalse,
    NotExists,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Different,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Number(f64, String),
    /// `*` stands for anything.
    Text(String),
    Regex(Regex),
}

impl Expression {
    pub(super) fn holds(&self, test: &impl Fn(&Test) -> bool) -> bool {
        match self {
            Expression::Test(one) => test(one),
            Expression::All(parts) => parts.iter().all(|part| part.holds(test)),
            Expression::Any(parts) => parts.iter().any(|part| part.holds(test)),
        }
    }

    /// Returns the subjects of all tests, in the order they stand.
    pub(super) fn subjects(&self) -> Vec<&str> {
        match self {
            Expression::Test(test) => vec![&test.subject],
            Expression::All(parts) | Expression::Any(parts) => {
                parts.iter().flat_map(Expression::subjects).collect()
            }
        }
    }
}

impl Order {
    fn fits(self, ordering: Option<std::cmp::Ordering>) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        match self {
            Order::Equal => ordering == Some(Equal),
            Order::Different => ordering != Some(Equal),
            Order::Less => ordering == Some(Less),
            Order::LessOrEqual => matches!(ordering, Some(Less | Equal)),
            Order::More => ordering == Some(Greater),
            Order::MoreOrEqual => matches!(ordering, Some(Greater | Equal)),
        }
    }
}

impl Value {
    /// Compares a text; a number is compared as one when the text is a number too.
    pub(super) fn compare_text(&self, order: Order, text: &str) -> bool {
        let equal = match self {
            Value::Number(wanted, spelled) => match text.parse::<f64>() {
                Ok(number) => return order.fits(number.partial_cmp(wanted)),
                Err(_) => text == spelled,
            },
            Value::Text(wanted) => fits(wanted, text),
            Value::Regex(regex) => regex.is_match(text),
        };
        match order {
            Order::Equal => equal,
            Order::Different => !equal,
            Order::Less | Order::LessOrEqual | Order::More | Order::MoreOrEqual => false,
        }
    }

    /// Compares a number.
    pub(super) fn compare_number(&self, order: Order, number: f64) -> bool {
        match self {
            Value::Number(wanted, _) => order.fits(number.partial_cmp(wanted)),
            Value::Text(_) | Value::Regex(_) => self.compare_text(order, &number.to_string()),
        }
    }
}

/// Makes a regular expression of a pattern's.
pub(super) fn regex(given: &str) -> Result<Regex, InvalidPattern> {
    let built = RegexBuilder::new(given).size_limit(1 << 20).build();
    built.map_err(|_| InvalidPattern(format!("'%{given}%' is not a regular expression that is supported")))
}

/// Reads expressions from left to right.
pub(super) struct Reader<'a> {
    whole: &'a str,
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(given: &'a str) -> Reader<'a> {
        Reader { whole: given, rest: given.trim(), depth: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(super) fn wrong(&self, why: &str) -> InvalidPattern {
        InvalidPattern(format!("'{}': {why}", self.whole.trim()))
    }

    /// Takes `token` if it is next.
    pub(super) fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let next = self.rest.get(..word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word));
        let after = self.rest.get(word.len()..).unwrap_or_default();
        let ends = after.chars().next().is_none_or(|c| !c.is_alphanumeric());
        if next && ends {
            self.rest = after.trim_start();
        }
        next && ends
    }

    /// Reads everything that is joined by `||`.
    pub(super) fn expression(
        &mut self,
        subject: &impl Fn(&mut Reader<'a>) -> Result<String, InvalidPattern>,
    ) -> Result<Expression, InvalidPattern> {
        let mut parts = vec![self.all(subject)?];
        while self.take("||") {
            parts.push(self.all(subject)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Any(parts) })
    }

    fn all(
        &mut self,
        subject: &impl Fn(&mut Reader<'a>) -> Result<String, InvalidPattern>,
    ) -> Result<Expression, InvalidPattern> {
        let mut parts = vec![self.one(subject)?];
        while self.take("&&") {
            parts.push(self.one(subject)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::All(parts) })
    }

    fn one(
        &mut self,
        subject: &impl Fn(&mut Reader<'a>) -> Result<String, InvalidPattern>,
    ) -> Result<Expression, InvalidPattern> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err(self.wrong("too many parentheses"));
            }
            let inner = self.expression(subject)?;
            self.depth -= 1;
            return if self.take(")") { Ok(inner) } else { Err(self.wrong("a parenthesis is not closed")) };
        }
        let subject = subject(self)?;
        let check = self.check()?;
        Ok(Expression::Test(Test { subject, check }))
    }

    fn check(&mut self) -> Result<Check, InvalidPattern> {
        if self.take_word("IS") {
            for (word, check) in [("NULL", Check::IsNull), ("TRUE", Check::IsTrue), ("FALSE", Check::IsFalse)]
            {
                if self.take_word(word) {
                    return Ok(check);
                }
            }
            return Err(self.wrong("IS must be followed by NULL, TRUE or FALSE"));
        }
        if self.take_word("NOT") {
            return if self.take_word("EXISTS") {
                Ok(Check::NotExists)
            } else {
                Err(self.wrong("NOT must be followed by EXISTS"))
            };
        }
        let orders = [
            ("!=", Order::Different),
            ("<=", Order::LessOrEqual),
            (">=", Order::MoreOrEqual),
            ("=", Order::Equal),
            ("<", Order::Less),
            (">", Order::More),
        ];
        let order = orders.into_iter().find(|(token, _)| self.take(token)).map(|(_, order)| order);
        let order = order.ok_or_else(|| self.wrong("a comparison is missing"))?;
        let value = self.value()?;
        let ordered = !matches!(order, Order::Equal | Order::Different);
        if ordered && !matches!(value, Value::Number(..)) {
            return Err(self.wrong("only numbers are less or more than another"));
        }
        Ok(Check::Compare(order, value))
    }

    fn value(&mut self) -> Result<Value, InvalidPattern> {
        if let Some(inner) = self.rest.strip_prefix('%') {
            let end = inner.find('%').ok_or_else(|| self.wrong("a percent sign is not closed"))?;
            let made = regex(&inner[..end])?;
            self.rest = inner[end + 1..].trim_start();
            return Ok(Value::Regex(made));
        }
        if self.rest.starts_with('"') {
            return Ok(Value::Text(self.quoted()?));
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, ')' | '(' | '&' | '|' | ',' | '}' | ']');
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        if text.is_empty() {
            return Err(self.wrong("a value is missing"));
        }
        self.rest = rest.trim_start();
        Ok(match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number, text.to_owned()),
            _ => Value::Text(text.to_owned()),
        })
    }

    /// Reads a text between quotation marks.
    pub(super) fn quoted(&mut self) -> Result<String, InvalidPattern> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = self.rest[at + 1..].trim_start();
                    return Ok(text);
                }
                '\\' => text.extend(letters.next().map(|(_, escaped)| escaped)),
                letter => text.push(letter),
            }
        }
        Err(self.wrong("a quotation mark is not closed"))
    }

    /// Reads the letters for which `fits` says yes.
    pub(super) fn word(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }
}

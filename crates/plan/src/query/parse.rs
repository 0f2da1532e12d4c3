//! From text to an expression.

use super::{Check, Expression, Pattern, Subject};
use regex::Regex;
use std::cmp::Ordering;

/// How deep parentheses and negations may be nested.
const DEPTH_MAX: usize = 32;
/// How long an expression may be.
const LENGTH_MAX: usize = 2_000;

/// Reads a whole text.
pub(super) fn expression(given: &str) -> Result<Expression, String> {
    if given.chars().count() > LENGTH_MAX {
        return Err(format!("it has more than {LENGTH_MAX} characters"));
    }
    let mut reader = Reader { rest: given, depth: 0 };
    let expression = reader.any()?;
    match reader.rest.trim_start() {
        "" => Ok(expression),
        rest => Err(format!("unexpected '{rest}'")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn any(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all()?];
        while self.takes("||") || self.takes_word("or") {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.not()?];
        while self.takes("&&") || self.takes_word("and") {
            parts.push(self.not()?);
        }
        Ok(joined(parts, Expression::All))
    }

    fn not(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("it is nested more than {DEPTH_MAX} deep"));
        }
        let read = if self.takes("!") || self.takes_word("not") {
            Expression::Not(Box::new(self.not()?))
        } else if self.takes("(") {
            let inner = self.any()?;
            if !self.takes(")") {
                return Err("a ')' is missing".to_owned());
            }
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(read)
    }

    fn test(&mut self) -> Result<Expression, String> {
        let name = self.word();
        let subject = subject(name)?;
        let operator = self.operator();
        let (check, negated) = match operator {
            "exists" => (Check::Exists, false),
            "!exists" | "not_exists" => (Check::Exists, true),
            "==" | "equals" => (self.compare(&[Ordering::Equal])?, false),
            "!=" | "not_equals" => (self.compare(&[Ordering::Equal])?, true),
            ">" | "greater_than" => (self.compare(&[Ordering::Greater])?, false),
            ">=" | "greater_than_equal" => (self.compare(&[Ordering::Greater, Ordering::Equal])?, false),
            "<" | "less_than" => (self.compare(&[Ordering::Less])?, false),
            "<=" | "less_than_equal" => (self.compare(&[Ordering::Less, Ordering::Equal])?, false),
            "in" => (self.list()?, false),
            "!in" | "not_in" => (self.list()?, true),
            "=~" | "matches" => (self.pattern()?, false),
            "!~" | "not_matches" => (self.pattern()?, true),
            "" => return Err(format!("an operator is missing after '{name}'")),
            other => return Err(format!("unknown operator '{other}'")),
        };
        let test = Expression::Test(subject, check);
        Ok(if negated { Expression::Not(Box::new(test)) } else { test })
    }

    fn compare(&mut self, orders: &[Ordering]) -> Result<Check, String> {
        match self.word() {
            "" => Err("a value is missing".to_owned()),
            value => Ok(Check::Compare(orders.to_vec(), value.to_owned())),
        }
    }

    fn list(&mut self) -> Result<Check, String> {
        if !self.takes("[") {
            return Err("a list in brackets is missing".to_owned());
        }
        let mut items = Vec::new();
        loop {
            match self.word() {
                "" => return Err("a value is missing in the list".to_owned()),
                item => items.push(item.to_owned()),
            }
            if self.takes("]") {
                return Ok(Check::In(items));
            }
            if !self.takes(",") {
                return Err("a ']' is missing".to_owned());
            }
        }
    }

    /// Reads a regular expression: up to the next space, without closing parentheses that it does not open.
    fn pattern(&mut self) -> Result<Check, String> {
        let rest = self.rest.trim_start();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let mut text = &rest[..end];
        while text.ends_with(')') && text.matches(')').count() > text.matches('(').count() {
            text = &text[..text.len() - 1];
        }
        if text.is_empty() {
            return Err("a pattern is missing".to_owned());
        }
        self.rest = &rest[text.len()..];
        let whole = Regex::new(&format!("^(?:{text})$")).map_err(|_| format!("'{text}' is no pattern"))?;
        Ok(Check::Matches(Pattern(whole)))
    }

    /// Reads the letters up to what ends a word.
    fn word(&mut self) -> &'a str {
        self.take_while(|letter| !letter.is_whitespace() && !"()[],=!<>&|~".contains(letter))
    }

    fn operator(&mut self) -> &'a str {
        let rest = self.rest.trim_start();
        let letters = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
        match rest.strip_prefix('!') {
            Some(word) if word.starts_with(letters) => {
                let end = word.find(|letter| !letters(letter)).unwrap_or(word.len());
                self.rest = &word[end..];
                &rest[..=end]
            }
            _ if rest.starts_with(letters) => self.take_while(letters),
            _ => self.take_while(|letter| "=!<>~".contains(letter)),
        }
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest.trim_start();
        let end = rest.find(|letter| !belongs(letter)).unwrap_or(rest.len());
        self.rest = &rest[end..];
        &rest[..end]
    }

    fn takes(&mut self, sign: &str) -> bool {
        match self.rest.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let before = self.rest;
        let taken = self.word() == word;
        if !taken {
            self.rest = before;
        }
        taken
    }
}

fn joined(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}

fn subject(name: &str) -> Result<Subject, String> {
    match name {
        "" => Err("a subject is missing".to_owned()),
        "agentConnected" => Ok(Subject::AgentConnected),
        "agentVersion" => Ok(Subject::AgentVersion),
        "ec2InstanceId" => Ok(Subject::InstanceId),
        "registeredAt" => Ok(Subject::RegisteredAt),
        "runningTasksCount" => Ok(Subject::RunningTasks),
        "task:group" => Ok(Subject::TaskGroup),
        other => match other.strip_prefix("attribute:").filter(|name| !name.is_empty()) {
            Some(name) => Ok(Subject::Attribute(name.to_owned())),
            None => Err(format!("unknown subject '{other}'")),
        },
    }
}

//! A listener's rules: which of them a request is for.
//!
//! Two look-ups, one by host and one by path, leave few candidates; only these are looked at closely, in the order of
//! their priorities. So many rules cost hardly more than one.

use crate::{
    host,
    index::{End, Index},
    pattern::Pattern,
    rewrite::Rewrites,
};
use regex::bytes::Regex;
use std::net::IpAddr;
use wharf_model::{
    routing::RuleRoutes,
    rule::{Block, Condition, Patterns, QueryPattern, expression},
};

/// The longest host that is looked up; longer ones are no host's name.
const HOST_MAX: usize = 255;

/// What a rule looks at in a request.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) method: &'a [u8],
    /// The `Host` header as it came.
    pub(crate) host: &'a [u8],
    pub(crate) path: &'a [u8],
    pub(crate) query: &'a [u8],
    pub(crate) from: IpAddr,
    pub(crate) headers: &'a dyn Headers,
}

/// A request's headers, however they are held.
pub(crate) trait Headers {
    /// Returns whether any value of this header is `wanted`.
    fn any(&self, name: &str, wanted: &mut dyn FnMut(&[u8]) -> bool) -> bool;
}

/// The rules of a listener, each with what it leads to.
#[derive(Debug)]
pub(crate) struct Rules<T> {
    rules: Vec<Rule<T>>,
    hosts: Index,
    paths: Index,
}

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule<T> {
    /// Its place among the others.
    pub(crate) priority: u32,
    tests: Vec<Test>,
    /// How requests are rewritten.
    pub(crate) rewrites: Rewrites,
    /// What is done with them.
    pub(crate) done: T,
}

/// A condition that is not an index's alone.
#[derive(Debug)]
enum Test {
    Host(Texts),
    Path(Texts),
    Header(String, Texts),
    Method(Vec<Vec<u8>>),
    Query(Vec<(Option<Pattern>, Pattern)>),
    Source(Vec<Block>),
}

/// What a text may be.
#[derive(Debug)]
enum Texts {
    Patterns(Vec<Pattern>),
    Expressions(Vec<Regex>),
}

impl<T> Rules<T> {
    /// Compiles rules, which are in the order of their priorities.
    pub(crate) fn new(sent: &[RuleRoutes], done: impl Fn(&RuleRoutes) -> T) -> Rules<T> {
        let patterns = |rule: &RuleRoutes, any_case: bool| {
            rule.conditions.iter().find_map(|condition| match condition {
                Condition::HostHeader(Patterns::Wildcards(values)) if any_case => {
                    Some(compiled(values, true))
                }
                Condition::PathPattern(Patterns::Wildcards(values)) if !any_case => {
                    Some(compiled(values, false))
                }
                _ => None,
            })
        };
        let hosts: Vec<_> = sent.iter().map(|rule| patterns(rule, true)).collect();
        let paths: Vec<_> = sent.iter().map(|rule| patterns(rule, false)).collect();
        let rules = sent.iter().map(|rule| Rule {
            priority: rule.priority,
            tests: rule.conditions.iter().map(Test::new).collect(),
            rewrites: Rewrites::new(&rule.transforms),
            done: done(rule),
        });
        Rules {
            rules: rules.collect(),
            hosts: Index::new(End::Tail, &hosts),
            paths: Index::new(End::Head, &paths),
        }
    }

    /// Returns the number of the rule that a request is for.
    pub(crate) fn decide(&self, asked: &Question<'_>) -> Option<usize> {
        if self.rules.is_empty() {
            return None;
        }
        let bare = bare(asked.host);
        let mut lower = [0; HOST_MAX];
        let host = match lower.get_mut(..bare.len()) {
            Some(lower) => {
                lower.copy_from_slice(bare);
                lower.make_ascii_lowercase();
                &*lower
            }
            None => bare,
        };
        let (hosts, paths) = (self.hosts.candidates(host), self.paths.candidates(asked.path));
        for word in 0..self.rules.len().div_ceil(64) {
            let mut left = hosts.word(word) & paths.word(word);
            while left != 0 {
                let number = word * 64 + left.trailing_zeros() as usize;
                if self.rules[number].tests.iter().all(|test| test.holds(asked, host)) {
                    return Some(number);
                }
                left &= left - 1;
            }
        }
        None
    }

    /// Returns a rule.
    pub(crate) fn get(&self, number: usize) -> Option<&Rule<T>> {
        self.rules.get(number)
    }
}

impl Test {
    fn new(condition: &Condition) -> Test {
        match condition {
            Condition::HostHeader(patterns) => Test::Host(Texts::new(patterns, true)),
            Condition::PathPattern(patterns) => Test::Path(Texts::new(patterns, false)),
            Condition::HttpHeader { name, patterns } => {
                Test::Header(name.clone(), Texts::new(patterns, true))
            }
            Condition::HttpRequestMethod(methods) => {
                Test::Method(methods.iter().map(|method| method.clone().into_bytes()).collect())
            }
            Condition::QueryString(pairs) => {
                let pattern = |text: &String| Pattern::new(text, true);
                let pair =
                    |QueryPattern { key, value }: &QueryPattern| (key.as_ref().map(pattern), pattern(value));
                Test::Query(pairs.iter().map(pair).collect())
            }
            Condition::SourceIp(blocks) => Test::Source(blocks.clone()),
        }
    }

    fn holds(&self, asked: &Question<'_>, host: &[u8]) -> bool {
        match self {
            // A port may be meant by an expression only: patterns cannot have one.
            Test::Host(texts) => texts.match_one(host) || texts.match_expression(asked.host),
            Test::Path(texts) => texts.match_one(asked.path),
            Test::Header(name, texts) => asked.headers.any(name, &mut |value| texts.match_one(value)),
            Test::Method(methods) => methods.iter().any(|method| method == asked.method),
            Test::Query(pairs) => pairs.iter().any(|(key, value)| in_query(asked.query, key.as_ref(), value)),
            Test::Source(blocks) => blocks.iter().any(|block| block.contains(asked.from)),
        }
    }
}

impl Texts {
    fn new(patterns: &Patterns, any_case: bool) -> Texts {
        match patterns {
            Patterns::Wildcards(values) => Texts::Patterns(compiled(values, any_case)),
            Patterns::Regexes(values) => Texts::Expressions(
                values
                    .iter()
                    .filter_map(|text| {
                        // Control has compiled it before; one that fails here matches nothing.
                        let compiled = expression(text, any_case);
                        compiled
                            .inspect_err(
                                |error| tracing::error!(text, %error, "expression is not understood"),
                            )
                            .ok()
                    })
                    .collect(),
            ),
        }
    }

    fn match_one(&self, text: &[u8]) -> bool {
        match self {
            Texts::Patterns(patterns) => patterns.iter().any(|pattern| pattern.matches(text)),
            Texts::Expressions(_) => self.match_expression(text),
        }
    }

    fn match_expression(&self, text: &[u8]) -> bool {
        match self {
            Texts::Patterns(_) => false,
            Texts::Expressions(expressions) => expressions.iter().any(|expression| expression.is_match(text)),
        }
    }
}

fn compiled(values: &[String], any_case: bool) -> Vec<Pattern> {
    values.iter().map(|text| Pattern::new(text, any_case)).collect()
}

fn bare(host: &[u8]) -> &[u8] {
    std::str::from_utf8(host).map_or(host, |host| host::bare(host).as_bytes())
}

/// Returns whether a query has a pair like this. A part without `=` is a value without a key and a key without a value.
fn in_query(query: &[u8], key: Option<&Pattern>, value: &Pattern) -> bool {
    query.split(|byte| *byte == b'&').any(|part| {
        let equals = part.iter().position(|byte| *byte == b'=');
        match (key, equals) {
            (Some(key), Some(at)) => key.matches(&part[..at]) && value.matches(&part[at + 1..]),
            (Some(key), None) => key.matches(part) && value.matches(b""),
            (None, Some(at)) => value.matches(&part[at + 1..]),
            (None, None) => !part.is_empty() && value.matches(part),
        }
    })
}

#[cfg(test)]
mod tests;

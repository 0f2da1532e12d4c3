//! Which of a listener's rules a text, a host or a path, may be for: looked up, not tried one after the other.
//!
//! A rule is filed under the texts that its patterns are for, when these are simple: whole, or with a `*` at the
//! one end that the index is for. All other rules are candidates for every text.

use crate::pattern::{Pattern, Plain};
use std::collections::HashMap;

/// A set of rules, one bit for each, the first in the lowest.
pub(crate) type Bits = Box<[u64]>;

/// An index.
#[derive(Debug)]
pub(crate) struct Index {
    end: End,
    always: Bits,
    whole: HashMap<Box<[u8]>, Bits>,
    parts: Vec<Node>,
}

/// The end of the text that a pattern fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Head,
    Tail,
}

/// A text that some pattern's fixed part begins with.
#[derive(Debug, Default)]
struct Node {
    next: Vec<(u8, usize)>,
    /// Those of the shorter texts included.
    rules: Option<Bits>,
}

/// The rules that a text may be for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidates<'a> {
    sets: [Option<&'a Bits>; 3],
}

impl Candidates<'_> {
    /// Returns the candidates among the rules of one word.
    pub(crate) fn word(&self, word: usize) -> u64 {
        self.sets.iter().flatten().fold(0, |all, bits| all | bits[word])
    }
}

impl Index {
    /// Makes an index from the patterns of each rule; a rule without any is for every text.
    pub(crate) fn new(end: End, rules: &[Option<Vec<Pattern>>]) -> Index {
        let words = rules.len().div_ceil(64);
        let empty = || vec![0; words].into_boxed_slice();
        let mut index = Index { end, always: empty(), whole: HashMap::new(), parts: vec![Node::default()] };
        for (number, patterns) in rules.iter().enumerate() {
            let set = |bits: &mut Bits| bits[number / 64] |= 1 << (number % 64);
            let plain = |pattern: &Pattern| match (pattern.plain()?, end) {
                (Plain::Head(_), End::Tail) | (Plain::Tail(_), End::Head) => None,
                (plain, _) => Some(plain),
            };
            let plains =
                patterns.as_ref().and_then(|some| some.iter().map(plain).collect::<Option<Vec<_>>>());
            let Some(plains) = plains else {
                set(&mut index.always);
                continue;
            };
            for plain in plains {
                match plain {
                    Plain::Whole(text) => set(index.whole.entry(text.into()).or_insert_with(empty)),
                    Plain::Head(text) => set(index.node(text.into_iter()).get_or_insert_with(empty)),
                    Plain::Tail(text) => set(index.node(text.into_iter().rev()).get_or_insert_with(empty)),
                }
            }
        }
        index.hand_down(0, &empty());
        index
    }

    /// Returns the rules that a text may be for.
    pub(crate) fn candidates(&self, text: &[u8]) -> Candidates<'_> {
        let whole = if self.whole.is_empty() { None } else { self.whole.get(text) };
        let parts = match self.end {
            End::Head => self.walk(text.iter()),
            End::Tail => self.walk(text.iter().rev()),
        };
        Candidates { sets: [Some(&self.always), whole, parts] }
    }

    fn walk<'a>(&self, text: impl Iterator<Item = &'a u8>) -> Option<&Bits> {
        let mut node = &self.parts[0];
        let mut found = node.rules.as_ref();
        for byte in text {
            let Ok(place) = node.next.binary_search_by_key(byte, |(byte, _)| *byte) else { break };
            node = &self.parts[node.next[place].1];
            found = node.rules.as_ref().or(found);
        }
        found
    }

    /// Returns the rules of the node for this text, which is made if need be.
    fn node(&mut self, text: impl Iterator<Item = u8>) -> &mut Option<Bits> {
        let mut at = 0;
        for byte in text {
            at = match self.parts[at].next.binary_search_by_key(&byte, |(byte, _)| *byte) {
                Ok(place) => self.parts[at].next[place].1,
                Err(place) => {
                    let fresh = self.parts.len();
                    self.parts.push(Node::default());
                    self.parts[at].next.insert(place, (byte, fresh));
                    fresh
                }
            };
        }
        &mut self.parts[at].rules
    }

    /// Adds to every node the rules of those above it.
    fn hand_down(&mut self, root: usize, above: &Bits) {
        let mut open = vec![(root, above.clone())];
        while let Some((at, mut rules)) = open.pop() {
            if let Some(own) = &mut self.parts[at].rules {
                for (own, above) in own.iter_mut().zip(&rules) {
                    *own |= above;
                }
                rules.clone_from(own);
            }
            open.extend(self.parts[at].next.iter().map(|(_, below)| (*below, rules.clone())));
        }
    }
}

#[cfg(test)]
mod tests;

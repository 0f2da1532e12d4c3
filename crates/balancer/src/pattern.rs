//! Patterns with wildcards: `*` for any number of characters, `?` for one, a backslash before what is meant itself.

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
    any_case: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Byte(u8),
    One,
    Any,
}

/// What a pattern comes to when its only wildcard, if any, is a `*` at one end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plain {
    /// Just this.
    Whole(Vec<u8>),
    /// This and anything after it.
    Head(Vec<u8>),
    /// Anything and this after it.
    Tail(Vec<u8>),
}

impl Pattern {
    /// Compiles a pattern.
    pub(crate) fn new(text: &str, any_case: bool) -> Pattern {
        let mut parts = Vec::with_capacity(text.len());
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            let part = match byte {
                b'*' if parts.last() == Some(&Part::Any) => continue,
                b'*' => Part::Any,
                b'?' => Part::One,
                b'\\' => Part::Byte(bytes.next().unwrap_or(b'\\')),
                byte => Part::Byte(byte),
            };
            parts.push(match part {
                Part::Byte(byte) if any_case => Part::Byte(byte.to_ascii_lowercase()),
                part => part,
            });
        }
        Pattern { parts, any_case }
    }

    /// Returns whether the whole of a text matches.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let (mut at, mut part) = (0, 0);
        // Where the last `*` was, and how much of the text it takes up to now.
        let mut star = None;
        while at < text.len() {
            let byte = if self.any_case { text[at].to_ascii_lowercase() } else { text[at] };
            match self.parts.get(part) {
                Some(Part::Any) => {
                    star = Some((part, at));
                    part += 1;
                    continue;
                }
                Some(Part::One) => {
                    (at, part) = (at + 1, part + 1);
                    continue;
                }
                Some(Part::Byte(wanted)) if *wanted == byte => {
                    (at, part) = (at + 1, part + 1);
                    continue;
                }
                Some(Part::Byte(_)) | None => {}
            }
            let Some((of, taken)) = star else { return false };
            star = Some((of, taken + 1));
            (at, part) = (taken + 1, of + 1);
        }
        self.parts[part..].iter().all(|part| *part == Part::Any)
    }

    /// Returns what it comes to when it is simple.
    pub(crate) fn plain(&self) -> Option<Plain> {
        let literal = |parts: &[Part]| {
            let byte = |part: &Part| match part {
                Part::Byte(byte) => Some(*byte),
                Part::One | Part::Any => None,
            };
            parts.iter().map(byte).collect::<Option<Vec<u8>>>()
        };
        match self.parts.as_slice() {
            [head @ .., Part::Any] => Some(Plain::Head(literal(head)?)),
            [Part::Any, tail @ ..] => Some(Plain::Tail(literal(tail)?)),
            whole => Some(Plain::Whole(literal(whole)?)),
        }
    }
}

#[cfg(test)]
mod tests;

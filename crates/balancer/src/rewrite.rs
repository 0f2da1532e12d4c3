//! How a rule rewrites a request before it goes to a target.

use regex::bytes::{Captures, Regex};
use wharf_model::rule::{RewrittenPart, Transform, expression};

/// A rule's rewrites; none for most.
#[derive(Debug, Default)]
pub(crate) struct Rewrites {
    host: Option<Rewrite>,
    url: Option<Rewrite>,
}

#[derive(Debug)]
struct Rewrite {
    matched: Regex,
    replace: String,
}

/// What was made of a request is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfit;

impl Rewrites {
    /// Compiles transforms.
    pub(crate) fn new(transforms: &[Transform]) -> Rewrites {
        let of = |part: RewrittenPart| {
            let Transform { regex, replace, .. } =
                transforms.iter().find(|transform| transform.part == part)?;
            let compiled = expression(regex, false);
            let compiled =
                compiled.inspect_err(|error| tracing::error!(regex, %error, "expression is not understood"));
            Some(Rewrite { matched: compiled.ok()?, replace: replace.clone() })
        };
        Rewrites { host: of(RewrittenPart::HostHeader), url: of(RewrittenPart::Url) }
    }

    /// Returns the new host; nothing when it stays as it is.
    pub(crate) fn host(&self, host: &str) -> Result<Option<String>, Unfit> {
        let Some(made) = self.host.as_ref().and_then(|rewrite| rewrite.of(host.as_bytes())) else {
            return Ok(None);
        };
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte);
        match String::from_utf8(made) {
            Ok(host) if !host.is_empty() && host.bytes().all(fine) => Ok(Some(host)),
            _ => Err(Unfit),
        }
    }

    /// Returns the new path and query; nothing when they stay as they are.
    pub(crate) fn url(&self, url: &[u8]) -> Result<Option<Vec<u8>>, Unfit> {
        let Some(made) = self.url.as_ref().and_then(|rewrite| rewrite.of(url)) else { return Ok(None) };
        let fine = |byte: &u8| *byte > b' ' && *byte < 0x7f && *byte != b'#';
        if made.starts_with(b"/") && made.iter().all(fine) { Ok(Some(made)) } else { Err(Unfit) }
    }
}

impl Rewrite {
    /// Returns the text with the match replaced; nothing when there is none.
    fn of(&self, text: &[u8]) -> Option<Vec<u8>> {
        let captures = self.matched.captures(text)?;
        let matched = captures.get(0)?;
        let mut made = text[..matched.start()].to_vec();
        self.expand(&captures, &mut made);
        made.extend_from_slice(&text[matched.end()..]);
        Some(made)
    }

    /// Appends the replacement. A `$` and a digit stand for a group, so that `$1x` is the first group and an x.
    fn expand(&self, captures: &Captures<'_>, made: &mut Vec<u8>) {
        let mut bytes = self.replace.bytes().peekable();
        while let Some(byte) = bytes.next() {
            match (byte, bytes.peek()) {
                (b'$', Some(digit @ b'0'..=b'9')) => {
                    let group = captures.get(usize::from(digit - b'0'));
                    made.extend_from_slice(group.map(|group| group.as_bytes()).unwrap_or_default());
                    bytes.next();
                }
                _ => made.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests;

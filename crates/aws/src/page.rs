//! The opaque token that continues a listing.
//!
//! A token is base64 of a version byte, a checksum and the key of the last item that was returned. The
//! checksum is no secret: it turns a mangled or foreign token into an error instead of a wrong page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const CHECKSUM: usize = 4;

/// A token that no listing here gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid pagination token")]
pub struct InvalidToken;

/// Returns the token after which the listing goes on behind `last_key`.
pub fn token(last_key: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&checksum(last_key));
    bytes.extend_from_slice(last_key.as_bytes());
    STANDARD.encode(bytes)
}

/// Returns the key of the last item that was returned before `token`.
pub fn last_key(token: &str) -> Result<String, InvalidToken> {
    let bytes = STANDARD.decode(token).map_err(|_| InvalidToken)?;
    let (&version, rest) = bytes.split_first().ok_or(InvalidToken)?;
    let (sum, key) = rest.split_at_checked(CHECKSUM).ok_or(InvalidToken)?;
    let key = std::str::from_utf8(key).map_err(|_| InvalidToken)?;
    if version == VERSION && sum == checksum(key) { Ok(key.to_owned()) } else { Err(InvalidToken) }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// The token of the next page, if there is one.
    pub next: Option<String>,
}

/// Returns the page of at most `limit` items behind `token`.
///
/// Items must come in ascending order of their keys. An item that was deleted between two pages
/// does not disturb the listing, because the token names a key and not a position.
pub fn page<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    token_given: Option<&str>,
    limit: usize,
) -> Result<Page<T>, InvalidToken> {
    let after = token_given.map(last_key).transpose()?;
    let mut rest = items.into_iter().filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
    let taken: Vec<T> = rest.by_ref().take(limit.max(1)).collect();
    let next = match (rest.next(), taken.last()) {
        (Some(_), Some(last)) => Some(token(&key(last))),
        (_, _) => None,
    };
    Ok(Page { items: taken, next })
}

fn checksum(key: &str) -> [u8; CHECKSUM] {
    let digest = Sha256::digest(key.as_bytes());
    [digest[0], digest[1], digest[2], digest[3]]
}

#[cfg(test)]
mod tests;

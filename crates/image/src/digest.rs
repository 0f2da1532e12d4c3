//! Names of content: `sha256:<64 hex>`. Nothing else is stored or fetched, so this is the only form.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// The digest of a blob, in the form `sha256:<64 lower-case hex digits>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// A text that is not a sha256 digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a digest of the form sha256:<64 hex digits>")]
pub struct InvalidDigest {
    /// The text that was given.
    pub given: String,
}

impl Digest {
    /// Returns the digest of `content`.
    pub fn of(content: &[u8]) -> Digest {
        Digest::from_hasher(Sha256::new_with_prefix(content))
    }

    /// Returns the 64 hex digits, without the algorithm: fit for a file name.
    pub fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }

    /// Returns the whole digest with its algorithm.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_hasher(hasher: Sha256) -> Digest {
        Digest(format!("sha256:{}", hex::encode(hasher.finalize())))
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(given: &str) -> Result<Digest, InvalidDigest> {
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match given.strip_prefix("sha256:") {
            Some(rest) if rest.len() == 64 && rest.bytes().all(hex) => Ok(Digest(given.to_owned())),
            _ => Err(InvalidDigest { given: given.to_owned() }),
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;

    fn try_from(given: String) -> Result<Digest, InvalidDigest> {
        given.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

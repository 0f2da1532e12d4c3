//! Image names as Docker reads them: `nginx` is `docker.io/library/nginx:latest`, a first part with a dot,
//! a colon or the word `localhost` is a registry, and a digest wins over a tag.
//!
//! Names of ECR repositories are recognised here, in AWS's form and in the local one; which machine answers
//! for them is the puller's configuration.

use crate::digest::{Digest, InvalidDigest};
use std::fmt;
use std::str::FromStr;

/// An image name that is complete: registry and repository, and what to take there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageName {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A repository of ECR, as an image name's registry and path spell it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EcrName {
    /// The twelve digits of the account.
    pub account: String,
    /// The region, such as `us-east-1`.
    pub region: String,
    /// The repository's name, such as `team/web`.
    pub repository: String,
}

/// Why a text is not an image name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The name as a whole has not the form of a reference.
    #[error("invalid reference format: {given:?}: {why}")]
    Form {
        /// The text that was given.
        given: String,
        /// Which part of it is wrong.
        why: &'static str,
    },
    /// What follows the `@` is no digest.
    #[error("invalid reference format: {given:?}")]
    Digest {
        /// The text that was given.
        given: String,
        /// What is wrong with the digest.
        source: InvalidDigest,
    },
}

impl ImageName {
    /// Returns the registry's host, with its port if it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns whether the registry is on this machine.
    pub fn is_on_this_machine(&self) -> bool {
        let host = self.registry.rsplit_once(':').map_or(self.registry.as_str(), |(host, _)| host);
        host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// Returns the repository's path at the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the tag: `latest` where neither tag nor digest was given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest the name pins.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Returns the ECR repository that this name means, if it means one.
    pub fn ecr(&self) -> Option<EcrName> {
        let mut parts = self.registry.splitn(5, '.');
        let account = parts.next().filter(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()))?;
        if (parts.next()?, parts.next()?) != ("dkr", "ecr") {
            return None;
        }
        let region = parts.next().filter(|region| is_region(region))?;
        let domain = parts.next()?;
        let host = domain.split_once(':').map_or(domain, |(host, _)| host);
        let known = domain == "amazonaws.com" || domain == "amazonaws.com.cn" || host == "localhost";
        known.then(|| EcrName {
            account: account.to_owned(),
            region: region.to_owned(),
            repository: self.repository.clone(),
        })
    }
}

impl FromStr for ImageName {
    type Err = InvalidName;

    fn from_str(given: &str) -> Result<ImageName, InvalidName> {
        let wrong = |why| InvalidName::Form { given: given.to_owned(), why };
        if given.is_empty() {
            return Err(wrong("it is empty"));
        }
        let (rest, digest) = match given.split_once('@') {
            None => (given, None),
            Some((rest, digest)) => match digest.parse() {
                Ok(digest) => (rest, Some(digest)),
                Err(source) => return Err(InvalidName::Digest { given: given.to_owned(), source }),
            },
        };
        let slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (path, tag) = match rest[slash..].find(':') {
            None => (rest, None),
            Some(colon) => (&rest[..slash + colon], Some(&rest[slash + colon + 1..])),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong(
                "the tag has other characters than letters, digits, '_', '.', '-', or over 128",
            ));
        }
        let (registry, repository) = match path.split_once('/') {
            Some((first, rest)) if is_host(first) => (first, rest.to_owned()),
            Some(_) => ("docker.io", path.to_owned()),
            None => ("docker.io", format!("library/{path}")),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        let repository = match registry {
            "docker.io" if !repository.contains('/') => format!("library/{repository}"),
            _ => repository,
        };
        if !is_registry(registry) {
            return Err(wrong("the registry is not a host name with an optional port"));
        }
        if repository.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong("repository name must be lowercase"));
        }
        if !is_repository(&repository) {
            return Err(wrong("the repository's path is not valid"));
        }
        let tag = match (tag, &digest) {
            (None, None) => Some("latest".to_owned()),
            (tag, _) => tag.map(str::to_owned),
        };
        Ok(ImageName { registry: registry.to_owned(), repository, tag, digest })
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(out, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(out, "@{digest}")?;
        }
        Ok(())
    }
}

/// Returns whether `text` may name a repository: lower-case words joined by `.`, `_`, `__` or dashes, in
/// parts separated by slashes.
pub fn is_repository(text: &str) -> bool {
    text.len() <= 255 && text.split('/').all(is_path_part)
}

/// Returns whether `text` may be a tag.
pub fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= 128
        && word(bytes[0])
        && bytes.iter().all(|&byte| word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_path_part(part: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let joins = part
        .split(|c: char| word_char(c))
        .all(|join| matches!(join, "" | "." | "_" | "__") || join.bytes().all(|byte| byte == b'-'));
    let ends = [part.bytes().next(), part.bytes().last()];
    joins && ends.iter().all(|end| end.is_some_and(word))
}

fn word_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

/// Docker's rule for the first part of a name: a host has a dot or a port, or is `localhost`.
fn is_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':'])
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.len() <= 253 && host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_region(text: &str) -> bool {
    text.contains('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests;

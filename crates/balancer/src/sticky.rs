//! The cookies that keep a client with its target or group.
//!
//! A cookie's value is a mark, which names a target or group and says nothing to anybody else, and the time when it
//! ends. Marks follow from a key that is kept with the balancer's state, so cookies are understood after a restart.

use crate::group::Wish;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt::Write;
use time::{OffsetDateTime, macros::format_description};

/// The load balancer's cookie for a target, and its twin for requests from other sites.
pub(crate) const TARGET: [&str; 2] = ["AWSALB", "AWSALBCORS"];
/// The load balancer's cookie for a group, and its twin.
pub(crate) const GROUP: [&str; 2] = ["AWSALBTG", "AWSALBTGCORS"];
/// The load balancer's cookie beside one of the application's.
pub(crate) const APP: [&str; 1] = ["AWSALBAPP-0"];

const MARK: usize = 16;

/// What stands for a target or group.
pub(crate) type Mark = [u8; MARK];

/// What marks are made with.
#[derive(Debug)]
pub(crate) struct Marker(Vec<u8>);

impl Marker {
    /// Uses this secret.
    pub(crate) fn new(secret: Vec<u8>) -> Marker {
        Marker(secret)
    }

    /// Returns the mark of what has this name.
    pub(crate) fn mark(&self, name: &str) -> Mark {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0).expect("keys may have any length");
        mac.update(name.as_bytes());
        let mut mark = [0; MARK];
        mark.copy_from_slice(&mac.finalize().into_bytes()[..MARK]);
        mark
    }
}

/// Returns the mark in the first of these cookies that is there and has not ended.
pub(crate) fn marked(cookies: &[&str], names: &[&str], now_secs: u64) -> Option<Mark> {
    let values = names.iter().filter_map(|name| cookie(cookies, name));
    values.filter_map(|value| read(value, now_secs)).next()
}

/// Returns the value of a cookie.
pub(crate) fn cookie<'a>(cookies: &[&'a str], name: &str) -> Option<&'a str> {
    let pairs = cookies.iter().flat_map(|header| header.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Returns whether a `Set-Cookie` header is about this cookie.
pub(crate) fn sets(header: &[u8], name: &str) -> bool {
    let rest = header.trim_ascii_start().strip_prefix(name.as_bytes());
    rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="))
}

/// Appends the values of the `Set-Cookie` headers that keep a client for so many seconds.
pub(crate) fn keep(names: &[&str], mark: &Mark, secs: u32, wish: &Wish<'_>, into: &mut Vec<String>) {
    let end = wish.now_secs + u64::from(secs);
    let mut bytes = [0; MARK + 8];
    bytes[..MARK].copy_from_slice(mark);
    bytes[MARK..].copy_from_slice(&end.to_be_bytes());
    let value = URL_SAFE_NO_PAD.encode(bytes);
    for name in names {
        let mut header = format!("{name}={value}; Expires={}; Path=/", date(end));
        if name.ends_with("CORS") {
            // Without TLS a client would not take a cookie that is `Secure`.
            let _ = write!(header, "; SameSite=None{}", if wish.secure { "; Secure" } else { "" });
        }
        into.push(header);
    }
}

fn read(value: &str, now_secs: u64) -> Option<Mark> {
    let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
    let (mark, end) = bytes.split_at_checked(MARK)?;
    let end = u64::from_be_bytes(end.try_into().ok()?);
    if end > now_secs { mark.try_into().ok() } else { None }
}

/// Returns a time as cookies have it.
fn date(secs: u64) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let time = i64::try_from(secs).ok().and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok());
    time.and_then(|time| time.format(&format).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;

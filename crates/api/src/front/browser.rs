//! Web pages and an endpoint that asks nobody who they are.
//!
//! With `--auth off`, and for `/_wharf/…` always, any page in a browser on this machine could send a form to the
//! endpoint. Browsers name the page's origin in such requests, and only pages that came from this machine are answered.

use std::net::IpAddr;

use http::header::{HeaderMap, ORIGIN};
use http::{HeaderValue, Uri};

/// Tells whether a request comes from a page of another machine.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    headers.get_all(ORIGIN).iter().any(|origin| !is_local(origin))
}

fn is_local(origin: &HeaderValue) -> bool {
    let Some(uri) = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok()) else { return false };
    let Some(host) = uri.host() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare.ends_with(".localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;

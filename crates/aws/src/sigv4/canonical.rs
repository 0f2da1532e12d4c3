//! The one way of writing a request down that signer and verifier share.

use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// Everything but what RFC 3986 calls unreserved.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same within a path.
const PATH: &AsciiSet = &STRICT.remove(b'/');

/// Returns the canonical request, or nothing if a signed header is not there.
///
/// Every service but S3 normalises the path and encodes it a second time.
pub(super) fn request(
    parts: &Parts,
    signed_headers: &[String],
    payload_hash: &str,
    twice_encoded: bool,
) -> Option<String> {
    let mut out = format!(
        "{}\n{}\n{}\n",
        parts.method,
        path(parts.uri.path(), twice_encoded),
        query(parts.uri.query().unwrap_or(""))
    );
    for name in signed_headers {
        out.push_str(name);
        out.push(':');
        out.push_str(&header(parts, name)?);
        out.push('\n');
    }
    out.push('\n');
    out.push_str(&signed_headers.join(";"));
    out.push('\n');
    out.push_str(payload_hash);
    Some(out)
}

fn path(raw: &str, twice_encoded: bool) -> String {
    if !twice_encoded {
        return raw.to_owned();
    }
    let mut segments = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut normal = format!("/{}", segments.join("/"));
    let ends_in_folder = raw.ends_with('/') || raw.ends_with("/.") || raw.ends_with("/..");
    if ends_in_folder && !segments.is_empty() {
        normal.push('/');
    }
    percent_encode(normal.as_bytes(), PATH).to_string()
}

/// Sorts the parameters by name, then by value, both strictly encoded; leaves out the signature.
fn query(raw: &str) -> String {
    let mut pairs: Vec<(String, String)> = raw
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (strictly(name), strictly(value)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn strictly(encoded: &str) -> String {
    // A plus is a space in a form, and the form decoder reads it so: what is signed is what is understood.
    let spaced = encoded.replace('+', " ");
    let plain: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
    percent_encode(&plain, STRICT).to_string()
}

/// Returns a header's values, trimmed, runs of spaces made one, joined by commas in their order.
fn header(parts: &Parts, name: &str) -> Option<String> {
    let mut values: Vec<String> = parts
        .headers
        .get_all(name)
        .iter()
        .map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect();
    if values.is_empty() && name == "host" {
        // HTTP/2 has `:authority` in its place.
        values.push(parts.uri.authority()?.as_str().to_owned());
    }
    if values.is_empty() { None } else { Some(values.join(",")) }
}

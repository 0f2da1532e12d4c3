//! Signing a request, for the parts of Wharf that call its own API, and for tests.

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use time::OffsetDateTime;

use super::{ALGORITHM, Scope, canonical, signature, stamp};
use crate::mac;

/// An access key, and what it signs for.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// The access key's id.
    pub access_key: &'a str,
    /// Its secret.
    pub secret: &'a str,
    /// The region of the scope.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
}

/// A request that cannot be signed, for want of a `host` header or because of a value that is no header's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sign a request without a host")]
pub struct Unsignable;

impl Signer<'_> {
    /// Adds `x-amz-date` and `authorization` to a request; every header that is there is signed.
    pub fn sign(&self, parts: &mut Parts, body: &[u8], now: OffsetDateTime) -> Result<(), Unsignable> {
        let stamp = stamp::format(now);
        let date = stamp.get(..8).unwrap_or("").to_owned();
        let scope = Scope { date, region: self.region.to_owned(), service: self.service.to_owned() };
        parts.headers.remove(AUTHORIZATION);
        parts.headers.insert("x-amz-date", HeaderValue::from_str(&stamp).map_err(|_| Unsignable)?);
        let names = signed_names(&parts.headers);
        let payload = mac::sha256_hex(body);
        let request = canonical::request(parts, &names, &payload, self.service != "s3").ok_or(Unsignable)?;
        let signature = signature(self.secret, &scope, &stamp, &request);
        let value = format!(
            "{ALGORITHM} Credential={}/{}/{}/{}/aws4_request, SignedHeaders={}, Signature={signature}",
            self.access_key,
            scope.date,
            scope.region,
            scope.service,
            names.join(";"),
        );
        parts.headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).map_err(|_| Unsignable)?);
        Ok(())
    }
}

fn signed_names(headers: &HeaderMap) -> Vec<String> {
    let mut names: Vec<String> = headers.keys().map(|name| name.as_str().to_owned()).collect();
    if !headers.contains_key("host") {
        names.push("host".to_owned());
    }
    names.sort();
    names
}

//! Signature Version 4: who claims to have signed a request, and whether that is so.
//!
//! [`claim`] reads what a request says about its signature, from the `Authorization` header or from the
//! query of a presigned URL. The caller looks up the secret of [`Claim::access_key`] and asks
//! [`Claim::verify`]. The texts of [`SignatureError`] are AWS's; which code goes with them depends on
//! the service and is chosen by the API's front.
//!
//! A header that decides what a request means (`host`, `x-amz-*`) has to be signed. A session token is
//! covered by the signature like any header, and not looked at otherwise.

use http::header::{AUTHORIZATION, HeaderMap};
use http::request::Parts;
use time::{Duration, OffsetDateTime};

use crate::{form, mac};

mod canonical;
mod sign;
mod stamp;

pub use sign::{Signer, Unsignable};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// How far the signer's clock may be from ours.
const SKEW: Duration = Duration::minutes(15);
/// The longest life of a presigned URL.
const EXPIRES_MAX_SECS: i64 = 7 * 24 * 3600;

/// Why a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The request is not signed at all.
    #[error("Missing Authentication Token")]
    Missing,
    /// The signature lacks a part, or a part makes no sense.
    #[error("{0}")]
    Incomplete(String),
    /// The scope does not fit the service or the date.
    #[error("{0}")]
    Scope(String),
    /// The signature is not the one that the secret key gives.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
    /// The signature's date is too far in the past or in the future.
    #[error("{0}")]
    OutOfTime(String),
}

/// Where and when a signature is meant to be good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `20150830`.
    pub date: String,
    /// `us-east-1`.
    pub region: String,
    /// The service's signing name: `ecs`, `elasticloadbalancing`.
    pub service: String,
}

/// What a request says about its signature. Nothing of it is proven yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The access key whose secret is said to have signed.
    pub access_key: String,
    /// The credential scope.
    pub scope: Scope,
    signed_headers: Vec<String>,
    signature: String,
    stamp: String,
    /// For a presigned URL: how many seconds it is good for.
    expires_secs: Option<i64>,
}

/// Returns the signature that a request claims to have.
pub fn claim(parts: &Parts) -> Result<Claim, SignatureError> {
    let query = parts.uri.query().unwrap_or("");
    let presigned = form::value(query.as_bytes(), "X-Amz-Algorithm");
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    match (headers.next(), headers.next(), presigned) {
        (None, _, None) => Err(SignatureError::Missing),
        (Some(header), None, None) => {
            let header = header.to_str().map_err(|_| incomplete("Authorization header is not ASCII."))?;
            claim_of_header(header, &parts.headers)
        }
        (None, _, Some(algorithm)) => claim_of_query(&algorithm, query),
        (Some(_), _, _) => Err(incomplete("Only one auth mechanism allowed.")),
    }
}

impl Claim {
    /// Tells whether the request was signed with `secret`, for `service`, not too long ago.
    pub fn verify(
        &self,
        parts: &Parts,
        body: &[u8],
        secret: &str,
        service: &str,
        now: OffsetDateTime,
    ) -> Result<(), SignatureError> {
        self.check_scope(service)?;
        self.check_time(now)?;
        self.check_headers(&parts.headers)?;
        let payload = self.payload_hash(&parts.headers, body);
        let request = canonical::request(parts, &self.signed_headers, &payload, service != "s3");
        let request = request.ok_or(SignatureError::Mismatch)?;
        let expected = signature(secret, &self.scope, &self.stamp, &request);
        if mac::same(expected.as_bytes(), self.signature.as_bytes()) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    fn check_scope(&self, service: &str) -> Result<(), SignatureError> {
        if self.scope.service != service {
            let text = format!("Credential should be scoped to correct service: '{service}'.");
            return Err(SignatureError::Scope(text));
        }
        let day = self.stamp.get(..8).unwrap_or("");
        if self.scope.date != day {
            return Err(SignatureError::Scope(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{}' != '{day}', from '{}'.",
                self.scope.date, self.stamp
            )));
        }
        Ok(())
    }

    fn check_time(&self, now: OffsetDateTime) -> Result<(), SignatureError> {
        let signed = stamp::parse(&self.stamp)
            .ok_or_else(|| incomplete(format!("Date is not in ISO-8601 basic format: '{}'.", self.stamp)))?;
        let life = match self.expires_secs {
            Some(secs) => Duration::seconds(secs),
            None => SKEW,
        };
        // Differences of two times cannot overflow; sums with a caller's time can.
        if now - signed > life {
            let (now_text, past) = (stamp::format(now), stamp::format(now - life));
            let minutes = life.whole_minutes();
            let text = format!(
                "Signature expired: {} is now earlier than {past} ({now_text} - {minutes} min.)",
                self.stamp
            );
            return Err(SignatureError::OutOfTime(text));
        }
        if signed - now > SKEW {
            let (now_text, ahead) = (stamp::format(now), stamp::format(now + SKEW));
            let text = format!(
                "Signature not yet current: {} is still later than {ahead} ({now_text} + {} min.)",
                self.stamp,
                SKEW.whole_minutes()
            );
            return Err(SignatureError::OutOfTime(text));
        }
        Ok(())
    }

    fn check_headers(&self, headers: &HeaderMap) -> Result<(), SignatureError> {
        let signed = |name: &str| self.signed_headers.iter().any(|signed| signed == name);
        if !signed("host") {
            let text = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
            return Err(SignatureError::Incomplete(text.to_owned()));
        }
        let unsigned = headers
            .keys()
            .map(http::HeaderName::as_str)
            .find(|name| name.starts_with("x-amz-") && *name != "x-amz-user-agent" && !signed(name));
        match unsigned {
            Some(name) => Err(incomplete(format!(
                "'{name}' must be a 'SignedHeader' in the AWS Authorization, since it is in the request."
            ))),
            None => Ok(()),
        }
    }

    /// Returns the payload's hash as the signer must have used it.
    fn payload_hash(&self, headers: &HeaderMap, body: &[u8]) -> String {
        let declared = headers.get("x-amz-content-sha256").map(http::HeaderValue::as_bytes);
        if declared == Some(UNSIGNED_PAYLOAD.as_bytes()) {
            UNSIGNED_PAYLOAD.to_owned()
        } else {
            mac::sha256_hex(body)
        }
    }
}

/// Returns the signature of a canonical request.
fn signature(secret: &str, scope: &Scope, stamp: &str, request: &str) -> String {
    let Scope { date, region, service } = scope;
    let text = format!(
        "{ALGORITHM}\n{stamp}\n{date}/{region}/{service}/aws4_request\n{}",
        mac::sha256_hex(request.as_bytes())
    );
    hex::encode(mac::hmac_sha256(&signing_key(secret, scope), text.as_bytes()))
}

/// Returns the key that signs within a scope.
fn signing_key(secret: &str, scope: &Scope) -> [u8; 32] {
    let mut key = mac::hmac_sha256(format!("AWS4{secret}").as_bytes(), scope.date.as_bytes());
    for part in [&scope.region, &scope.service, "aws4_request"] {
        key = mac::hmac_sha256(&key, part.as_bytes());
    }
    key
}

fn claim_of_header(header: &str, headers: &HeaderMap) -> Result<Claim, SignatureError> {
    let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
    if algorithm != ALGORITHM {
        return Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
    }
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| {
            incomplete(format!(
                "'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{header}'."
            ))
        })?;
        let place = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err(incomplete(format!("Authorization header has more than one '{name}' parameter.")));
        }
    }
    let stamp = stamp::of_headers(headers);
    let mut lacking = String::new();
    for (name, given) in
        [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]
    {
        if given.is_none_or(str::is_empty) {
            lacking.push_str(&format!("Authorization header requires '{name}' parameter. "));
        }
    }
    if stamp.is_none() {
        lacking.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    match (credential, signed_headers, signature, stamp) {
        (Some(credential), Some(signed_headers), Some(signature), Some(stamp)) if lacking.is_empty() => {
            Claim::new(credential, signed_headers, signature, &stamp, None)
        }
        _ => Err(incomplete(format!("{lacking}Authorization={algorithm}"))),
    }
}

fn claim_of_query(algorithm: &str, query: &str) -> Result<Claim, SignatureError> {
    if algorithm != ALGORITHM {
        return Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
    }
    let pairs = form::pairs(query.as_bytes()).map_err(|error| incomplete(error.to_string()))?;
    let parameter = |name: &str| {
        let mut found = pairs.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (Some(value), None) if !value.is_empty() => Ok(value),
            (_, Some(_)) => Err(incomplete(format!("AWS query-string has more than one '{name}'."))),
            (_, None) => Err(incomplete(format!(
                "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
            ))),
        }
    };
    let expires = parameter("X-Amz-Expires")?;
    let expires_secs = expires
        .parse()
        .ok()
        .filter(|secs| (1..=EXPIRES_MAX_SECS).contains(secs))
        .ok_or_else(|| incomplete("X-Amz-Expires must be a number of seconds between 1 and 604800."))?;
    Claim::new(
        parameter("X-Amz-Credential")?,
        parameter("X-Amz-SignedHeaders")?,
        parameter("X-Amz-Signature")?,
        parameter("X-Amz-Date")?,
        Some(expires_secs),
    )
}

impl Claim {
    fn new(
        credential: &str,
        signed_headers: &str,
        signature: &str,
        stamp: &str,
        expires_secs: Option<i64>,
    ) -> Result<Claim, SignatureError> {
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key, date, region, service, "aws4_request"] = parts.as_slice() else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{credential}'"
            )));
        };
        let signed_headers: Vec<String> = signed_headers.split(';').map(str::to_ascii_lowercase).collect();
        if !signed_headers.is_sorted_by(|left, right| left < right) {
            return Err(incomplete("SignedHeaders must be in ascending order, each named once."));
        }
        Ok(Claim {
            access_key: (*access_key).to_owned(),
            scope: Scope {
                date: (*date).to_owned(),
                region: (*region).to_owned(),
                service: (*service).to_owned(),
            },
            signed_headers,
            signature: signature.to_owned(),
            stamp: stamp.to_owned(),
            expires_secs,
        })
    }
}

fn incomplete(text: impl Into<String>) -> SignatureError {
    SignatureError::Incomplete(text.into())
}

#[cfg(test)]
mod tests;

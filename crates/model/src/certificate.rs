//! Certificates of the certificate manager, and the authority that issues them.

use crate::{Arn, Timestamp, secret::Sealed, tag::Tag};
use serde::{Deserialize, Serialize};

/// A certificate with its private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its ARN.
    pub arn: Arn,
    /// Where it came from.
    pub origin: CertificateOrigin,
    /// The certificate, PEM.
    pub certificate: String,
    /// The certificates between it and its root, PEM, in order; empty for none.
    pub chain: String,
    /// Its private key, PEM, encrypted.
    pub key: Sealed,
    /// What the certificate says of itself.
    pub facts: CertificateFacts,
    /// When it was imported or requested first.
    pub created_at: Timestamp,
    /// When what is here now was imported or issued.
    pub issued_at: Timestamp,
    /// The token it was requested with.
    pub idempotency_token: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Where a certificate came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CertificateOrigin {
    /// A caller brought it.
    Imported,
    /// The own authority issued it, and renews it.
    Issued,
}

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// The first name it is for.
    pub domain: String,
    /// Every name it is for.
    pub names: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number: bytes in hexadecimal with colons between them.
    pub serial: String,
    /// The kind of its key, in the certificate manager's words, such as `EC_prime256v1`.
    pub key_algorithm: String,
    /// How it is signed, in the certificate manager's words, such as `SHA256WITHECDSA`.
    pub signature_algorithm: String,
    /// What its key may be used for, in the certificate manager's words, such as `DIGITAL_SIGNATURE`.
    pub key_usages: Vec<String>,
    /// What it may be used for: each the certificate manager's word and the object identifier.
    pub extended_key_usages: Vec<(String, String)>,
    /// When it begins to be valid.
    pub not_before: Timestamp,
    /// When it ceases to be.
    pub not_after: Timestamp,
}

/// The own certificate authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Its certificate, PEM: what clients must trust.
    pub certificate: String,
    /// Its private key, PEM, encrypted.
    pub key: Sealed,
}

impl Authority {
    /// The key of the only record there is.
    pub const KEY: &'static str = "authority";
}

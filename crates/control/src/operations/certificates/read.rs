//! What a PEM certificate says of itself, and whether it, its chain and its key belong together.

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use thiserror::Error;
use wharf_model::{Timestamp, certificate::CertificateFacts};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer, public_key::PublicKey,
    x509::X509Name,
};

/// Why a certificate is not taken. The words follow the certificate manager's.
#[derive(Debug, Error)]
pub(super) enum Unusable {
    #[error(
        "The certificate field contains more than one certificate. You can specify only one certificate in this field."
    )]
    Several,
    #[error("The certificate field does not contain a PEM-encoded X.509 certificate.")]
    NoCertificate,
    #[error("The certificate chain field contains something that is not a PEM-encoded X.509 certificate.")]
    NoChain,
    #[error(
        "The private key field does not contain an unencrypted PEM-encoded key of a supported kind (RSA of 2048 bits or more, P-256, P-384)."
    )]
    NoKey,
    #[error("The private key does not match the certificate.")]
    OtherKey,
    #[error("The certificate field contains a certificate that has expired.")]
    Expired,
    #[error("The certificate field contains a certificate that is not valid yet.")]
    TooEarly,
    #[error("The certificate is not signed by the first certificate of the chain.")]
    OtherChain,
    #[error("The certificate names no domain.")]
    NoDomain,
}

/// Checks that a certificate, its chain and its key belong together and are valid now.
pub(super) fn check(
    certificate: &str,
    chain: &str,
    key: &str,
    now: Timestamp,
) -> Result<CertificateFacts, Unusable> {
    let der = single(certificate)?;
    let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| Unusable::NoCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| Unusable::NoKey)?;
    let key = rustls::crypto::ring::sign::any_supported_type(&key).map_err(|_| Unusable::NoKey)?;
    let own = key.public_key().ok_or(Unusable::NoKey)?;
    if own.as_ref() != parsed.public_key().raw {
        return Err(Unusable::OtherKey);
    }
    let facts = described(&parsed)?;
    if now >= facts.not_after {
        return Err(Unusable::Expired);
    }
    if now < facts.not_before {
        return Err(Unusable::TooEarly);
    }
    let mut below = der.clone();
    for above in chained(chain)? {
        {
            let (_, signed) = X509Certificate::from_der(&below).map_err(|_| Unusable::NoChain)?;
            let (_, signer) = X509Certificate::from_der(&above).map_err(|_| Unusable::NoChain)?;
            if signed.verify_signature(Some(signer.public_key())).is_err() {
                return Err(Unusable::OtherChain);
            }
        }
        below = above;
    }
    Ok(facts)
}

/// Returns what a certificate says of itself.
pub(super) fn facts(certificate: &str) -> Result<CertificateFacts, Unusable> {
    let der = single(certificate)?;
    let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| Unusable::NoCertificate)?;
    described(&parsed)
}

fn single(certificate: &str) -> Result<CertificateDer<'static>, Unusable> {
    let mut found = CertificateDer::pem_slice_iter(certificate.as_bytes());
    let first = found.next().and_then(Result::ok).ok_or(Unusable::NoCertificate)?;
    if found.next().is_some() { Err(Unusable::Several) } else { Ok(first) }
}

fn chained(chain: &str) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() && !chain.trim().is_empty() => Err(Unusable::NoChain),
        Ok(found) => Ok(found),
        Err(_) => Err(Unusable::NoChain),
    }
}

fn described(parsed: &X509Certificate<'_>) -> Result<CertificateFacts, Unusable> {
    let common = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let alternatives = parsed.subject_alternative_name().ok().flatten();
    let mut names: Vec<String> = alternatives
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        names.extend(common.map(str::to_owned));
    }
    let domain = common.map(str::to_owned).or_else(|| names.first().cloned()).ok_or(Unusable::NoDomain)?;
    let millis = |secs: i64| Timestamp(secs.saturating_mul(1000));
    Ok(CertificateFacts {
        domain,
        names,
        subject: parsed.subject().to_string(),
        issuer: short(parsed.issuer()),
        serial: parsed.raw_serial_as_string(),
        key_algorithm: key_algorithm(parsed),
        signature_algorithm: signature_algorithm(&parsed.signature_algorithm.algorithm.to_id_string()),
        key_usages: key_usages(parsed),
        extended_key_usages: extended_key_usages(parsed),
        not_before: millis(parsed.validity().not_before.timestamp()),
        not_after: millis(parsed.validity().not_after.timestamp()),
    })
}

/// Returns an issuer's organisation, or its common name, or all of it.
fn short(name: &X509Name<'_>) -> String {
    let organization = name.iter_organization().next().and_then(|name| name.as_str().ok());
    let common = name.iter_common_name().next().and_then(|name| name.as_str().ok());
    organization.or(common).map_or_else(|| name.to_string(), str::to_owned)
}

fn key_algorithm(parsed: &X509Certificate<'_>) -> String {
    match parsed.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA_{}", key.key_size()),
        Ok(PublicKey::EC(point)) if point.key_size() == 256 => "EC_prime256v1".to_owned(),
        Ok(PublicKey::EC(point)) => format!("EC_secp{}r1", point.key_size()),
        Ok(_) | Err(_) => parsed.public_key().algorithm.algorithm.to_id_string(),
    }
}

fn key_usages(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Some(extension) = parsed.key_usage().ok().flatten() else { return Vec::new() };
    let usage = extension.value;
    let named = [
        (usage.digital_signature(), "DIGITAL_SIGNATURE"),
        (usage.non_repudiation(), "NON_REPUDIATION"),
        (usage.key_encipherment(), "KEY_ENCIPHERMENT"),
        (usage.data_encipherment(), "DATA_ENCIPHERMENT"),
        (usage.key_agreement(), "KEY_AGREEMENT"),
        (usage.key_cert_sign(), "CERTIFICATE_SIGNING"),
        (usage.crl_sign(), "CRL_SIGNING"),
        (usage.encipher_only(), "ENCIPHER_ONLY"),
        (usage.decipher_only(), "DECIPHER_ONLY"),
    ];
    named.iter().filter(|(has, _)| *has).map(|(_, name)| (*name).to_owned()).collect()
}

fn extended_key_usages(parsed: &X509Certificate<'_>) -> Vec<(String, String)> {
    let Some(extension) = parsed.extended_key_usage().ok().flatten() else { return Vec::new() };
    let usage = extension.value;
    let named = [
        (usage.any, "ANY", "2.5.29.37.0"),
        (usage.server_auth, "TLS_WEB_SERVER_AUTHENTICATION", "1.3.6.1.5.5.7.3.1"),
        (usage.client_auth, "TLS_WEB_CLIENT_AUTHENTICATION", "1.3.6.1.5.5.7.3.2"),
        (usage.code_signing, "CODE_SIGNING", "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "EMAIL_PROTECTION", "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "TIME_STAMPING", "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "OCSP_SIGNING", "1.3.6.1.5.5.7.3.9"),
    ];
    let known =
        named.iter().filter(|(has, ..)| *has).map(|(_, name, id)| ((*name).to_owned(), (*id).to_owned()));
    let custom = usage.other.iter().map(|id| ("CUSTOM".to_owned(), id.to_id_string()));
    known.chain(custom).collect()
}

/// Returns the certificate manager's name of a signature's object identifier (RFC 8017, RFC 5758), or that itself.
fn signature_algorithm(identifier: &str) -> String {
    let name = match identifier {
        "1.2.840.113549.1.1.5" => "SHA1WITHRSA",
        "1.2.840.113549.1.1.11" => "SHA256WITHRSA",
        "1.2.840.113549.1.1.12" => "SHA384WITHRSA",
        "1.2.840.113549.1.1.13" => "SHA512WITHRSA",
        "1.2.840.10045.4.3.2" => "SHA256WITHECDSA",
        "1.2.840.10045.4.3.3" => "SHA384WITHECDSA",
        "1.2.840.10045.4.3.4" => "SHA512WITHECDSA",
        other => other,
    };
    name.to_owned()
}

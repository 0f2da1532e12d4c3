//! The own certificate authority: made once, trusted by whoever installs what `wharf ca` prints.

use super::Error;
use crate::{Control, vault::VaultError};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SerialNumber,
};
use std::{fmt, str::FromStr, time::Duration};
use time::OffsetDateTime;
use wharf_model::{Timestamp, certificate, secret::Plain};

/// What the authority's key is sealed for.
const SEALED_FOR: &str = "the certificate authority";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the authority is valid, and what it issues (AWS: 13 months).
const AUTHORITY_LASTS: Duration = DAY.saturating_mul(3650);
const CERTIFICATE_LASTS: Duration = DAY.saturating_mul(395);
/// Clocks differ: what is issued now is valid a little earlier.
const EARLIER: Duration = Duration::from_secs(60 * 60);

/// A kind of key that is made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyAlgorithm {
    /// NIST P-256.
    #[default]
    P256,
    /// NIST P-384.
    P384,
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyAlgorithm::P256 => "EC_prime256v1",
            KeyAlgorithm::P384 => "EC_secp384r1",
        })
    }
}

impl FromStr for KeyAlgorithm {
    type Err = String;

    fn from_str(given: &str) -> Result<KeyAlgorithm, String> {
        match given {
            "EC_prime256v1" => Ok(KeyAlgorithm::P256),
            "EC_secp384r1" => Ok(KeyAlgorithm::P384),
            other => Err(format!(
                "KeyAlgorithm '{other}' is not issued here; use EC_prime256v1 or EC_secp384r1, or import a certificate"
            )),
        }
    }
}

/// The authority, ready to issue.
pub(crate) struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A new certificate and its key, PEM.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: Plain,
}

impl Authority {
    /// Returns its certificate, PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Issues a certificate for these names; the first is the subject's.
    pub(crate) fn issue(
        &self,
        names: &[String],
        algorithm: KeyAlgorithm,
        now: Timestamp,
    ) -> Result<Issued, rcgen::Error> {
        let key = KeyPair::generate_for(match algorithm {
            KeyAlgorithm::P256 => &PKCS_ECDSA_P256_SHA256,
            KeyAlgorithm::P384 => &PKCS_ECDSA_P384_SHA384,
        })?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named(names.first().map_or("", String::as_str), None);
        params.serial_number = Some(serial());
        params.not_before = date(now - EARLIER);
        params.not_after = date(now + CERTIFICATE_LASTS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { certificate, key: Plain::new(key.serialize_pem()) })
    }
}

/// Returns the authority; makes it when there is none.
pub(crate) async fn open(control: &Control) -> Result<Authority, Error> {
    let known = control.store().view().get::<certificate::Authority>(certificate::Authority::KEY);
    let known = match known {
        Some(known) => known,
        None => {
            let (certificate, key) = make(control.now())?;
            let key = control.vault().seal(&key, SEALED_FOR);
            let new = certificate::Authority { certificate, key };
            let kept = control.store().change(|draft| {
                // Somebody else may have been quicker.
                if draft.get::<certificate::Authority>(certificate::Authority::KEY).is_none() {
                    draft.put(new);
                }
                draft.get::<certificate::Authority>(certificate::Authority::KEY)
            });
            kept.await?.ok_or_else(|| VaultError::Sealed(SEALED_FOR.to_owned()))?
        }
    };
    let key = KeyPair::from_pem(control.vault().unseal(&known.key, SEALED_FOR)?.reveal())?;
    let issuer = Issuer::from_ca_cert_pem(&known.certificate, key)?;
    Ok(Authority { certificate: known.certificate.clone(), issuer })
}

/// Returns the authority's certificate, PEM; makes the authority when there is none.
pub async fn certificate(control: &Control) -> Result<String, Error> {
    Ok(open(control).await?.certificate)
}

fn make(now: Timestamp) -> Result<(String, Plain), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    // Two authorities of one name confuse browsers, so each says when it was made.
    let name = format!("Wharf certificate authority of {}", now.to_rfc3339().split('T').next().unwrap_or(""));
    params.distinguished_name = named(&name, Some("Wharf"));
    params.serial_number = Some(serial());
    params.not_before = date(now - EARLIER);
    params.not_after = date(now + AUTHORITY_LASTS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok((params.self_signed(&key)?.pem(), Plain::new(key.serialize_pem())))
}

fn named(common: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name
}

/// Returns a random serial number of 127 bits, which a reader cannot take for a negative one.
fn serial() -> SerialNumber {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes once it has booted");
    bytes[0] &= 0x7f;
    SerialNumber::from_slice(&bytes)
}

fn date(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

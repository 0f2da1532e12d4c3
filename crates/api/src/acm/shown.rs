//! Certificates as the API shows them.

use sha2::{Digest, Sha256};
use wharf_aws::Timestamp;
use wharf_aws::acm::{
    CertificateDetail, CertificateOptions, CertificateSummary, DomainValidation, ExtendedKeyUsage, KeyUsage,
    ResourceRecord,
};
use wharf_model::Arn;
use wharf_model::certificate::{Certificate, CertificateOrigin};

pub(super) fn detail(found: &Certificate, users: &[Arn], now: wharf_model::Timestamp) -> CertificateDetail {
    let facts = &found.facts;
    let issued = found.origin == CertificateOrigin::Issued;
    let at = Timestamp::from_millis(found.issued_at.0);
    CertificateDetail {
        certificate_arn: found.arn.to_string(),
        domain_name: facts.domain.clone(),
        subject_alternative_names: facts.names.clone(),
        domain_validation_options: if issued {
            facts.names.iter().map(|name| validation(name)).collect()
        } else {
            Vec::new()
        },
        serial: facts.serial.clone(),
        subject: facts.subject.clone(),
        issuer: facts.issuer.clone(),
        created_at: Timestamp::from_millis(found.created_at.0),
        issued_at: issued.then_some(at),
        imported_at: (!issued).then_some(at),
        status: status(found, now),
        not_before: Timestamp::from_millis(facts.not_before.0),
        not_after: Timestamp::from_millis(facts.not_after.0),
        key_algorithm: facts.key_algorithm.clone(),
        signature_algorithm: facts.signature_algorithm.clone(),
        in_use_by: users.iter().map(ToString::to_string).collect(),
        r#type: kind(found),
        key_usages: facts.key_usages.iter().map(|name| KeyUsage { name: name.clone() }).collect(),
        extended_key_usages: facts
            .extended_key_usages
            .iter()
            .map(|(name, oid)| ExtendedKeyUsage { name: name.clone(), oid: oid.clone() })
            .collect(),
        renewal_eligibility: eligibility(found),
        options: CertificateOptions {
            certificate_transparency_logging_preference: Some("DISABLED".to_owned()),
            export: Some("DISABLED".to_owned()),
        },
    }
}

pub(super) fn summary(found: &Certificate, in_use: bool, now: wharf_model::Timestamp) -> CertificateSummary {
    let facts = &found.facts;
    let issued = found.origin == CertificateOrigin::Issued;
    let at = Timestamp::from_millis(found.issued_at.0);
    CertificateSummary {
        certificate_arn: found.arn.to_string(),
        domain_name: facts.domain.clone(),
        subject_alternative_name_summaries: facts.names.clone(),
        has_additional_subject_alternative_names: false,
        status: status(found, now),
        r#type: kind(found),
        key_algorithm: facts.key_algorithm.clone(),
        in_use,
        renewal_eligibility: eligibility(found),
        not_before: Timestamp::from_millis(facts.not_before.0),
        not_after: Timestamp::from_millis(facts.not_after.0),
        created_at: Timestamp::from_millis(found.created_at.0),
        issued_at: issued.then_some(at),
        imported_at: (!issued).then_some(at),
    }
}

/// Returns the status: what is issued here is renewed before it expires, what is imported is its owner's to replace.
pub(super) fn status(found: &Certificate, now: wharf_model::Timestamp) -> &'static str {
    if now < found.facts.not_after { "ISSUED" } else { "EXPIRED" }
}

fn kind(found: &Certificate) -> &'static str {
    match found.origin {
        CertificateOrigin::Imported => "IMPORTED",
        CertificateOrigin::Issued => "AMAZON_ISSUED",
    }
}

fn eligibility(found: &Certificate) -> &'static str {
    match found.origin {
        CertificateOrigin::Imported => "INELIGIBLE",
        CertificateOrigin::Issued => "ELIGIBLE",
    }
}

/// Tools make the record that a validation names and wait for its success; here it has succeeded already.
fn validation(name: &str) -> DomainValidation {
    let base = name.trim_start_matches("*.");
    let token = hex::encode(Sha256::digest(base.as_bytes()));
    DomainValidation {
        domain_name: name.to_owned(),
        validation_domain: base.to_owned(),
        validation_status: "SUCCESS",
        resource_record: ResourceRecord {
            name: format!("_{}.{base}.", &token[..32]),
            r#type: "CNAME",
            value: format!("_{}.acm-validations.localhost.", &token[32..]),
        },
        validation_method: "DNS",
    }
}

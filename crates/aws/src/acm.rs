//! Request and response shapes of Certificate Manager. Fields are AWS's members.

use crate::{Hidden, LooseTag, Timestamp};
use serde::{Deserialize, Serialize};

/// Input of ImportCertificate. Blobs are base64.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImportCertificateInput {
    pub certificate_arn: Option<String>,
    pub certificate: Option<String>,
    pub private_key: Option<Hidden>,
    pub certificate_chain: Option<String>,
    pub tags: Vec<LooseTag>,
}

/// Input of RequestCertificate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RequestCertificateInput {
    pub domain_name: Option<String>,
    pub validation_method: Option<String>,
    pub subject_alternative_names: Vec<String>,
    pub idempotency_token: Option<String>,
    pub domain_validation_options: Vec<serde_json::Value>,
    pub options: Option<CertificateOptions>,
    pub certificate_authority_arn: Option<String>,
    pub tags: Vec<LooseTag>,
    pub key_algorithm: Option<String>,
    pub managed_by: Option<String>,
}

/// What becomes of a certificate beside its use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CertificateOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_transparency_logging_preference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<String>,
}

/// Input of the operations that name a certificate, and output of those that make one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CertificateNamed {
    pub certificate_arn: Option<String>,
}

/// Output of GetCertificate.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetCertificateOutput {
    pub certificate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_chain: Option<String>,
}

/// Output of DescribeCertificate.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCertificateOutput {
    pub certificate: CertificateDetail,
}

/// A certificate in full.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CertificateDetail {
    pub certificate_arn: String,
    pub domain_name: String,
    pub subject_alternative_names: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domain_validation_options: Vec<DomainValidation>,
    pub serial: String,
    pub subject: String,
    pub issuer: String,
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported_at: Option<Timestamp>,
    pub status: &'static str,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub key_algorithm: String,
    pub signature_algorithm: String,
    pub in_use_by: Vec<String>,
    pub r#type: &'static str,
    pub key_usages: Vec<KeyUsage>,
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    pub renewal_eligibility: &'static str,
    pub options: CertificateOptions,
}

/// How a name was shown to be the caller's.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DomainValidation {
    pub domain_name: String,
    pub validation_domain: String,
    pub validation_status: &'static str,
    pub resource_record: ResourceRecord,
    pub validation_method: &'static str,
}

/// A DNS record.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceRecord {
    pub name: String,
    pub r#type: &'static str,
    pub value: String,
}

/// What a key may be used for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyUsage {
    pub name: String,
}

/// What a certificate may be used for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExtendedKeyUsage {
    pub name: String,
    #[serde(rename = "OID")]
    pub oid: String,
}

/// Input of ListCertificates.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ListCertificatesInput {
    pub certificate_statuses: Vec<String>,
    pub includes: Option<Includes>,
    pub next_token: Option<String>,
    pub max_items: Option<i64>,
    pub sort_by: Option<String>,
    pub sort_order: Option<String>,
}

/// Which certificates are listed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Includes {
    #[serde(rename = "extendedKeyUsage")]
    pub extended_key_usage: Vec<String>,
    #[serde(rename = "keyUsage")]
    pub key_usage: Vec<String>,
    #[serde(rename = "keyTypes")]
    pub key_types: Vec<String>,
    #[serde(rename = "exportOption")]
    pub export_option: Option<String>,
    #[serde(rename = "managedBy")]
    pub managed_by: Option<String>,
}

/// Output of ListCertificates.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListCertificatesOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    pub certificate_summary_list: Vec<CertificateSummary>,
}

/// A certificate in short.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CertificateSummary {
    pub certificate_arn: String,
    pub domain_name: String,
    pub subject_alternative_name_summaries: Vec<String>,
    pub has_additional_subject_alternative_names: bool,
    pub status: &'static str,
    pub r#type: &'static str,
    pub key_algorithm: String,
    pub in_use: bool,
    pub renewal_eligibility: &'static str,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported_at: Option<Timestamp>,
}

/// Input of AddTagsToCertificate and RemoveTagsFromCertificate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CertificateTagsInput {
    pub certificate_arn: Option<String>,
    pub tags: Vec<LooseTag>,
}

/// Output of ListTagsForCertificate.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTagsForCertificateOutput {
    pub tags: Vec<LooseTag>,
}

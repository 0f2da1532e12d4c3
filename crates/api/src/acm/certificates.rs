//! Certificates: shapes to model and back.

use wharf_aws::acm::{
    CertificateNamed, CertificateTagsInput, DescribeCertificateOutput, GetCertificateOutput,
    ImportCertificateInput, ListTagsForCertificateOutput, RequestCertificateInput,
};
use wharf_aws::{Empty, LooseTag};
use wharf_control::Control;
use wharf_control::operations::certificates::{self, Import, Request};
use wharf_model::Arn;
use wharf_model::secret::Plain;

use super::given::{self, invalid, required, unsupported};
use super::shown;
use crate::Fault;

pub(super) async fn import(
    control: &Control,
    input: ImportCertificateInput,
) -> Result<CertificateNamed, Fault> {
    let certificate = given::text("certificate", &required("certificate", input.certificate)?)?;
    let key = given::text("privateKey", &required("privateKey", input.private_key)?.0)?;
    let chain = input.certificate_chain.map(|chain| given::text("certificateChain", &chain)).transpose()?;
    let import = Import {
        replaces: input.certificate_arn,
        certificate,
        chain: chain.unwrap_or_default(),
        key: Plain::new(key),
        tags: given::tags(input.tags),
    };
    Ok(named(&certificates::import(control, import).await?))
}

pub(super) async fn request(
    control: &Control,
    input: RequestCertificateInput,
) -> Result<CertificateNamed, Fault> {
    let domain = required("domainName", input.domain_name)?;
    match input.validation_method.as_deref() {
        None | Some("DNS" | "EMAIL") => {}
        Some("HTTP") => return Err(unsupported("ValidationMethod 'HTTP'")),
        Some(other) => return Err(invalid(format!("ValidationMethod '{other}' must be DNS or EMAIL"))),
    }
    if !input.domain_validation_options.is_empty() {
        return Err(unsupported("DomainValidationOptions"));
    }
    if input.certificate_authority_arn.is_some() {
        return Err(unsupported("CertificateAuthorityArn"));
    }
    if input.managed_by.is_some() {
        return Err(unsupported("ManagedBy"));
    }
    if let Some(options) = input.options {
        match options.certificate_transparency_logging_preference.as_deref() {
            None | Some("DISABLED") => {}
            Some(other) => {
                return Err(invalid(format!(
                    "Options.CertificateTransparencyLoggingPreference '{other}' is not supported here; certificates of the own authority are not logged"
                )));
            }
        }
        if !matches!(options.export.as_deref(), None | Some("DISABLED")) {
            return Err(unsupported("Options.Export"));
        }
    }
    let algorithm = input.key_algorithm.as_deref().map(str::parse).transpose().map_err(invalid_text)?;
    let request = Request {
        domain,
        alternatives: input.subject_alternative_names,
        algorithm: algorithm.unwrap_or_default(),
        token: given::token(input.idempotency_token)?,
        tags: given::tags(input.tags),
    };
    Ok(named(&certificates::request(control, request).await?))
}

fn invalid_text(reason: String) -> Fault {
    invalid(reason)
}

pub(super) async fn describe(
    control: &Control,
    input: CertificateNamed,
) -> Result<DescribeCertificateOutput, Fault> {
    let found = certificates::find(control, &arn(input)?)?;
    let users = certificates::used_by(control, &found.arn);
    Ok(DescribeCertificateOutput { certificate: shown::detail(&found, &users, control.now()) })
}

pub(super) async fn get(control: &Control, input: CertificateNamed) -> Result<GetCertificateOutput, Fault> {
    let found = certificates::find(control, &arn(input)?)?;
    let chain = (!found.chain.is_empty()).then(|| found.chain.clone());
    Ok(GetCertificateOutput { certificate: found.certificate.clone(), certificate_chain: chain })
}

pub(super) async fn delete(control: &Control, input: CertificateNamed) -> Result<Empty, Fault> {
    certificates::delete(control, &arn(input)?).await?;
    Ok(Empty {})
}

pub(super) async fn tag(control: &Control, input: CertificateTagsInput) -> Result<Empty, Fault> {
    let arn = required("certificateArn", input.certificate_arn)?;
    certificates::tag(control, &arn, given::tags(input.tags)).await?;
    Ok(Empty {})
}

pub(super) async fn untag(control: &Control, input: CertificateTagsInput) -> Result<Empty, Fault> {
    let arn = required("certificateArn", input.certificate_arn)?;
    let tags: Vec<_> = input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    certificates::untag(control, &arn, &tags).await?;
    Ok(Empty {})
}

pub(super) async fn tags(
    control: &Control,
    input: CertificateNamed,
) -> Result<ListTagsForCertificateOutput, Fault> {
    let found = certificates::find(control, &arn(input)?)?;
    let tags = found.tags.iter();
    let tags = tags.map(|tag| LooseTag { key: tag.key.clone(), value: Some(tag.value.clone()) }).collect();
    Ok(ListTagsForCertificateOutput { tags })
}

fn arn(input: CertificateNamed) -> Result<String, Fault> {
    required("certificateArn", input.certificate_arn)
}

fn named(arn: &Arn) -> CertificateNamed {
    CertificateNamed { certificate_arn: Some(arn.to_string()) }
}

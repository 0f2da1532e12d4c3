//! Lists of parameters and of a parameter's values.

use std::sync::Arc;

use wharf_aws::page::{Page, page};
use wharf_aws::ssm::{ByPathOutput, ListInput, Metadata, MetadataOutput};
use wharf_aws::{Hidden, Timestamp};
use wharf_control::Control;
use wharf_control::operations::parameters::{self, Reference};
use wharf_model::secret::{Parameter, ParameterKind, ParameterVersion};

use super::given::{self, bad_token, invalid, required};
use super::{filters, parameters::show};
use crate::Fault;

pub(super) async fn by_path(control: &Control, input: ListInput) -> Result<ByPathOutput, Fault> {
    let path = required("path", input.path)?;
    if !parameters::is_path(&path) {
        return Err(invalid(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward \
             slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, \
             numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not \
             allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: \
             /get/parameters2-/by1./path0_.",
        ));
    }
    let mut found = parameters::list(control);
    found.retain(|parameter| parameters::is_below(&parameter.name, &path, input.recursive));
    for filter in &input.parameter_filters {
        let filter = filters::read(filter)?;
        if filter.is_about_names() {
            return Err(filters::invalid_key(
                "The filter keys Name and Path are not valid with GetParametersByPath; use Type, KeyId, Label or tag:",
            ));
        }
        found.retain(|parameter| filter.holds(parameter));
    }
    let page = paged(found, input.next_token.as_deref(), given::limit(input.max_results, 10)?)?;
    let shown = page.items.iter().map(|parameter| {
        let reference = Reference::new(&parameter.name);
        parameters::get(control, &reference, input.with_decryption).map(|found| show(&found, &reference))
    });
    Ok(ByPathOutput { parameters: shown.collect::<Result<_, _>>()?, next_token: page.next })
}

pub(super) async fn describe(control: &Control, input: ListInput) -> Result<MetadataOutput, Fault> {
    let mut found = parameters::list(control);
    // Nothing is shared with this account, because there is no other.
    found.retain(|_| !input.shared);
    for filter in &input.parameter_filters {
        let filter = filters::read(filter)?;
        found.retain(|parameter| filter.holds(parameter));
    }
    for filter in &input.filters {
        let filter = filters::read_former(filter)?;
        found.retain(|parameter| filter.holds(parameter));
    }
    let page = paged(found, input.next_token.as_deref(), given::limit(input.max_results, 50)?)?;
    let newest = page.items.iter().filter_map(|parameter| Some((parameter, parameter.versions.last()?)));
    let shown = newest.map(|(parameter, version)| Metadata {
        arn: Some(parameter.arn.to_string()),
        ..metadata(parameter, version)
    });
    Ok(MetadataOutput { parameters: shown.collect(), next_token: page.next })
}

pub(super) async fn history(control: &Control, input: ListInput) -> Result<MetadataOutput, Fault> {
    let parameter = parameters::describe(control, &required("name", input.name)?)?;
    let key = |version: &&ParameterVersion| format!("{:010}", version.version);
    let limit = given::limit(input.max_results, 50)?;
    let page = page(&parameter.versions, key, input.next_token.as_deref(), limit).map_err(|_| bad_token())?;
    let shown = page.items.into_iter().map(|version| {
        let value = parameters::shown(control, &parameter, version, input.with_decryption)?;
        Ok(Metadata {
            value: Some(Hidden(value.reveal().to_owned())),
            labels: Some(Vec::new()),
            ..metadata(&parameter, version)
        })
    });
    let parameters = shown.collect::<Result<_, parameters::Error>>()?;
    Ok(MetadataOutput { parameters, next_token: page.next })
}

fn metadata(parameter: &Parameter, version: &ParameterVersion) -> Metadata {
    Metadata {
        name: parameter.name.clone(),
        arn: None,
        r#type: version.kind.as_str(),
        key_id: (version.kind == ParameterKind::SecureString).then_some(given::DEFAULT_KEY),
        last_modified_date: Timestamp::from_millis(version.modified_at.0),
        last_modified_user: version.modified_by.clone(),
        description: version.description.clone().filter(|description| !description.is_empty()),
        value: None,
        allowed_pattern: version.allowed_pattern.clone().filter(|pattern| !pattern.is_empty()),
        version: version.version,
        labels: None,
        tier: version.tier.as_str(),
        policies: Vec::new(),
        data_type: "text",
    }
}

fn paged(
    found: Vec<Arc<Parameter>>,
    token: Option<&str>,
    limit: usize,
) -> Result<Page<Arc<Parameter>>, Fault> {
    page(found, |parameter| parameter.name.clone(), token, limit).map_err(|_| bad_token())
}

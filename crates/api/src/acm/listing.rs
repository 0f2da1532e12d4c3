//! The list of certificates.

use std::sync::Arc;

use wharf_aws::acm::{Includes, ListCertificatesInput, ListCertificatesOutput};
use wharf_aws::page::page;
use wharf_control::Control;
use wharf_control::operations::certificates;
use wharf_model::certificate::Certificate;

use super::given::{invalid, unsupported};
use super::shown;
use crate::{Fault, given};

const STATUSES: [&str; 7] =
    ["PENDING_VALIDATION", "ISSUED", "INACTIVE", "EXPIRED", "VALIDATION_TIMED_OUT", "REVOKED", "FAILED"];

pub(super) async fn list(
    control: &Control,
    input: ListCertificatesInput,
) -> Result<ListCertificatesOutput, Fault> {
    let mut found = certificates::list(control);
    if let Some(unknown) = input.certificate_statuses.iter().find(|given| !STATUSES.contains(&given.as_str()))
    {
        return Err(invalid(format!("CertificateStatuses '{unknown}' is not a status of certificates")));
    }
    let now = control.now();
    if !input.certificate_statuses.is_empty() {
        found.retain(|known| input.certificate_statuses.iter().any(|one| one == shown::status(known, now)));
    }
    if let Some(includes) = &input.includes {
        include(&mut found, includes)?;
    }
    match (input.sort_by.as_deref(), input.sort_order.as_deref()) {
        (None, None) => {}
        (Some("CREATED_AT"), Some("ASCENDING")) => found.sort_by_key(|known| known.created_at),
        (Some("CREATED_AT"), Some("DESCENDING")) => {
            found.sort_by_key(|known| std::cmp::Reverse(known.created_at));
        }
        (Some("CREATED_AT"), _) => {
            return Err(invalid("SortOrder must be ASCENDING or DESCENDING when SortBy is given"));
        }
        (Some(other), _) => return Err(invalid(format!("SortBy '{other}' must be CREATED_AT"))),
        (None, Some(_)) => return Err(invalid("SortBy must be given with SortOrder")),
    }
    let limit = given::limit(input.max_items.or(Some(100)), 1000);
    let limit = limit.ok_or_else(|| invalid("MaxItems must be between 1 and 1000"))?;
    let numbered: Vec<(usize, Arc<Certificate>)> = found.into_iter().enumerate().collect();
    let key = |(place, _): &(usize, Arc<Certificate>)| format!("{place:010}");
    let page = page(numbered, key, input.next_token.as_deref(), limit)
        .map_err(|_| invalid("The NextToken value is invalid"))?;
    let shown = page
        .items
        .iter()
        .map(|(_, known)| shown::summary(known, !certificates::used_by(control, &known.arn).is_empty(), now));
    Ok(ListCertificatesOutput { certificate_summary_list: shown.collect(), next_token: page.next })
}

/// Keeps the certificates with the wanted kinds of key and uses.
///
/// AWS lists only RSA keys of 1024 and 2048 bits unless `keyTypes` says otherwise; here nothing is left out unasked.
fn include(found: &mut Vec<Arc<Certificate>>, includes: &Includes) -> Result<(), Fault> {
    if includes.managed_by.is_some() {
        return Err(unsupported("Includes.managedBy"));
    }
    match includes.export_option.as_deref() {
        None | Some("DISABLED") => {}
        Some("ENABLED") => found.clear(),
        Some(other) => {
            return Err(invalid(format!("Includes.exportOption '{other}' must be ENABLED or DISABLED")));
        }
    }
    found.retain(|known| {
        let facts = &known.facts;
        any(&includes.key_usage, facts.key_usages.iter().map(String::as_str))
            && any(
                &includes.extended_key_usage,
                facts.extended_key_usages.iter().map(|(name, _)| name.as_str()),
            )
    });
    found.retain(|known| {
        includes.key_types.is_empty() || includes.key_types.contains(&known.facts.key_algorithm)
    });
    Ok(())
}

/// Returns whether one of the wanted is there, or none is wanted.
fn any<'a>(wanted: &[String], mut has: impl Iterator<Item = &'a str>) -> bool {
    wanted.is_empty()
        || wanted.iter().any(|one| one == "ANY")
        || has.any(|one| wanted.iter().any(|want| want == one))
}

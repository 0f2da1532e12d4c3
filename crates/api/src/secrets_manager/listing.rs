//! Lists of secrets and of a secret's versions.

use std::sync::Arc;

use wharf_aws::Timestamp;
use wharf_aws::page::page;
use wharf_aws::secrets_manager::{
    DescribedSecret, Filter, ListSecretsInput, ListSecretsOutput, ListVersionsInput, ListVersionsOutput,
    Version,
};
use wharf_control::Control;
use wharf_control::operations::secrets;
use wharf_model::secret::Secret;

use super::given::{self, bad_token, invalid, required};
use super::secrets::{show, staged};
use crate::Fault;

pub(super) async fn secrets(control: &Control, input: ListSecretsInput) -> Result<ListSecretsOutput, Fault> {
    let mut found = secrets::list(control);
    found.retain(|secret| input.include_planned_deletion || secret.deletion.is_none());
    for filter in &input.filters {
        check(filter)?;
        found.retain(|secret| filter.values.iter().any(|value| holds(secret, &filter.key, value)));
    }
    match input.sort_by.as_deref() {
        None | Some("created-date") => {}
        Some("name") => found.sort_by(|a, b| a.name.cmp(&b.name)),
        Some("last-changed-date") => found.sort_by_key(|secret| secret.changed_at),
        Some(other) => {
            return Err(invalid(format!(
                "SortBy '{other}' is not supported here; use created-date, last-changed-date or name"
            )));
        }
    }
    match input.sort_order.as_deref() {
        None | Some("asc") => {}
        Some("desc") => found.reverse(),
        Some(other) => return Err(invalid(format!("SortOrder '{other}' must be asc or desc."))),
    }
    let numbered: Vec<(usize, Arc<Secret>)> = found.into_iter().enumerate().collect();
    let key = |(place, _): &(usize, Arc<Secret>)| format!("{place:010}");
    let page = page(numbered, key, input.next_token.as_deref(), given::limit(input.max_results)?)
        .map_err(|_| bad_token())?;
    let shown = page.items.iter().map(|(_, secret)| DescribedSecret {
        secret_versions_to_stages: Some(staged(secret)),
        ..show(secret)
    });
    Ok(ListSecretsOutput { secret_list: shown.collect(), next_token: page.next })
}

fn check(filter: &Filter) -> Result<(), Fault> {
    match filter.key.as_str() {
        "name" | "description" | "tag-key" | "tag-value" | "all" if !filter.values.is_empty() => Ok(()),
        "name" | "description" | "tag-key" | "tag-value" | "all" => {
            Err(invalid("You must provide a list of values for each filter."))
        }
        other => Err(invalid(format!("The filter key '{other}' is not supported here."))),
    }
}

/// Returns whether a secret has what a filter asks for; `!` before a value asks for what has it not.
fn holds(secret: &Secret, key: &str, value: &str) -> bool {
    let (wanted, negated) = value.strip_prefix('!').map_or((value, false), |rest| (rest, true));
    let description = secret.description.as_deref().unwrap_or_default();
    let begins = |text: &str| text.starts_with(wanted);
    // Descriptions and `all` are searched word by word and whatever the case; names and tags are not.
    let lower = wanted.to_lowercase();
    let words = |text: &str| {
        let text = text.to_lowercase();
        let mut words = text.split(|letter: char| !letter.is_alphanumeric());
        text.starts_with(&lower) || words.any(|word| !lower.is_empty() && word.starts_with(&lower))
    };
    let tags = &secret.tags;
    let found = match key {
        "name" => begins(&secret.name),
        "description" => words(description),
        "tag-key" => tags.iter().any(|tag| begins(&tag.key)),
        "tag-value" => tags.iter().any(|tag| begins(&tag.value)),
        _ => {
            words(&secret.name)
                || words(description)
                || tags.iter().any(|tag| words(&tag.key) || words(&tag.value))
        }
    };
    found != negated
}

pub(super) async fn versions(
    control: &Control,
    input: ListVersionsInput,
) -> Result<ListVersionsOutput, Fault> {
    let secret = secrets::describe(control, &required("secretId", input.secret_id)?)?;
    let shown = secret
        .versions
        .iter()
        .enumerate()
        .filter(|(_, version)| input.include_deprecated || !version.stages.is_empty());
    let key = |(place, _): &(usize, &wharf_model::secret::SecretVersion)| format!("{place:010}");
    let page = page(shown, key, input.next_token.as_deref(), given::limit(input.max_results)?)
        .map_err(|_| bad_token())?;
    let versions = page.items.into_iter().map(|(_, version)| Version {
        version_id: version.id.clone(),
        version_stages: version.stages.clone(),
        created_date: Timestamp::from_millis(version.created_at.0),
        kms_key_ids: vec!["DefaultEncryptionKey"],
    });
    Ok(ListVersionsOutput {
        versions: versions.collect(),
        next_token: page.next,
        arn: secret.arn.to_string(),
        name: secret.name.clone(),
    })
}

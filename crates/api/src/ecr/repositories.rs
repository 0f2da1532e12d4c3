//! Repositories: shapes to model and back.

use wharf_aws::Timestamp;
use wharf_aws::ecr::{
    CreateRepositoryInput, DeleteRepositoryInput, DescribeRepositoriesInput, DescribeRepositoriesOutput,
    Encryption, ImageScanning, ListTagsInput, ListTagsOutput, Repository, RepositoryOutput,
};
use wharf_control::Control;
use wharf_control::operations::repositories;
use wharf_model::{InvalidName, repository};

use super::{check_registry, invalid, page, required};
use crate::{Fault, given};

pub(super) async fn create(
    control: &Control,
    input: CreateRepositoryInput,
) -> Result<RepositoryOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let filters = &input.image_tag_mutability_exclusion_filters;
    let immutable = mutability_of(input.image_tag_mutability.as_deref(), filters)?;
    if input.image_scanning_configuration.is_some_and(|scanning| scanning.scan_on_push) {
        return Err(invalid("imageScanningConfiguration.scanOnPush 'true' is not supported here"));
    }
    if let Some(encryption) = input.encryption_configuration
        && (encryption.encryption_type != "AES256" || encryption.kms_key.is_some())
    {
        return Err(invalid("encryptionConfiguration is only supported with encryptionType 'AES256' here"));
    }
    let name = required("repositoryName", input.repository_name)?;
    let name = name.parse().map_err(|_: InvalidName| {
        invalid(format!(
            "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'' (given: '{name}')"
        ))
    })?;
    let made = repositories::create(control, name, immutable, given::tags(input.tags)).await?;
    Ok(RepositoryOutput { repository: show(control, &made) })
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeRepositoriesInput,
) -> Result<DescribeRepositoriesOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let mut found = if input.repository_names.is_empty() {
        repositories::list(control)
    } else {
        let names = input.repository_names.iter();
        names.map(|name| repositories::find(control, name)).collect::<Result<_, _>>()?
    };
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let token = input.next_token.as_deref();
    let (found, next_token) = page(found, |found| found.name.to_string(), token, input.max_results)?;
    let repositories = found.iter().map(|found| show(control, found)).collect();
    Ok(DescribeRepositoriesOutput { repositories, next_token })
}

pub(super) async fn delete(
    control: &Control,
    input: DeleteRepositoryInput,
) -> Result<RepositoryOutput, Fault> {
    check_registry(control, input.registry_id.as_deref())?;
    let name = required("repositoryName", input.repository_name)?;
    let immutable = repositories::immutable_tags(control, &name);
    let deleted = repositories::delete(control, &name, input.force).await?;
    let mut repository = show(control, &deleted);
    repository.image_tag_mutability = mutability(immutable);
    Ok(RepositoryOutput { repository })
}

pub(super) async fn list_tags(control: &Control, input: ListTagsInput) -> Result<ListTagsOutput, Fault> {
    let name = super::policies::by_arn(required("resourceArn", input.resource_arn)?)?;
    let found = repositories::find(control, &name)?;
    Ok(ListTagsOutput { tags: given::shown_tags(&found.tags) })
}

fn show(control: &Control, found: &repository::Repository) -> Repository {
    Repository {
        repository_arn: found.arn.to_string(),
        registry_id: control.config().place.account.clone(),
        repository_name: found.name.to_string(),
        repository_uri: found.uri.clone(),
        created_at: Timestamp::from_millis(found.created_at.0),
        image_tag_mutability: mutability(repositories::immutable_tags(control, found.name.as_str())),
        image_scanning_configuration: ImageScanning { scan_on_push: false },
        encryption_configuration: Encryption { encryption_type: "AES256".to_owned(), kms_key: None },
    }
}

/// Returns whether tags are not to move.
pub(super) fn mutability_of(given: Option<&str>, filters: &[serde_json::Value]) -> Result<bool, Fault> {
    if !filters.is_empty() {
        return Err(invalid("imageTagMutabilityExclusionFilters is not supported here; leave it out"));
    }
    match given {
        None | Some("MUTABLE") => Ok(false),
        Some("IMMUTABLE") => Ok(true),
        Some(other) => Err(invalid(format!(
            "imageTagMutability '{other}' is not supported here; use 'MUTABLE' or 'IMMUTABLE'"
        ))),
    }
}

fn mutability(immutable: bool) -> &'static str {
    if immutable { "IMMUTABLE" } else { "MUTABLE" }
}

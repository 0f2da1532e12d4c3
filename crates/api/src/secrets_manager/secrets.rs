//! Secrets: shapes to model and back.

use std::collections::BTreeMap;

use wharf_aws::Timestamp;
use wharf_aws::secrets_manager::{
    ChangeSecretInput, CreateSecretInput, DeleteSecretInput, DeleteSecretOutput, DescribedSecret,
    NamedSecretInput, SecretOutput, TagInput,
};
use wharf_control::Control;
use wharf_control::operations::secrets::{self, NewSecret};
use wharf_model::Arn;
use wharf_model::secret::Secret;

use super::given::{self, invalid, required, unsupported};
use crate::Fault;

const DESCRIPTION_MAX: usize = 2048;

pub(super) async fn create(control: &Control, input: CreateSecretInput) -> Result<SecretOutput, Fault> {
    if !input.add_replica_regions.is_empty() {
        return Err(unsupported("AddReplicaRegions"));
    }
    if input.force_overwrite_replica_secret {
        return Err(unsupported("ForceOverwriteReplicaSecret"));
    }
    check_common(input.kms_key_id.as_deref(), input.r#type.as_deref(), input.description.as_deref())?;
    let new = NewSecret {
        name: given::name(input.name)?,
        description: input.description,
        value: given::value(input.secret_string, input.secret_binary)?,
        token: given::token(input.client_request_token)?,
        tags: given::tags(input.tags),
    };
    let (secret, version_id) = secrets::create(control, new).await?;
    Ok(named(&secret, version_id))
}

fn check_common(key: Option<&str>, kind: Option<&str>, description: Option<&str>) -> Result<(), Fault> {
    given::key(key)?;
    if kind.is_some_and(|kind| !kind.is_empty()) {
        return Err(unsupported("Type"));
    }
    if description.is_some_and(|description| description.chars().count() > DESCRIPTION_MAX) {
        return Err(invalid(format!("Description must have at most {DESCRIPTION_MAX} characters.")));
    }
    Ok(())
}

pub(super) async fn update(control: &Control, input: ChangeSecretInput) -> Result<SecretOutput, Fault> {
    check_common(input.kms_key_id.as_deref(), input.r#type.as_deref(), input.description.as_deref())?;
    let id = required("secretId", input.secret_id)?;
    let value = given::value(input.secret_string, input.secret_binary)?;
    let token = given::token(input.client_request_token)?;
    let (secret, version_id) = secrets::update(control, &id, input.description, value, token).await?;
    Ok(named(&secret, version_id))
}

pub(super) async fn describe(control: &Control, input: NamedSecretInput) -> Result<DescribedSecret, Fault> {
    let secret = secrets::describe(control, &required("secretId", input.secret_id)?)?;
    let shown = show(&secret);
    Ok(DescribedSecret { version_ids_to_stages: Some(staged(&secret)), ..shown })
}

pub(super) async fn delete(control: &Control, input: DeleteSecretInput) -> Result<DeleteSecretOutput, Fault> {
    let id = required("secretId", input.secret_id)?;
    let window = input.recovery_window_in_days;
    let deleted = secrets::delete(control, &id, window, input.force_delete_without_recovery).await?;
    let (arn, name, at) = match deleted {
        Some((secret, at)) => (secret.arn.to_string(), secret.name, at),
        // To delete what is not there by force is no error.
        None => {
            let name = id.parse::<Arn>().map_or_else(|_| id.clone(), |arn| arn.resource);
            (id, name.trim_start_matches("secret:").to_owned(), control.now())
        }
    };
    Ok(DeleteSecretOutput { arn, name, deletion_date: Timestamp::from_millis(at.0) })
}

pub(super) async fn restore(control: &Control, input: NamedSecretInput) -> Result<SecretOutput, Fault> {
    let secret = secrets::restore(control, &required("secretId", input.secret_id)?).await?;
    Ok(named(&secret, None))
}

/// Returns no policy: there is no way to give a secret one.
pub(super) async fn resource_policy(
    control: &Control,
    input: NamedSecretInput,
) -> Result<SecretOutput, Fault> {
    let secret = secrets::describe(control, &required("secretId", input.secret_id)?)?;
    Ok(named(&secret, None))
}

pub(super) async fn tag(control: &Control, input: TagInput) -> Result<(), Fault> {
    let id = required("secretId", input.secret_id)?;
    Ok(secrets::tag(control, &id, given::tags(input.tags)).await?)
}

pub(super) async fn untag(control: &Control, input: TagInput) -> Result<(), Fault> {
    let id = required("secretId", input.secret_id)?;
    Ok(secrets::untag(control, &id, &input.tag_keys).await?)
}

/// Returns a secret's names.
pub(super) fn named(secret: &Secret, version_id: Option<String>) -> SecretOutput {
    SecretOutput { arn: secret.arn.to_string(), name: secret.name.clone(), version_id, version_stages: None }
}

/// Returns what is shown of a secret besides its versions.
pub(super) fn show(secret: &Secret) -> DescribedSecret {
    let time = |at: wharf_model::Timestamp| Timestamp::from_millis(at.0);
    DescribedSecret {
        arn: secret.arn.to_string(),
        name: secret.name.clone(),
        description: secret.description.clone(),
        last_changed_date: time(secret.changed_at),
        deleted_date: secret.deletion.map(|deletion| time(deletion.asked_at)),
        tags: given::shown_tags(&secret.tags),
        version_ids_to_stages: None,
        secret_versions_to_stages: None,
        created_date: time(secret.created_at),
    }
}

/// Returns the versions that carry a label, with their labels.
pub(super) fn staged(secret: &Secret) -> BTreeMap<String, Vec<String>> {
    let carrying = secret.versions.iter().filter(|version| !version.stages.is_empty());
    carrying.map(|version| (version.id.clone(), version.stages.clone())).collect()
}

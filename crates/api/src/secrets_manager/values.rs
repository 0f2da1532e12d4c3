//! Values of secrets: shapes to model and back.

use wharf_aws::secrets_manager::{
    ChangeSecretInput, GetSecretValueOutput, MoveStageInput, NamedSecretInput, SecretOutput,
};
use wharf_aws::{Hidden, Timestamp};
use wharf_control::Control;
use wharf_control::operations::secrets::{self, Wanted};

use super::given::{self, invalid, required, unsupported};
use super::secrets::named;
use crate::Fault;

const STAGES_MAX: usize = 20;

pub(super) async fn get(control: &Control, input: NamedSecretInput) -> Result<GetSecretValueOutput, Fault> {
    let id = required("secretId", input.secret_id)?;
    let wanted = Wanted { version: input.version_id, stage: input.version_stage };
    let (secret, version, value) = secrets::get_value(control, &id, &wanted)?;
    let content = Hidden(value.plain.reveal().to_owned());
    let (secret_binary, secret_string) =
        if value.binary { (Some(content), None) } else { (None, Some(content)) };
    Ok(GetSecretValueOutput {
        arn: secret.arn.to_string(),
        name: secret.name,
        version_id: version.id,
        secret_binary,
        secret_string,
        version_stages: version.stages,
        created_date: Timestamp::from_millis(version.created_at.0),
    })
}

pub(super) async fn put(control: &Control, input: ChangeSecretInput) -> Result<SecretOutput, Fault> {
    if input.rotation_token.is_some() {
        return Err(unsupported("RotationToken"));
    }
    let id = required("secretId", input.secret_id)?;
    let value = given::value(input.secret_string, input.secret_binary)?;
    let value = value.ok_or_else(|| {
        Fault::caller("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
    })?;
    let too_long = |stage: &String| stage.is_empty() || stage.len() > 256;
    if input.version_stages.len() > STAGES_MAX || input.version_stages.iter().any(too_long) {
        return Err(invalid(format!(
            "VersionStages must have at most {STAGES_MAX} items of 1 to 256 characters."
        )));
    }
    let token = given::token(input.client_request_token)?;
    let (secret, version_id) = secrets::put_value(control, &id, value, token, input.version_stages).await?;
    let version = secret.versions.iter().find(|version| version.id == version_id);
    let version_stages = version.map(|version| version.stages.clone());
    Ok(SecretOutput { version_stages, ..named(&secret, Some(version_id)) })
}

pub(super) async fn move_stage(control: &Control, input: MoveStageInput) -> Result<SecretOutput, Fault> {
    let id = required("secretId", input.secret_id)?;
    let stage = required("versionStage", input.version_stage)?;
    let (from, to) = (input.remove_from_version_id, input.move_to_version_id);
    let secret = secrets::move_stage(control, &id, &stage, from, to).await?;
    Ok(named(&secret, None))
}

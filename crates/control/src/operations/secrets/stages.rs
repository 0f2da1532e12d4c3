//! Staging labels: each is on at most one version, and what was current becomes previous.

use super::{Error, usable};
use crate::Control;
use wharf_model::secret::{Secret, SecretVersion};

/// The label of the version that is returned where none is named.
pub const CURRENT: &str = "AWSCURRENT";
/// The label of the version that was current before.
pub const PREVIOUS: &str = "AWSPREVIOUS";

/// Puts a label on a version and takes it from every other.
pub(super) fn attach(versions: &mut [SecretVersion], stage: &str, to: &str) {
    let bearer = versions.iter().find(|version| version.stages.iter().any(|known| known == stage));
    let before = bearer.map(|version| version.id.clone()).filter(|id| id != to);
    detach(versions, stage);
    for version in versions.iter_mut() {
        if version.id == to {
            version.stages.push(stage.to_owned());
        }
    }
    if let Some(before) = before.filter(|_| stage == CURRENT) {
        detach(versions, PREVIOUS);
        for version in versions.iter_mut().filter(|version| version.id == before) {
            version.stages.push(PREVIOUS.to_owned());
        }
    }
}

fn detach(versions: &mut [SecretVersion], stage: &str) {
    for version in versions {
        version.stages.retain(|known| known != stage);
    }
}

/// Moves a label from one version to another, or takes it away (UpdateSecretVersionStage).
pub async fn move_stage(
    control: &Control,
    secret: &str,
    stage: &str,
    from: Option<String>,
    to: Option<String>,
) -> Result<Secret, Error> {
    let now = control.now();
    let moved = control.store().update(|draft| {
        let mut secret = usable(draft, secret)?;
        check(&secret, stage, from.as_deref(), to.as_deref())?;
        match &to {
            Some(to) => attach(&mut secret.versions, stage, to),
            None => detach(&mut secret.versions, stage),
        }
        secret.changed_at = now;
        draft.put(secret.clone());
        Ok(secret)
    });
    Ok(moved.await?)
}

fn check(secret: &Secret, stage: &str, from: Option<&str>, to: Option<&str>) -> Result<(), Error> {
    for id in [from, to].into_iter().flatten() {
        if !secret.versions.iter().any(|version| version.id == id) {
            return Err(Error::ValueNotFound(format!("VersionId: {id}")));
        }
    }
    let bearer = super::staged(secret, stage).map(|version| version.id.as_str());
    if bearer.is_some() && bearer != from && bearer != to {
        return Err(Error::InvalidParameter(format!(
            "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version \
             {}, so you must explicitly reference that version in RemoveFromVersionId.",
            bearer.unwrap_or_default()
        )));
    }
    if from.is_some() && bearer != from {
        return Err(Error::InvalidParameter(format!(
            "Staging label {stage} is not attached to the version that RemoveFromVersionId names."
        )));
    }
    if to.is_none() && stage == CURRENT {
        return Err(Error::InvalidParameter(format!(
            "You can only move staging label {CURRENT} to a different secret version. It can't be completely removed."
        )));
    }
    if from.is_none() && to.is_none() {
        return Err(Error::InvalidParameter(
            "You must specify RemoveFromVersionId or MoveToVersionId.".to_owned(),
        ));
    }
    Ok(())
}

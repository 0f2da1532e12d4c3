//! Values of secrets: stored under a version's id, found by id or by stage.

use super::{CURRENT, Error, bound_to, seal, staged, stages, usable};
use crate::{Control, ids};
use wharf_model::{
    Timestamp,
    secret::{Plain, Secret, SecretVersion},
};

/// The most versions of a secret that are kept.
const VERSIONS_MAX: usize = 100;
/// The longest value, in bytes.
const VALUE_MAX: usize = 65_536;

/// A value as it is given and returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The text; of bytes their base64.
    pub plain: Plain,
    /// Whether it is bytes.
    pub binary: bool,
}

/// Which version of a secret is meant; `AWSCURRENT` where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// By its id.
    pub version: Option<String>,
    /// By a stage that it carries.
    pub stage: Option<String>,
}

/// Stores a value under an id; returns the secret and that id.
pub async fn put_value(
    control: &Control,
    secret: &str,
    value: Value,
    token: Option<String>,
    stages: Vec<String>,
) -> Result<(Secret, String), Error> {
    let now = control.now();
    let token = token.unwrap_or_else(ids::uuid);
    let put = control.store().update(|draft| {
        let mut secret = usable(draft, secret)?;
        if add(control, &mut secret, &token, &value, &stages, now)? {
            secret.changed_at = now;
            draft.put(secret.clone());
        }
        Ok((secret, token.clone()))
    });
    Ok(put.await?)
}

/// Adds a value to a secret, with these stages or, where none are named, as the current one. Returns whether it was not
/// there yet.
pub(super) fn add(
    control: &Control,
    secret: &mut Secret,
    id: &str,
    value: &Value,
    named: &[String],
    now: Timestamp,
) -> Result<bool, Error> {
    if value.plain.reveal().len() > VALUE_MAX {
        return Err(Error::InvalidParameter(format!("The secret value is longer than {VALUE_MAX} bytes.")));
    }
    if let Some(known) = secret.versions.iter().find(|version| version.id == id) {
        if is_same(control, secret, known, value)? {
            return Ok(false);
        }
        return Err(Error::VersionExists { token: id.to_owned(), arn: secret.arn.to_string() });
    }
    secret.versions.push(SecretVersion {
        id: id.to_owned(),
        stages: Vec::new(),
        created_at: now,
        binary: value.binary,
        value: seal(control, &secret.name, id, &value.plain),
    });
    let first = secret.versions.len() == 1;
    let current = named.is_empty() || (first && !named.iter().any(|stage| stage == CURRENT));
    for stage in named.iter().map(String::as_str).chain(current.then_some(CURRENT)) {
        stages::attach(&mut secret.versions, stage, id);
    }
    prune(&mut secret.versions);
    Ok(true)
}

/// Lets go of the oldest versions that no stage refers to, once there are many.
fn prune(versions: &mut Vec<SecretVersion>) {
    while versions.len() > VERSIONS_MAX {
        let Some(oldest) = versions.iter().position(|version| version.stages.is_empty()) else { return };
        versions.remove(oldest);
    }
}

/// Returns whether a version holds this value.
pub(super) fn is_same(
    control: &Control,
    secret: &Secret,
    version: &SecretVersion,
    value: &Value,
) -> Result<bool, Error> {
    Ok(unseal(control, secret, version)? == *value)
}

/// Returns a secret with one of its values.
pub fn get_value(
    control: &Control,
    secret: &str,
    wanted: &Wanted,
) -> Result<(Secret, SecretVersion, Value), Error> {
    let secret = usable(&control.store().view(), secret)?;
    let version = choose(&secret, wanted)?.clone();
    let value = unseal(control, &secret, &version)?;
    Ok((secret, version, value))
}

/// Returns the version that is meant.
pub(super) fn choose<'a>(secret: &'a Secret, wanted: &Wanted) -> Result<&'a SecretVersion, Error> {
    let by_id = |id: &String| secret.versions.iter().find(|version| version.id == *id);
    match (&wanted.version, wanted.stage.as_deref()) {
        (Some(id), stage) => {
            let version = by_id(id).ok_or_else(|| Error::ValueNotFound(format!("VersionId: {id}")))?;
            if stage.is_some_and(|stage| !version.stages.iter().any(|known| known == stage)) {
                return Err(Error::InvalidRequest(
                    "You provided a VersionStage that is not associated to the provided VersionId."
                        .to_owned(),
                ));
            }
            Ok(version)
        }
        (None, stage) => {
            let stage = stage.unwrap_or(CURRENT);
            staged(secret, stage).ok_or_else(|| Error::ValueNotFound(format!("staging label: {stage}")))
        }
    }
}

fn unseal(control: &Control, secret: &Secret, version: &SecretVersion) -> Result<Value, Error> {
    let plain = control.vault().unseal(&version.value, &bound_to(&secret.name, &version.id))?;
    Ok(Value { plain, binary: version.binary })
}

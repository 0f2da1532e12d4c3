//! Secrets: their records in the state file, their values encrypted in them.

use crate::{Control, ids, look::Look, vault::VaultError};
use std::sync::Arc;
use thiserror::Error;
use wharf_model::{
    Arn, Timestamp,
    secret::{Deletion, Plain, Secret, SecretVersion},
    tag::Tag,
};
use wharf_store::{StoreError, UpdateError};

mod stages;
mod tags;
#[cfg(test)]
mod tests;
mod values;

pub use stages::{CURRENT, PREVIOUS, move_stage};
pub use tags::{tag, untag};
pub use values::{Value, Wanted, get_value, put_value};

/// The shortest and longest time until a deletion happens, and the one where none is given, in days.
const WINDOW_DAYS: std::ops::RangeInclusive<i64> = 7..=30;
const WINDOW_DAYS_DEFAULT: i64 = 30;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// How many characters follow a secret's name in its ARN, the hyphen included.
const SUFFIX: usize = 7;

/// Why something about secrets was not done. The words are AWS's own.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no such secret.
    #[error("Secrets Manager can't find the specified secret.")]
    NotFound,
    /// It has no such value.
    #[error("Secrets Manager can't find the specified secret value for {0}")]
    ValueNotFound(String),
    /// The name is taken.
    #[error("The operation failed because the secret {0} already exists.")]
    Exists(String),
    /// A version's id is taken by another value.
    #[error(
        "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
    )]
    VersionExists {
        /// The id.
        token: String,
        /// The secret's ARN.
        arn: String,
    },
    /// A parameter is wrong.
    #[error("{0}")]
    InvalidParameter(String),
    /// What is asked for cannot be done as things are.
    #[error("{0}")]
    InvalidRequest(String),
    /// A value cannot be read.
    #[error("Secrets Manager can't decrypt the protected secret text using the provided KMS key.")]
    Vault(#[from] VaultError),
    /// The state file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UpdateError<Error>> for Error {
    fn from(error: UpdateError<Error>) -> Error {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::Store(error) => Error::Store(error),
        }
    }
}

/// What a secret is made from.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// Its name, checked.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its first value.
    pub value: Option<Value>,
    /// The first value's id; a random one when absent.
    pub token: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Makes a secret; returns it with the id of its first value. The same request again returns the same.
pub async fn create(control: &Control, new: NewSecret) -> Result<(Secret, Option<String>), Error> {
    let now = control.now();
    let arn =
        control.config().place.arn("secretsmanager", format_args!("secret:{}-{}", new.name, ids::letters(6)));
    let token = new.token.clone().unwrap_or_else(ids::uuid);
    tags::check(&new.tags)?;
    let made = control.store().update(|draft| {
        if let Some(known) = draft.get::<Secret>(&new.name) {
            return repeated(control, &known, &new).map(|version| ((*known).clone(), version));
        }
        let mut secret = Secret {
            name: new.name.clone(),
            arn,
            description: new.description.clone(),
            tags: new.tags.clone(),
            created_at: now,
            changed_at: now,
            deletion: None,
            versions: Vec::new(),
        };
        let mut version = None;
        if let Some(value) = &new.value {
            values::add(control, &mut secret, &token, value, &[], now)?;
            version = Some(token.clone());
        }
        draft.put(secret.clone());
        Ok((secret, version))
    });
    Ok(made.await?)
}

/// Returns the version that a request to make a secret again stands for.
fn repeated(control: &Control, known: &Secret, new: &NewSecret) -> Result<Option<String>, Error> {
    if known.deletion.is_some() {
        return Err(Error::InvalidRequest(
            "You can't create this secret because a secret with this name is already scheduled for deletion."
                .to_owned(),
        ));
    }
    let (Some(token), Some(value)) = (&new.token, &new.value) else {
        return Err(Error::Exists(new.name.clone()));
    };
    match known.versions.iter().find(|version| version.id == *token) {
        Some(version) if values::is_same(control, known, version, value)? => Ok(Some(token.clone())),
        _ => Err(Error::Exists(new.name.clone())),
    }
}

/// Changes a secret's description, and its value when one is given; returns it with the new value's id.
pub async fn update(
    control: &Control,
    secret: &str,
    description: Option<String>,
    value: Option<Value>,
    token: Option<String>,
) -> Result<(Secret, Option<String>), Error> {
    let now = control.now();
    let token = token.unwrap_or_else(ids::uuid);
    let changed = control.store().update(|draft| {
        let mut secret = usable(draft, secret)?;
        if let Some(description) = &description {
            secret.description = (!description.is_empty()).then(|| description.clone());
        }
        let mut version = None;
        if let Some(value) = &value {
            values::add(control, &mut secret, &token, value, &[], now)?;
            version = Some(token.clone());
        }
        secret.changed_at = now;
        draft.put(secret.clone());
        Ok((secret, version))
    });
    Ok(changed.await?)
}

/// Schedules a secret's deletion, or deletes it at once; returns it with the time of its deletion. With `force`, one that
/// is not there counts as deleted: nothing is returned.
pub async fn delete(
    control: &Control,
    secret: &str,
    window_days: Option<i64>,
    force: bool,
) -> Result<Option<(Secret, Timestamp)>, Error> {
    if force && window_days.is_some() {
        return Err(Error::InvalidParameter(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.".to_owned(),
        ));
    }
    let window = window_days.unwrap_or(WINDOW_DAYS_DEFAULT);
    if !WINDOW_DAYS.contains(&window) {
        return Err(Error::InvalidParameter(
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).".to_owned(),
        ));
    }
    let now = control.now();
    let deleted = control.store().update(|draft| {
        let Some(known) = find(draft, secret) else {
            return if force { Ok(None) } else { Err(Error::NotFound) };
        };
        if force {
            draft.delete::<Secret>(&known.name);
            return Ok(Some(((*known).clone(), now)));
        }
        if known.deletion.is_some() {
            return Err(marked());
        }
        let due_at = Timestamp(now.0 + window * DAY_MILLIS);
        let deletion = Some(Deletion { asked_at: now, due_at });
        let secret = Secret { deletion, ..(*known).clone() };
        draft.put(secret.clone());
        Ok(Some((secret, due_at)))
    });
    Ok(deleted.await?)
}

/// Takes a deletion back.
pub async fn restore(control: &Control, secret: &str) -> Result<Secret, Error> {
    let restored = control.store().update(|draft| {
        let known = find(draft, secret).ok_or(Error::NotFound)?;
        let secret = Secret { deletion: None, ..(*known).clone() };
        if *known != secret {
            draft.put(secret.clone());
        }
        Ok(secret)
    });
    Ok(restored.await?)
}

/// Returns a secret, also one that is to be deleted.
pub fn describe(control: &Control, secret: &str) -> Result<Arc<Secret>, Error> {
    find(&control.store().view(), secret).ok_or(Error::NotFound)
}

/// Returns every secret, the oldest first.
pub fn list(control: &Control) -> Vec<Arc<Secret>> {
    let mut secrets = control.store().view().list::<Secret>("");
    secrets.sort_by(|a, b| (a.created_at, &a.name).cmp(&(b.created_at, &b.name)));
    secrets
}

/// Returns the names of the secrets whose time is over.
pub(crate) fn due(look: &impl Look, now: Timestamp) -> Vec<String> {
    let over = |secret: &Arc<Secret>| secret.deletion.is_some_and(|deletion| deletion.due_at <= now);
    look.list::<Secret>("").iter().filter(|secret| over(secret)).map(|secret| secret.name.clone()).collect()
}

/// Finds a secret by its name, its ARN, or its ARN without the random characters.
pub(crate) fn find(look: &impl Look, given: &str) -> Option<Arc<Secret>> {
    let Ok(arn) = given.parse::<Arn>() else { return look.get::<Secret>(given) };
    let full = arn.resource.strip_prefix("secret:")?;
    let same_place = |secret: &Arc<Secret>| {
        (&secret.arn.region, &secret.arn.account) == (&arn.region, &arn.account)
            && (secret.arn.resource == arn.resource || secret.name == full)
    };
    let short = full.len().checked_sub(SUFFIX).and_then(|end| full.get(..end));
    let by_full = short.and_then(|name| look.get::<Secret>(name)).filter(same_place);
    by_full.or_else(|| look.get::<Secret>(full).filter(same_place))
}

/// Returns a copy of a secret that is not to be deleted.
fn usable(look: &impl Look, given: &str) -> Result<Secret, Error> {
    let known = find(look, given).ok_or(Error::NotFound)?;
    if known.deletion.is_some() { Err(marked()) } else { Ok((*known).clone()) }
}

fn marked() -> Error {
    Error::InvalidRequest(
        "You can't perform this operation on the secret because it was marked for deletion.".to_owned(),
    )
}

/// What a version's value is authenticated with.
fn bound_to(name: &str, version: &str) -> String {
    format!("secret {name} version {version}")
}

/// Returns a version that carries a stage.
fn staged<'a>(secret: &'a Secret, stage: &str) -> Option<&'a SecretVersion> {
    secret.versions.iter().find(|version| version.stages.iter().any(|known| known == stage))
}

fn seal(control: &Control, name: &str, version: &str, value: &Plain) -> wharf_model::secret::Sealed {
    control.vault().seal(value, &bound_to(name, version))
}

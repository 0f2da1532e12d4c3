//! Parameters of the parameter store: their records in the state file, their values encrypted in them.

use crate::{Control, look::Look, vault::VaultError};
use std::sync::Arc;
use thiserror::Error;
use wharf_model::{
    Place,
    secret::{Parameter, ParameterKind, ParameterTier, ParameterVersion, Plain, Sealed},
    tag::Tag,
};
use wharf_store::{StoreError, UpdateError};

mod check;
mod path;
mod reference;
mod tags;
#[cfg(test)]
mod tests;

pub use path::{is_below, is_path};
pub use reference::Reference;
pub use tags::{add_tags, remove_tags};

/// The most values of a parameter that are kept.
const VERSIONS_MAX: usize = 100;

/// Why something about parameters was not done. The words are AWS's own where those are known.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no such parameter.
    #[error("Parameter {0} not found.")]
    NotFound(String),
    /// It has no such version.
    #[error("Systems Manager could not find version {version} of {name}. Verify the version and try again.")]
    VersionNotFound {
        /// The parameter.
        name: String,
        /// The version.
        version: u64,
    },
    /// The name is taken, and nothing was to be overwritten.
    #[error(
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
    )]
    Exists,
    /// The value does not match the pattern that it must.
    #[error("Parameter value, cannot be validated against allowedPattern: {0}")]
    PatternMismatch(String),
    /// The pattern is none.
    #[error("The regular expression used in the allowed pattern is not valid: {0}")]
    InvalidPattern(String),
    /// The name has too many parts.
    #[error("A parameter name can have at most 15 levels.")]
    TooDeep,
    /// A member breaks a rule.
    #[error("{0}")]
    Validation(String),
    /// A value cannot be read.
    #[error("read the value of a parameter")]
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

/// What a parameter's value is made from.
#[derive(Debug, Clone)]
pub struct NewValue {
    /// The parameter.
    pub name: String,
    /// The value.
    pub value: Plain,
    /// Its kind; that of before, when the parameter is there already.
    pub kind: Option<ParameterKind>,
    /// What it is for; what was said before, when absent.
    pub description: Option<String>,
    /// The pattern that it must match; that of before, when absent.
    pub allowed_pattern: Option<String>,
    /// How large it may be; that of before, when absent.
    pub tier: Tier,
    /// Whether a parameter that is there already is changed.
    pub overwrite: bool,
    /// The parameter's tags, for a new one.
    pub tags: Vec<Tag>,
    /// Who stores it.
    pub by: String,
}

/// How large a value may be, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// As before; standard for a new parameter.
    Unsaid,
    /// This.
    Exactly(ParameterTier),
    /// Whatever its size asks for.
    Intelligent,
}

/// A parameter as it is read: one of its values.
#[derive(Debug, Clone)]
pub struct Found {
    /// The parameter.
    pub parameter: Arc<Parameter>,
    /// The version that was meant.
    pub version: ParameterVersion,
    /// Its value: decrypted, or of a secure string as it is kept when it was not to be decrypted.
    pub value: Plain,
}

/// Stores a value; returns its version and tier.
pub async fn put(control: &Control, new: NewValue) -> Result<(u64, ParameterTier), Error> {
    check::name(&new.name)?;
    if new.overwrite && !new.tags.is_empty() {
        return Err(Error::Validation(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please \
             remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
             RemoveTagsFromResource."
                .to_owned(),
        ));
    }
    tags::check(&new.tags)?;
    let now = control.now();
    let put = control.store().update(|draft| {
        let known = draft.get::<Parameter>(&new.name);
        if known.is_some() && !new.overwrite {
            return Err(Error::Exists);
        }
        let before = known.as_ref().and_then(|known| known.versions.last());
        let kind = new.kind.or(before.map(|before| before.kind)).ok_or_else(|| {
            Error::Validation("A parameter type is required when you create a parameter.".to_owned())
        })?;
        let pattern =
            new.allowed_pattern.clone().or_else(|| before.and_then(|before| before.allowed_pattern.clone()));
        check::value(&new.value, kind, pattern.as_deref())?;
        let tier = check::tier(new.tier, before.map(|before| before.tier), &new.value)?;
        let version = ParameterVersion {
            version: before.map_or(1, |before| before.version + 1),
            kind,
            value: Sealed::new(String::new()),
            description: new
                .description
                .clone()
                .or_else(|| before.and_then(|before| before.description.clone())),
            allowed_pattern: pattern,
            tier,
            modified_at: now,
            modified_by: new.by.clone(),
        };
        let value = control.vault().seal(&new.value, &bound_to(&new.name, version.version));
        let version = ParameterVersion { value, ..version };
        let number = version.version;
        let mut parameter = match known {
            Some(known) => (*known).clone(),
            None => Parameter {
                name: new.name.clone(),
                arn: arn(&control.config().place, &new.name),
                tags: new.tags.clone(),
                versions: Vec::new(),
            },
        };
        parameter.versions.push(version);
        let many = parameter.versions.len().saturating_sub(VERSIONS_MAX);
        parameter.versions.drain(..many);
        draft.put(parameter);
        Ok((number, tier))
    });
    Ok(put.await?)
}

/// Returns a parameter with the value that a reference means.
pub fn get(control: &Control, reference: &Reference, decrypt: bool) -> Result<Found, Error> {
    found(control, &control.store().view(), reference, decrypt)
}

/// Does so while the state is being looked at.
pub(crate) fn found(
    control: &Control,
    look: &impl Look,
    reference: &Reference,
    decrypt: bool,
) -> Result<Found, Error> {
    let name = &reference.name;
    let parameter =
        look_up(look, &reference.given, name).ok_or_else(|| Error::NotFound(reference.given.clone()))?;
    if reference.label.is_some() {
        return Err(Error::NotFound(reference.given.clone()));
    }
    let version = match reference.version {
        None => parameter.versions.last(),
        Some(number) => parameter.versions.iter().find(|version| version.version == number),
    };
    let version = version.cloned().ok_or_else(|| Error::VersionNotFound {
        name: name.clone(),
        version: reference.version.unwrap_or_default(),
    })?;
    let value = shown(control, &parameter, &version, decrypt)?;
    Ok(Found { parameter, version, value })
}

/// Returns a value as it is shown: a secure string only decrypted when that was asked for.
pub fn shown(
    control: &Control,
    parameter: &Parameter,
    version: &ParameterVersion,
    decrypt: bool,
) -> Result<Plain, Error> {
    if version.kind == ParameterKind::SecureString && !decrypt {
        return Ok(Plain::new(version.value.as_str()));
    }
    Ok(control.vault().unseal(&version.value, &bound_to(&parameter.name, version.version))?)
}

/// Returns every parameter, by name.
pub fn list(control: &Control) -> Vec<Arc<Parameter>> {
    control.store().view().list("")
}

/// Returns a parameter.
pub fn describe(control: &Control, given: &str) -> Result<Arc<Parameter>, Error> {
    let found = look_up(&control.store().view(), given, &Reference::name_of(given));
    found.ok_or_else(|| Error::NotFound(given.to_owned()))
}

/// Returns the parameter that a name or ARN means. An ARN of one level does not say whether the name begins with a slash.
fn look_up(look: &impl Look, given: &str, name: &str) -> Option<Arc<Parameter>> {
    let slashed = || (given != name && !name.contains('/')).then(|| format!("/{name}"));
    look.get::<Parameter>(name).or_else(|| slashed().and_then(|name| look.get::<Parameter>(&name)))
}

/// Deletes parameters; returns those that were there and those that were not, as they were named.
pub async fn delete(control: &Control, given: &[String]) -> Result<(Vec<String>, Vec<String>), Error> {
    let deleted = control.store().change(|draft| {
        given.iter().cloned().partition(|given| {
            let known = look_up(draft, given, &Reference::name_of(given));
            if let Some(known) = &known {
                draft.delete::<Parameter>(&known.name);
            }
            known.is_some()
        })
    });
    Ok(deleted.await?)
}

fn arn(place: &Place, name: &str) -> wharf_model::Arn {
    place.arn("ssm", format_args!("parameter/{}", name.trim_start_matches('/')))
}

/// What a version's value is authenticated with.
fn bound_to(name: &str, version: u64) -> String {
    format!("parameter {name} version {version}")
}

//! Image repositories: records here, images in the registry.

use crate::Control;
use std::sync::Arc;
use thiserror::Error;
use wharf_image::{ImageDetail, ManifestError, RegistryError};
use wharf_model::{InvalidName, RepositoryName, repository::Repository, tag::Tag};
use wharf_store::{StoreError, UpdateError};

/// Why something about repositories was not done.
#[derive(Debug, Error)]
pub enum Error {
    /// The name breaks the rules.
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    /// There is such a repository already.
    #[error("The repository with name '{name}' already exists in the registry with id '{account}'")]
    Exists {
        /// The repository.
        name: RepositoryName,
        /// The account.
        account: String,
    },
    /// There is no such repository.
    #[error("The repository with name '{name}' does not exist in the registry with id '{account}'")]
    NotFound {
        /// The repository.
        name: String,
        /// The account.
        account: String,
    },
    /// The repository holds images and was not to be deleted with them.
    #[error(
        "The repository with name '{name}' in registry with id '{account}' cannot be deleted because it still contains images"
    )]
    NotEmpty {
        /// The repository.
        name: String,
        /// The account.
        account: String,
    },
    /// A parameter that makes no sense, or that this version does not support.
    #[error("{0}")]
    Invalid(String),
    /// The repository has no lifecycle policy.
    #[error(
        "Lifecycle policy does not exist for the repository with name '{name}' in the registry with id '{account}'"
    )]
    NoLifecyclePolicy {
        /// The repository.
        name: String,
        /// The account.
        account: String,
    },
    /// The repository has no policy for others.
    #[error(
        "Repository policy does not exist for the repository with name '{name}' in the registry with id '{account}'"
    )]
    NoPolicy {
        /// The repository.
        name: String,
        /// The account.
        account: String,
    },
    /// The registry cannot be used.
    #[error("use the image registry")]
    Registry(#[source] RegistryError),
    /// The state file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a repository, in the registry too.
pub async fn create(
    control: &Control,
    name: RepositoryName,
    immutable_tags: bool,
    tags: Vec<Tag>,
) -> Result<Repository, Error> {
    let place = &control.config().place;
    let host =
        format!("{}.dkr.ecr.{}.localhost:{}", place.account, place.region, control.config().endpoint.port());
    let repository = Repository {
        arn: place.arn("ecr", format_args!("repository/{name}")),
        uri: format!("{host}/{name}"),
        created_at: control.now(),
        tags,
        name,
        lifecycle_policy: None,
        policy: None,
    };
    let made = control
        .store()
        .update(|draft| {
            if draft.get::<Repository>(repository.name.as_str()).is_some() {
                let account = place.account.clone();
                return Err(Error::Exists { name: repository.name.clone(), account });
            }
            draft.put(repository.clone());
            Ok(repository)
        })
        .await;
    let repository = match made {
        Ok(repository) => repository,
        Err(UpdateError::Refused(error)) => return Err(error),
        Err(UpdateError::Store(error)) => return Err(error.into()),
    };
    open(control, &repository.name).await?;
    if immutable_tags {
        let set = control.registry().set_immutable_tags(repository.name.as_str(), true).await;
        set.map_err(Error::Registry)?;
    }
    Ok(repository)
}

/// Makes the repositories that the registry lacks: those whose making a crash cut short.
pub async fn repair(control: &Control) -> Result<(), Error> {
    let known: Vec<Arc<Repository>> = control.store().view().list("");
    for repository in known {
        open(control, &repository.name).await?;
    }
    Ok(())
}

async fn open(control: &Control, name: &RepositoryName) -> Result<(), Error> {
    match control.registry().create_repository(name.as_str()).await {
        Ok(_) | Err(RegistryError::Exists(_)) => Ok(()),
        Err(error) => Err(Error::Registry(error)),
    }
}

/// Returns the repositories, by name.
pub fn list(control: &Control) -> Vec<Arc<Repository>> {
    control.store().view().list("")
}

/// Returns a repository.
pub fn find(control: &Control, name: &str) -> Result<Arc<Repository>, Error> {
    let found = control.store().view().get::<Repository>(name);
    found.ok_or_else(|| Error::NotFound { name: name.to_owned(), account: account(control) })
}

/// Returns whether tags of a repository cannot be moved.
pub fn immutable_tags(control: &Control, name: &str) -> bool {
    control.registry().repository(name).is_ok_and(|repository| repository.immutable_tags)
}

/// Changes a repository's record.
pub(super) async fn change(
    control: &Control,
    name: &str,
    mut change: impl FnMut(&mut Repository),
) -> Result<(), Error> {
    let changed = control.store().update(|draft| {
        let known = draft.get::<Repository>(name);
        let known =
            known.ok_or_else(|| Error::NotFound { name: name.to_owned(), account: account(control) })?;
        let mut repository = (*known).clone();
        change(&mut repository);
        if repository != *known {
            draft.put(repository);
        }
        Ok(())
    });
    match changed.await {
        Ok(()) => Ok(()),
        Err(UpdateError::Refused(error)) => Err(error),
        Err(UpdateError::Store(error)) => Err(error.into()),
    }
}

/// Says whether tags of a repository can be moved.
pub async fn set_immutable_tags(control: &Control, name: &str, immutable: bool) -> Result<(), Error> {
    find(control, name)?;
    control.registry().set_immutable_tags(name, immutable).await.map_err(Error::Registry)
}

/// Adds tags to a repository, or replaces their values.
pub async fn tag(control: &Control, name: &str, tags: Vec<Tag>) -> Result<(), Error> {
    super::tags::check(&tags).map_err(|error| Error::Invalid(error.to_string()))?;
    let most =
        find(control, name)?.tags.iter().filter(|known| tags.iter().all(|tag| tag.key != known.key)).count();
    if most + tags.len() > 50 {
        return Err(Error::Invalid("A repository has at most 50 tags.".to_owned()));
    }
    change(control, name, |repository| {
        repository.tags.retain(|known| tags.iter().all(|tag| tag.key != known.key));
        repository.tags.extend(tags.iter().cloned());
    })
    .await
}

/// Removes the tags with these keys from a repository.
pub async fn untag(control: &Control, name: &str, keys: &[String]) -> Result<(), Error> {
    change(control, name, |repository| repository.tags.retain(|tag| !keys.contains(&tag.key))).await
}

/// Sets the policy that lets others use a repository, or takes it away, and returns the one that is or was there.
///
/// There is one account here, whose owner may everything: a policy that only allows changes nothing of that and is
/// kept to be shown; one that denies would have to be enforced, and is refused.
pub async fn set_policy(control: &Control, name: &str, text: Option<String>) -> Result<String, Error> {
    if let Some(text) = &text {
        check_policy(text)?;
    }
    let mut before = None;
    change(control, name, |repository| {
        before = std::mem::replace(&mut repository.policy, text.clone());
    })
    .await?;
    text.or(before).ok_or_else(|| Error::NoPolicy { name: name.to_owned(), account: account(control) })
}

/// Returns the policy that lets others use a repository.
pub fn policy(control: &Control, name: &str) -> Result<String, Error> {
    let repository = find(control, name)?;
    repository
        .policy
        .clone()
        .ok_or_else(|| Error::NoPolicy { name: name.to_owned(), account: account(control) })
}

fn check_policy(text: &str) -> Result<(), Error> {
    let wrong = |why: &str| {
        Error::Invalid(format!(
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided' ({why})"
        ))
    };
    let policy: serde_json::Value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    let statements = match &policy["Statement"] {
        serde_json::Value::Array(statements) => statements.clone(),
        statement @ serde_json::Value::Object(_) => vec![statement.clone()],
        _ => return Err(wrong("it has no Statement")),
    };
    if statements.is_empty() {
        return Err(wrong("it has no Statement"));
    }
    for statement in &statements {
        match statement["Effect"].as_str() {
            Some("Allow") => {}
            Some("Deny") => {
                return Err(wrong("a Statement with Effect 'Deny' is not supported here; only 'Allow' is"));
            }
            _ => return Err(wrong("a Statement has no Effect")),
        }
        let has = |names: [&str; 2]| names.iter().any(|name| !statement[*name].is_null());
        if !has(["Action", "NotAction"]) || !has(["Principal", "NotPrincipal"]) {
            return Err(wrong("a Statement needs Action and Principal"));
        }
    }
    Ok(())
}

/// Deletes a repository; `force` also deletes the images in it.
pub async fn delete(control: &Control, name: &str, force: bool) -> Result<Arc<Repository>, Error> {
    let repository = find(control, name)?;
    match control.registry().delete_repository(name, force).await {
        Ok(_) | Err(RegistryError::Unknown(_)) => {}
        Err(RegistryError::NotEmpty(_)) => {
            return Err(Error::NotEmpty { name: name.to_owned(), account: account(control) });
        }
        Err(error) => return Err(Error::Registry(error)),
    }
    control.store().change(|draft| draft.delete::<Repository>(name)).await?;
    Ok(repository)
}

/// Returns the images of a repository.
pub fn images(control: &Control, name: &str) -> Result<Vec<ImageDetail>, Error> {
    find(control, name)?;
    match control.registry().images(name) {
        Ok(images) => Ok(images),
        Err(RegistryError::Unknown(_)) => Ok(Vec::new()),
        Err(error) => Err(Error::Registry(error)),
    }
}

/// Removes a tag, or an image with all its tags when `reference` is a digest. Returns whether it was there.
pub async fn delete_image(control: &Control, name: &str, reference: &str) -> bool {
    let removed: Result<_, ManifestError> = control.registry().delete_manifest(name, reference).await;
    removed.is_ok()
}

pub(super) fn account(control: &Control) -> String {
    control.config().place.account.clone()
}

//! Certificates: imported by callers, or issued and renewed by the own authority.

use crate::{Control, ids, look::Look, vault::VaultError};
use std::{sync::Arc, time::Duration};
use thiserror::Error;
use wharf_model::{
    Arn, Timestamp,
    certificate::{Certificate, CertificateFacts, CertificateOrigin},
    load_balancer::Listener,
    secret::Plain,
    tag::Tag,
};
use wharf_store::{StoreError, UpdateError};

pub mod authority;
mod names;
mod presented;
mod read;
mod tags;
#[cfg(test)]
mod tests;

pub use authority::KeyAlgorithm;
pub use presented::{Presented, presented};
pub use tags::{tag, untag};

/// How long a token makes a repeated request the same one (AWS: an hour).
const TOKEN_LASTS: Duration = Duration::from_secs(60 * 60);
/// What is issued here is renewed when it has no longer to go than this (AWS: 60 days).
const RENEW_BEFORE: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// Why something about certificates was not done.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no such certificate.
    #[error("Could not find certificate {0}.")]
    NotFound(String),
    /// What names it is no certificate's ARN.
    #[error("The ARN '{0}' is not the ARN of a certificate.")]
    InvalidArn(String),
    /// A listener uses it.
    #[error("Certificate {arn} in account {account} is in use.", account = arn.account)]
    InUse {
        /// The certificate.
        arn: Arn,
    },
    /// A parameter is wrong, or what is imported is.
    #[error("{0}")]
    Invalid(String),
    /// Tags are wrong.
    #[error("{0}")]
    InvalidTag(String),
    /// A private key cannot be read back.
    #[error("read a private key")]
    Vault(#[from] VaultError),
    /// The authority cannot issue.
    #[error("issue a certificate")]
    Issue(#[from] rcgen::Error),
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

/// What is imported: PEM texts.
#[derive(Debug)]
pub struct Import {
    /// The certificate that this replaces; none to make a new one.
    pub replaces: Option<String>,
    /// The certificate.
    pub certificate: String,
    /// The certificates between it and its root; empty for none.
    pub chain: String,
    /// Its private key.
    pub key: Plain,
    /// Tags of a new one.
    pub tags: Vec<Tag>,
}

/// Imports a certificate, or replaces one that was imported.
pub async fn import(control: &Control, given: Import) -> Result<Arn, Error> {
    tags::check(&given.tags)?;
    if given.replaces.is_some() && !given.tags.is_empty() {
        return Err(Error::Invalid("Tagging is not permitted on re-import.".to_owned()));
    }
    let now = control.now();
    let facts = read::check(&given.certificate, &given.chain, given.key.reveal(), now)
        .map_err(|reason| Error::Invalid(reason.to_string()))?;
    let replaced = given.replaces.as_deref().map(|arn| parse(control, arn)).transpose()?;
    let arn = replaced.clone().unwrap_or_else(|| new_arn(control));
    let key = control.vault().seal(&given.key, &arn.to_string());
    let made = control.store().update(|draft| {
        let before = match &replaced {
            Some(arn) => Some(get(draft, arn)?),
            None => None,
        };
        if before.as_ref().is_some_and(|before| before.origin == CertificateOrigin::Issued) {
            let text = format!("The certificate {arn} was not imported, so nothing can be imported over it.");
            return Err(Error::Invalid(text));
        }
        draft.put(Certificate {
            arn: arn.clone(),
            origin: CertificateOrigin::Imported,
            certificate: given.certificate.clone(),
            chain: given.chain.clone(),
            key,
            facts,
            created_at: before.as_ref().map_or(now, |before| before.created_at),
            issued_at: now,
            idempotency_token: None,
            tags: before.map_or(given.tags, |before| before.tags.clone()),
        });
        Ok(arn)
    });
    Ok(made.await?)
}

/// What is requested.
#[derive(Debug)]
pub struct Request {
    /// The first name.
    pub domain: String,
    /// More names.
    pub alternatives: Vec<String>,
    /// The kind of key.
    pub algorithm: KeyAlgorithm,
    /// Makes a repeated request within the hour the same one.
    pub token: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Issues a certificate by the own authority, at once: nobody has to show that a name is theirs on their own machine.
pub async fn request(control: &Control, given: Request) -> Result<Arn, Error> {
    tags::check(&given.tags)?;
    let names = names::checked(&given.domain, &given.alternatives).map_err(Error::Invalid)?;
    let now = control.now();
    let authority = authority::open(control).await?;
    let issued = authority.issue(&names, given.algorithm, now)?;
    let arn = new_arn(control);
    let certificate = Certificate {
        origin: CertificateOrigin::Issued,
        chain: authority.certificate().to_owned(),
        key: control.vault().seal(&issued.key, &arn.to_string()),
        facts: facts_of(&issued.certificate)?,
        certificate: issued.certificate,
        created_at: now,
        issued_at: now,
        idempotency_token: given.token,
        tags: given.tags,
        arn,
    };
    let made = control.store().update(|draft| {
        let all = draft.list::<Certificate>("");
        if let Some(same) = all.iter().find(|known| is_repeated(known, &certificate)) {
            return Ok(same.arn.clone());
        }
        let arn = certificate.arn.clone();
        draft.put(certificate);
        Ok::<_, Error>(arn)
    });
    Ok(made.await?)
}

fn is_repeated(known: &Certificate, new: &Certificate) -> bool {
    new.idempotency_token.is_some()
        && known.idempotency_token == new.idempotency_token
        && known.facts.names == new.facts.names
        && new.created_at.since(known.created_at) < TOKEN_LASTS
}

/// Returns a certificate.
pub fn find(control: &Control, arn: &str) -> Result<Arc<Certificate>, Error> {
    get(&control.store().view(), &parse(control, arn)?)
}

/// Returns every certificate, by ARN.
pub fn list(control: &Control) -> Vec<Arc<Certificate>> {
    control.store().view().list("")
}

/// Deletes a certificate that nothing uses.
pub async fn delete(control: &Control, arn: &str) -> Result<(), Error> {
    let arn = parse(control, arn)?;
    let deleted = control.store().update(|draft| {
        let known = get(draft, &arn)?;
        if !users(draft, &known.arn).is_empty() {
            return Err(Error::InUse { arn: known.arn.clone() });
        }
        draft.delete::<Certificate>(&arn.to_string());
        Ok(())
    });
    Ok(deleted.await?)
}

/// Returns the ARNs of the load balancers that present a certificate; listeners are sorted by theirs.
pub(crate) fn users(look: &impl Look, certificate: &Arn) -> Vec<Arn> {
    let mut listeners = look.list::<Listener>("");
    listeners.retain(|listener| listener.certificates.contains(certificate));
    let mut users: Vec<Arn> = listeners.iter().map(|listener| listener.load_balancer.clone()).collect();
    users.dedup();
    users
}

/// Returns the ARNs of the load balancers that present a certificate.
pub fn used_by(control: &Control, certificate: &Arn) -> Vec<Arn> {
    users(&control.store().view(), certificate)
}

/// Returns the certificates issued here that are soon to expire.
pub(crate) fn due(look: &impl Look, now: Timestamp) -> Vec<Arc<Certificate>> {
    let mut due: Vec<Arc<Certificate>> = look.list("");
    due.retain(|known| {
        known.origin == CertificateOrigin::Issued && known.facts.not_after < now + RENEW_BEFORE
    });
    due
}

/// Issues a certificate anew, with a new key, under its old ARN.
pub(crate) async fn renew(control: &Control, known: &Certificate) -> Result<(), Error> {
    let now = control.now();
    let authority = authority::open(control).await?;
    let algorithm = known.facts.key_algorithm.parse().unwrap_or_default();
    let issued = authority.issue(&known.facts.names, algorithm, now)?;
    let renewed = Certificate {
        chain: authority.certificate().to_owned(),
        key: control.vault().seal(&issued.key, &known.arn.to_string()),
        facts: facts_of(&issued.certificate)?,
        certificate: issued.certificate,
        issued_at: now,
        ..known.clone()
    };
    let change = control.store().change(|draft| {
        // It may have been deleted meanwhile; its tags may have changed.
        if let Some(current) = draft.get::<Certificate>(&renewed.arn.to_string()) {
            draft.put(Certificate { tags: current.tags.clone(), ..renewed });
        }
    });
    Ok(change.await?)
}

fn facts_of(certificate: &str) -> Result<CertificateFacts, Error> {
    read::facts(certificate).map_err(|reason| Error::Invalid(reason.to_string()))
}

fn get(look: &impl Look, arn: &Arn) -> Result<Arc<Certificate>, Error> {
    look.get::<Certificate>(&arn.to_string()).ok_or_else(|| Error::NotFound(arn.to_string()))
}

fn parse(control: &Control, given: &str) -> Result<Arn, Error> {
    let arn: Arn = given.parse().map_err(|_| Error::InvalidArn(given.to_owned()))?;
    let ours = arn.service == "acm" && arn.resource.starts_with("certificate/");
    if !ours {
        return Err(Error::InvalidArn(given.to_owned()));
    }
    if arn.account != control.config().place.account {
        return Err(Error::NotFound(given.to_owned()));
    }
    Ok(arn)
}

fn new_arn(control: &Control) -> Arn {
    control.config().place.arn("acm", format_args!("certificate/{}", ids::uuid()))
}

//! Whose request it is.
//!
//! The rules of the signature are in `wharf_aws::sigv4`; here is who may sign, and which code each
//! protocol family gives for a signature that is refused.

use std::sync::Arc;

use http::StatusCode;
use http::request::Parts;
use time::OffsetDateTime;
use wharf_aws::sigv4::{self, SignatureError};
use wharf_aws::{Protocol, Service, form};
use wharf_control::Control;
use wharf_control::operations::task_credentials::{self, KeyOwner, NotAccepted};

use crate::access::{refusal as refusal_of_access, task_caller};
use crate::caller::ACCOUNT;
use crate::{Caller, Fault};

mod registry;

pub use registry::{RegistryToken, RegistryTokens};

const DEFAULT_REGION: &str = "us-east-1";

/// An access key's secret and owner.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// The secret that signs.
    pub secret: String,
    /// The ARN of the user or assumed role that the key belongs to.
    pub principal: String,
    /// The unique id of that user or role.
    pub user_id: String,
}

/// Decides who may call.
#[derive(Clone)]
pub struct Auth {
    keys: Option<Lookup>,
    tasks: Option<Arc<Tasks>>,
}

type Lookup = Arc<dyn Fn(&str) -> Option<Key> + Send + Sync>;

/// Knows the tasks that may call.
struct Tasks {
    by_key: Box<OwnerOfKey>,
    by_id: Box<OwnerOfTask>,
}

type OwnerOfKey = dyn Fn(&str, &str) -> Result<KeyOwner, NotAccepted> + Send + Sync;
type OwnerOfTask = dyn Fn(&str) -> Option<KeyOwner> + Send + Sync;

/// What a node says of a request that it passes on for one of its tasks. It can only take rights away.
const TASK_HEADER: &str = "x-wharf-task";
/// What temporary keys begin with.
const TEMPORARY: &str = "ASIA";

impl Auth {
    /// Accepts what was signed with a key that `lookup` knows.
    pub fn with_keys(lookup: impl Fn(&str) -> Option<Key> + Send + Sync + 'static) -> Auth {
        Auth { keys: Some(Arc::new(lookup)), tasks: None }
    }

    /// Accepts what was signed with the account's own key.
    pub fn root(access_key: &str, secret: &str) -> Auth {
        let access_key = access_key.to_owned();
        let key = Key {
            secret: secret.to_owned(),
            principal: format!("arn:aws:iam::{ACCOUNT}:root"),
            user_id: ACCOUNT.to_owned(),
        };
        Auth::with_keys(move |given| (given == access_key).then(|| key.clone()))
    }

    /// Accepts any signature, and none. Only served on loopback addresses.
    pub fn off() -> Auth {
        Auth { keys: None, tasks: None }
    }

    /// Accepts the temporary keys of this control plane's tasks too.
    #[must_use]
    pub(crate) fn with_tasks(mut self, control: &Control) -> Auth {
        let (one, other) = (control.clone(), control.clone());
        self.tasks = Some(Arc::new(Tasks {
            by_key: Box::new(move |id, token| task_credentials::recognise(&one, id, token)),
            by_id: Box::new(move |id| task_credentials::of_task(&other, id)),
        }));
        self
    }

    /// Tells whether signatures are looked at.
    pub fn is_on(&self) -> bool {
        self.keys.is_some()
    }

    /// Returns who sent the request, or the refusal in the words of the protocol.
    pub(crate) fn caller(
        &self,
        parts: &Parts,
        body: &[u8],
        service: Service,
        protocol: Protocol,
        now: OffsetDateTime,
    ) -> Result<Caller, Fault> {
        let caller = self.signer(parts, body, service, protocol, now)?;
        let Some(task) = parts.headers.get(TASK_HEADER) else { return Ok(caller) };
        let id = task.to_str().unwrap_or_default();
        match &caller.task {
            Some(own) if own.task == id => return Ok(caller),
            // Without authentication anybody is the owner, but for a task.
            None if !self.is_on() => {
                let owner = self.tasks.as_ref().and_then(|tasks| (tasks.by_id)(id));
                if let Some(owner) = owner {
                    return Ok(task_caller(&owner, ACCOUNT, &caller.region, &caller.access_key));
                }
            }
            Some(_) | None => {}
        }
        let message =
            "The security token included in the request belongs to somebody else than the task that sent it.";
        Err(refusal_of_access(protocol, message.to_owned()))
    }

    /// Returns who signed a request.
    fn signer(
        &self,
        parts: &Parts,
        body: &[u8],
        service: Service,
        protocol: Protocol,
        now: OffsetDateTime,
    ) -> Result<Caller, Fault> {
        let claim = sigv4::claim(parts);
        let Some(keys) = &self.keys else {
            let (region, access_key) = match &claim {
                Ok(claim) if is_region(&claim.scope.region) => {
                    (claim.scope.region.as_str(), claim.access_key.as_str())
                }
                Ok(_) | Err(_) => (DEFAULT_REGION, "unsigned"),
            };
            return Ok(Caller::root(region, access_key));
        };
        let refuse = |error: SignatureError| refusal(&error, protocol);
        let claim = claim.map_err(refuse)?;
        if let (Some(tasks), true) = (&self.tasks, claim.access_key.starts_with(TEMPORARY)) {
            let token = session_token(parts).ok_or_else(|| unknown_key(protocol))?;
            let owner = (tasks.by_key)(&claim.access_key, &token).map_err(|why| match why {
                NotAccepted::Unknown => unknown_key(protocol),
                NotAccepted::Expired => expired_token(protocol),
            })?;
            claim
                .verify(parts, body, &owner.secret_access_key, service.signing_name(), now)
                .map_err(refuse)?;
            let region = Some(claim.scope.region.as_str()).filter(|region| is_region(region));
            return Ok(task_caller(&owner, ACCOUNT, region.unwrap_or(DEFAULT_REGION), &claim.access_key));
        }
        let key = keys(&claim.access_key).ok_or_else(|| unknown_key(protocol))?;
        claim.verify(parts, body, &key.secret, service.signing_name(), now).map_err(refuse)?;
        if !is_region(&claim.scope.region) {
            let text =
                format!("Credential should be scoped to a valid region, not '{}'.", claim.scope.region);
            return Err(refuse(SignatureError::Scope(text)));
        }
        Ok(Caller {
            account: ACCOUNT.to_owned(),
            region: claim.scope.region,
            access_key: claim.access_key,
            principal: key.principal,
            user_id: key.user_id,
            task: None,
        })
    }
}

/// Returns the session token, from the header or from the query of a presigned URL.
fn session_token(parts: &Parts) -> Option<String> {
    let header = parts.headers.get("x-amz-security-token").and_then(|value| value.to_str().ok());
    let query = || form::value(parts.uri.query().unwrap_or("").as_bytes(), "X-Amz-Security-Token");
    header.map(str::to_owned).or_else(query)
}

/// Tells whether a name may stand in an ARN as a region.
fn is_region(name: &str) -> bool {
    let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=32).contains(&name.len()) && name.bytes().all(letter)
}

fn unknown_key(protocol: Protocol) -> Fault {
    let message = "The security token included in the request is invalid.";
    match protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => {
            Fault::caller("UnrecognizedClientException", message)
        }
        Protocol::Query => Fault::caller("InvalidClientTokenId", message).status(StatusCode::FORBIDDEN),
        Protocol::Ec2 => ec2_auth_failure(),
    }
}

fn expired_token(protocol: Protocol) -> Fault {
    let message = "The security token included in the request is expired";
    match protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => {
            Fault::caller("ExpiredTokenException", message)
        }
        Protocol::Query => Fault::caller("ExpiredToken", message).status(StatusCode::FORBIDDEN),
        Protocol::Ec2 => Fault::caller("RequestExpired", message),
    }
}

fn refusal(error: &SignatureError, protocol: Protocol) -> Fault {
    use SignatureError as E;
    let text = error.to_string();
    match protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => match error {
            E::Missing => Fault::caller("MissingAuthenticationTokenException", text),
            E::Incomplete(_) => Fault::caller("IncompleteSignatureException", text),
            E::Scope(_) | E::Mismatch | E::OutOfTime(_) => Fault::caller("InvalidSignatureException", text),
        },
        Protocol::Query => match error {
            E::Missing => {
                Fault::caller("MissingAuthenticationToken", "Request is missing Authentication Token")
                    .status(StatusCode::FORBIDDEN)
            }
            E::Incomplete(_) => Fault::caller("IncompleteSignature", text),
            E::Scope(_) | E::Mismatch | E::OutOfTime(_) => {
                Fault::caller("SignatureDoesNotMatch", text).status(StatusCode::FORBIDDEN)
            }
        },
        Protocol::Ec2 => match error {
            E::Missing => {
                Fault::caller("MissingAuthenticationToken", "Request is missing Authentication Token")
                    .status(StatusCode::FORBIDDEN)
            }
            E::Incomplete(_) => Fault::caller("IncompleteSignature", text),
            E::Scope(_) | E::Mismatch => ec2_auth_failure(),
            E::OutOfTime(_) => Fault::caller("RequestExpired", format!("Request has expired. {text}")),
        },
    }
}

/// EC2 does not say which part of the credentials is wrong.
fn ec2_auth_failure() -> Fault {
    Fault::caller("AuthFailure", "AWS was not able to validate the provided access credentials")
        .status(StatusCode::UNAUTHORIZED)
}

#[cfg(test)]
mod tests;

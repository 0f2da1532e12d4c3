//! Whose request it is.
//!
//! The rules of the signature are in `wharf_aws::sigv4`; here is who may sign, and which code each
//! protocol family gives for a signature that is refused.

use std::sync::Arc;

use http::StatusCode;
use http::request::Parts;
use time::OffsetDateTime;
use wharf_aws::sigv4::{self, SignatureError};
use wharf_aws::{Protocol, Service};

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
}

type Lookup = Arc<dyn Fn(&str) -> Option<Key> + Send + Sync>;

impl Auth {
    /// Accepts what was signed with a key that `lookup` knows.
    pub fn with_keys(lookup: impl Fn(&str) -> Option<Key> + Send + Sync + 'static) -> Auth {
        Auth { keys: Some(Arc::new(lookup)) }
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
        Auth { keys: None }
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
        })
    }
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

//! What listeners with TLS present: their certificates, the default one first, and their security policy.

use crate::{Control, operations::balancing::Error};
use std::sync::Arc;
use wharf_model::{
    Arn,
    certificate::Certificate,
    load_balancer::{Listener, ListenerProtocol},
    tls::{SSL_POLICY_DEFAULT, ssl_policy},
};
use wharf_store::Draft;

/// The most certificates of a listener, the default one not counted.
pub const CERTIFICATES_MAX: usize = 25;

/// What is presented.
pub(super) struct Tls {
    /// The certificates.
    pub(super) certificates: Vec<Arn>,
    /// The security policy.
    pub(super) policy: Option<String>,
}

impl Tls {
    /// Returns it as a listener with this protocol has it.
    pub(super) fn checked(self, draft: &Draft<'_>, protocol: ListenerProtocol) -> Result<Tls, Error> {
        let invalid = |text: &str| Err(Error::Validation(text.to_owned()));
        match protocol {
            ListenerProtocol::Http if !self.certificates.is_empty() => {
                invalid("Certificates cannot be specified for HTTP listeners")
            }
            ListenerProtocol::Http if self.policy.is_some() => {
                invalid("An SSL policy cannot be specified for HTTP listeners")
            }
            ListenerProtocol::Http => Ok(self),
            ListenerProtocol::Https if self.certificates.is_empty() => {
                invalid("A certificate must be specified for HTTPS listeners")
            }
            ListenerProtocol::Https => {
                for arn in &self.certificates {
                    known(draft, arn)?;
                }
                let policy = self.policy.unwrap_or_else(|| SSL_POLICY_DEFAULT.to_owned());
                if ssl_policy(&policy).is_none() {
                    return Err(Error::SslPolicyNotFound(policy));
                }
                Ok(Tls { policy: Some(policy), ..self })
            }
        }
    }
}

fn known(draft: &Draft<'_>, arn: &Arn) -> Result<Arc<Certificate>, Error> {
    draft
        .get::<Certificate>(&arn.to_string())
        .ok_or_else(|| Error::CertificateNotFound(Box::new(arn.clone())))
}

/// Changes the protocol, the default certificate and the security policy of a listener; what is absent stays.
pub(super) fn change(
    draft: &Draft<'_>,
    listener: &mut Listener,
    protocol: Option<ListenerProtocol>,
    certificate: Option<Arn>,
    policy: Option<String>,
) -> Result<(), Error> {
    let protocol = protocol.unwrap_or(listener.protocol);
    let (mut certificates, mut kept) = (Vec::new(), None);
    if protocol == ListenerProtocol::Https {
        certificates.extend(certificate.or_else(|| listener.certificates.first().cloned()));
        let others = listener.certificates.iter().skip(1).filter(|arn| certificates.first() != Some(*arn));
        let others: Vec<Arn> = others.cloned().collect();
        certificates.extend(others);
        kept = listener.ssl_policy.clone();
    } else {
        certificates.extend(certificate);
    }
    let tls = Tls { certificates, policy: policy.or(kept) }.checked(draft, protocol)?;
    listener.protocol = protocol;
    (listener.certificates, listener.ssl_policy) = (tls.certificates, tls.policy);
    Ok(())
}

/// Adds certificates to a listener with TLS.
pub async fn add_certificates(control: &Control, arn: &Arn, given: &[Arn]) -> Result<Arc<Listener>, Error> {
    let update = control.store().update(|draft| {
        let mut after = secure(draft, arn)?;
        for certificate in given {
            known(draft, certificate)?;
            if !after.certificates.contains(certificate) {
                after.certificates.push(certificate.clone());
            }
        }
        if after.certificates.len() > CERTIFICATES_MAX + 1 {
            return Err(Error::TooManyCertificates(CERTIFICATES_MAX));
        }
        draft.put(after.clone());
        Ok::<_, Error>(Arc::new(after))
    });
    Ok(update.await?)
}

/// Removes certificates from a listener with TLS, but not the default one.
pub async fn remove_certificates(control: &Control, arn: &Arn, given: &[Arn]) -> Result<(), Error> {
    let update = control.store().update(|draft| {
        let mut after = secure(draft, arn)?;
        if let Some(default) = after.certificates.first().filter(|default| given.contains(default)) {
            return Err(Error::OperationNotPermitted(format!(
                "Default certificate '{default}' cannot be removed"
            )));
        }
        after.certificates.retain(|certificate| !given.contains(certificate));
        draft.put(after);
        Ok::<_, Error>(())
    });
    Ok(update.await?)
}

fn secure(draft: &Draft<'_>, arn: &Arn) -> Result<Listener, Error> {
    let found = draft.get::<Listener>(&arn.to_string()).ok_or(Error::ListenerNotFound)?;
    match found.protocol {
        ListenerProtocol::Https => Ok((*found).clone()),
        ListenerProtocol::Http => {
            Err(Error::Validation(format!("Certificates cannot be specified for HTTP listener '{arn}'")))
        }
    }
}

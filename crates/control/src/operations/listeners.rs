//! Listeners: which port, and what is done with a request.

mod certificates;

pub use certificates::{CERTIFICATES_MAX, add_certificates, remove_certificates};

use super::{
    balancing::{self, Error, check_action, check_speaks, check_tags},
    rules,
};
use crate::{Control, ids, links::board::Served};
use certificates::Tls;
use std::{sync::Arc, time::Duration};
use wharf_model::{
    Arn,
    load_balancer::{Listener, ListenerProtocol, LoadBalancer},
    routing::Action,
    tag::Tag,
};
use wharf_plan::attributes::Listeners;
use wharf_store::Draft;

/// How long a caller waits to hear whether the balancer can serve a port.
const SERVED_TIMEOUT: Duration = Duration::from_secs(2);

/// The most listeners of a load balancer.
pub const LISTENERS_MAX: usize = 50;

/// What a listener is made from.
#[derive(Debug, Clone)]
pub struct NewListener {
    /// The load balancer.
    pub load_balancer: Arn,
    /// The port.
    pub port: u16,
    /// HTTP or HTTPS.
    pub protocol: ListenerProtocol,
    /// Its default certificate, with TLS.
    pub certificate: Option<Arn>,
    /// Its security policy, with TLS; without one it gets the default.
    pub ssl_policy: Option<String>,
    /// What is done with a request.
    pub default_action: Action,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Makes a listener, and sees to it that the balancer can serve it: when the port is taken on this machine, the
/// listener goes again and the error says so. While the balancer is away, listeners are made unseen.
pub async fn create(control: &Control, new: NewListener) -> Result<Arc<Listener>, Error> {
    check_tags(&new.tags)?;
    check_port(new.port)?;
    let now = control.now();
    let (listener, fresh) = control
        .store()
        .update(|draft| {
            let load_balancer = draft.get::<LoadBalancer>(&new.load_balancer.to_string());
            let load_balancer = load_balancer.ok_or(Error::LoadBalancerNotFound)?;
            check_action(draft, &load_balancer.arn, &new.default_action)?;
            check_speaks(draft, new.protocol, &new.default_action)?;
            let tls = Tls { certificates: new.certificate.into_iter().collect(), policy: new.ssl_policy };
            let tls = tls.checked(draft, new.protocol)?;
            if let Some(taken) = on_port(draft, &load_balancer.arn, new.port) {
                // The same call again gets the same answer.
                let same = taken.default_action == new.default_action
                    && taken.protocol == new.protocol
                    && taken.certificates.first() == tls.certificates.first()
                    && taken.ssl_policy == tls.policy;
                return if same {
                    Ok((taken, false))
                } else {
                    Err(Error::DuplicateListener(Box::new(load_balancer.arn.clone())))
                };
            }
            let listeners = draft.list::<Listener>("");
            let own = listeners.iter().filter(|listener| listener.load_balancer == load_balancer.arn);
            if own.count() >= LISTENERS_MAX {
                return Err(Error::TooManyListeners(LISTENERS_MAX));
            }
            let resource = load_balancer.arn.resource.replacen("loadbalancer/", "listener/", 1);
            let listener = Listener {
                arn: control
                    .config()
                    .place
                    .arn("elasticloadbalancing", format_args!("{resource}/{}", ids::hex(16))),
                load_balancer: new.load_balancer,
                port: new.port,
                protocol: new.protocol,
                default_action: new.default_action,
                attributes: Default::default(),
                certificates: tls.certificates,
                ssl_policy: tls.policy,
                created_at: now,
                tags: new.tags,
            };
            draft.put(listener.clone());
            Ok::<_, Error>((Arc::new(listener), true))
        })
        .await?;
    if fresh && let Some(error) = refused(control, &listener).await {
        delete(control, &listener.arn).await?;
        return Err(error);
    }
    Ok(listener)
}

/// What changes of a listener.
#[derive(Debug, Clone, Default)]
pub struct ListenerChange {
    /// The port.
    pub port: Option<u16>,
    /// HTTP or HTTPS.
    pub protocol: Option<ListenerProtocol>,
    /// Its default certificate.
    pub certificate: Option<Arn>,
    /// Its security policy.
    pub ssl_policy: Option<String>,
    /// What is done with a request.
    pub default_action: Option<Action>,
}

/// Changes a listener; when the balancer cannot serve its new port, it stays as it was.
pub async fn modify(control: &Control, arn: &Arn, change: ListenerChange) -> Result<Arc<Listener>, Error> {
    if let Some(port) = change.port {
        check_port(port)?;
    }
    let (before, after) = control
        .store()
        .update(|draft| {
            let before = draft.get::<Listener>(&arn.to_string()).ok_or(Error::ListenerNotFound)?;
            let mut after = (*before).clone();
            if let Some(action) = change.default_action {
                check_action(draft, &before.load_balancer, &action)?;
                after.default_action = action;
            }
            certificates::change(draft, &mut after, change.protocol, change.certificate, change.ssl_policy)?;
            check_speaks(draft, after.protocol, &after.default_action)?;
            if let Some(port) = change.port.filter(|port| *port != before.port) {
                if on_port(draft, &before.load_balancer, port).is_some() {
                    return Err(Error::DuplicateListener(Box::new(before.load_balancer.clone())));
                }
                after.port = port;
            }
            if after != *before {
                draft.put(after.clone());
            }
            Ok::<_, Error>((before, Arc::new(after)))
        })
        .await?;
    if (before.port, before.protocol) != (after.port, after.protocol)
        && let Some(error) = refused(control, &after).await
    {
        control.store().change(|draft| draft.put((*before).clone())).await?;
        return Err(error);
    }
    Ok(after)
}

/// Returns the attributes of a listener with their values.
pub fn attributes(of: &Listener) -> Vec<(&'static str, String)> {
    wharf_plan::attributes::list::<Listeners>(of)
}

/// Sets attributes of a listener, all or none.
pub async fn modify_attributes(
    control: &Control,
    arn: &Arn,
    given: &[(String, String)],
) -> Result<Arc<Listener>, Error> {
    let update = control.store().update(|draft| {
        let before = draft.get::<Listener>(&arn.to_string()).ok_or(Error::ListenerNotFound)?;
        let mut after = (*before).clone();
        balancing::set::<Listeners>(&mut after, given)?;
        if after != *before {
            draft.put(after.clone());
        }
        Ok::<_, Error>(Arc::new(after))
    });
    Ok(update.await?)
}

/// Returns why the balancer does not serve a listener, when it says so in time.
async fn refused(control: &Control, listener: &Listener) -> Option<Error> {
    let revision = control.store().view().revision();
    match control.balancer().served(revision, SERVED_TIMEOUT).await {
        Served::Away | Served::Late => None,
        Served::Applied(problems) => {
            let problem = problems.iter().find(|problem| problem.listener == listener.arn)?;
            Some(Error::InvalidConfiguration(format!(
                "Port {} cannot be served: {}: {}",
                listener.port, problem.address, problem.reason
            )))
        }
    }
}

/// Returns the listeners, by ARN.
pub fn list(control: &Control) -> Vec<Arc<Listener>> {
    control.store().view().list("")
}

/// Returns a listener.
pub fn find(control: &Control, arn: &Arn) -> Result<Arc<Listener>, Error> {
    control.store().view().get(&arn.to_string()).ok_or(Error::ListenerNotFound)
}

/// Deletes a listener with its rules, if it is there.
pub async fn delete(control: &Control, arn: &Arn) -> Result<(), Error> {
    Ok(control
        .store()
        .change(|draft| {
            if draft.get::<Listener>(&arn.to_string()).is_some() {
                forget(draft, arn);
            }
        })
        .await?)
}

/// Deletes a listener with its rules.
pub(super) fn forget(draft: &mut Draft<'_>, arn: &Arn) {
    rules::forget_all(draft, arn);
    draft.delete::<Listener>(&arn.to_string());
}

fn on_port(draft: &Draft<'_>, load_balancer: &Arn, port: u16) -> Option<Arc<Listener>> {
    let listeners = draft.list::<Listener>("");
    listeners.into_iter().find(|listener| listener.load_balancer == *load_balancer && listener.port == port)
}

fn check_port(port: u16) -> Result<(), Error> {
    match port {
        0 => Err(Error::Validation("Listener port '0' must be between 1 and 65535".to_owned())),
        _ => Ok(()),
    }
}

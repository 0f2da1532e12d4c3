//! Which service and operation a request means.
//!
//! By path, for the services that have their own; else by `X-Amz-Target`, then by the credential scope's service, then by the form's `Version`. The path of
//! CBOR requests (`/service/…/operation/…`) is known, but none of the services here is called that way yet.

use bytes::Bytes;
use http::Method;
use http::request::Parts;
use wharf_aws::{Protocol, Service, form, sigv4};

use crate::Fault;
use crate::front::Wire;

/// What a request means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) service: Service,
    pub(crate) protocol: Protocol,
    pub(crate) operation: String,
    /// The encoded input: the body, or a GET's query.
    pub(crate) content: Bytes,
}

/// Returns what a request means, or why it means nothing.
pub(crate) fn route(parts: &Parts, body: &Bytes) -> Result<Route, (Wire, Fault)> {
    let wire = Wire::of_head(parts);
    if let Some(service) = rest::service(parts.uri.path()) {
        return rest::route(service, parts, body).map_err(|fault| (wire, fault));
    }
    if parts.headers.contains_key("smithy-protocol") {
        let fault = Fault::caller(
            "UnknownOperationException",
            "No service here is called by the smithy-protocol of this request; use JSON or Query.",
        );
        return Err((Wire { protocol: Protocol::Json11, ..wire }, fault));
    }
    let mut targets = parts.headers.get_all("x-amz-target").iter();
    match (targets.next(), targets.next()) {
        (Some(target), None) => {
            let known = target.to_str().ok().and_then(Service::from_target);
            let (service, operation) = known.ok_or((wire, Fault::unknown_operation()))?;
            let operation = operation.to_owned();
            Ok(Route { service, protocol: wire.protocol, operation, content: body.clone() })
        }
        (Some(_), Some(_)) => {
            Err((wire, Fault::caller("UnknownOperationException", "X-Amz-Target is given more than once.")))
        }
        (None, _) => form_route(parts, body, wire),
    }
}

fn form_route(parts: &Parts, body: &Bytes, wire: Wire) -> Result<Route, (Wire, Fault)> {
    if wire.protocol.is_json() {
        return Err((wire, Fault::unknown_operation()));
    }
    let content = if parts.method == Method::POST {
        body.clone()
    } else {
        Bytes::copy_from_slice(parts.uri.query().unwrap_or("").as_bytes())
    };
    let scoped = sigv4::claim(parts).ok().and_then(|claim| Service::from_signing_name(&claim.scope.service));
    let version = form::value(&content, "Version");
    let versioned = version.as_deref().and_then(Service::from_form_version);
    let wire = Wire { service: scoped.or(versioned), ..wire };
    let Some(operation) = form::value(&content, "Action") else {
        let fault = match form::pairs(&content) {
            Ok(_) => Fault::caller("MissingAction", "The request must contain the parameter Action."),
            Err(error) => Fault::undecodable(error),
        };
        return Err((wire, fault));
    };
    let invalid = || {
        let version = version.as_deref().unwrap_or("");
        let text = format!("Could not find operation {operation} for version {version}");
        Fault::caller("InvalidAction", text)
    };
    let service = wire.service.ok_or_else(|| (wire, invalid()))?;
    let protocol = service.protocol();
    if protocol.is_json() || (version.is_some() && version.as_deref() != service.form_version()) {
        return Err((wire, invalid()));
    }
    Ok(Route { service, protocol, operation, content })
}

pub(crate) mod rest;
#[cfg(test)]
mod tests;

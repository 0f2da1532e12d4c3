//! Listeners: shapes to model and back.

use std::sync::Arc;

use wharf_aws::elbv2::{
    AttributesOutput, CreateListenerInput, DescribeListenerCertificatesInput, DescribeListenersInput,
    DescribeSslPoliciesInput, Listener, ListenerCertificatesInput, ListenerCertificatesOutput, ListenerInput,
    ListenersOutput, ModifyListenerAttributesInput, ModifyListenerInput, SslPoliciesOutput,
};
use wharf_control::Control;
use wharf_control::operations::listeners::{self, ListenerChange, NewListener};
use wharf_control::operations::load_balancers;
use wharf_model::load_balancer;

use super::given::{self, absent, invalid, number, required};
use super::{actions, attributes};
use crate::Fault;

pub(super) async fn create(control: &Control, input: CreateListenerInput) -> Result<ListenersOutput, Fault> {
    check_protocol(Some(&required("Protocol", input.protocol)?))?;
    absent("SslPolicy", input.ssl_policy.as_ref())?;
    absent("Certificates", input.certificates.as_ref())?;
    absent("AlpnPolicy", input.alpn_policy.as_ref())?;
    absent("MutualAuthentication", input.mutual_authentication.as_ref())?;
    let new = NewListener {
        load_balancer: given::load_balancer(input.load_balancer_arn)?,
        port: number("Port", required("Port", input.port)?)?,
        default_action: actions::parse("DefaultActions", &input.default_actions)?,
        tags: given::tags(input.tags),
    };
    let made = listeners::create(control, new).await?;
    Ok(ListenersOutput { listeners: vec![show(&made)], next_marker: None })
}

fn check_protocol(given: Option<&str>) -> Result<(), Fault> {
    match given {
        None | Some("HTTP") => Ok(()),
        Some(other) => Err(Fault::caller(
            "UnsupportedProtocol",
            format!("Protocol '{other}' is not supported here; only 'HTTP' is"),
        )),
    }
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeListenersInput,
) -> Result<ListenersOutput, Fault> {
    let mut found: Vec<Arc<load_balancer::Listener>> = if input.listener_arns.is_empty() {
        let Some(load_balancer) = input.load_balancer_arn else {
            return Err(invalid("You must specify either listener ARNs or a load balancer ARN"));
        };
        let load_balancer = load_balancers::find(control, &given::load_balancer(Some(load_balancer))?)?;
        let all = listeners::list(control).into_iter();
        all.filter(|listener| listener.load_balancer == load_balancer.arn).collect()
    } else {
        let arns = input.listener_arns.into_iter();
        let found = arns.map(|arn| Ok(listeners::find(control, &given::listener(Some(arn))?)?));
        found.collect::<Result<_, Fault>>()?
    };
    found.sort_by_key(|found| found.arn.to_string());
    let marker = input.marker.as_deref();
    let (page, next_marker) = given::page(found, |found| found.arn.to_string(), marker, input.page_size)?;
    Ok(ListenersOutput { listeners: page.iter().map(|found| show(found)).collect(), next_marker })
}

pub(super) async fn modify(control: &Control, input: ModifyListenerInput) -> Result<ListenersOutput, Fault> {
    check_protocol(input.protocol.as_deref())?;
    absent("SslPolicy", input.ssl_policy.as_ref())?;
    absent("Certificates", input.certificates.as_ref())?;
    absent("AlpnPolicy", input.alpn_policy.as_ref())?;
    absent("MutualAuthentication", input.mutual_authentication.as_ref())?;
    let arn = given::listener(input.listener_arn)?;
    let change = ListenerChange {
        port: input.port.map(|port| number("Port", port)).transpose()?,
        default_action: match input.default_actions.as_slice() {
            [] => None,
            given => Some(actions::parse("DefaultActions", given)?),
        },
    };
    let changed = listeners::modify(control, &arn, change).await?;
    Ok(ListenersOutput { listeners: vec![show(&changed)], next_marker: None })
}

pub(super) async fn delete(control: &Control, input: ListenerInput) -> Result<(), Fault> {
    let arn = given::listener(input.listener_arn)?;
    listeners::find(control, &arn)?;
    Ok(listeners::delete(control, &arn).await?)
}

pub(super) async fn describe_attributes(
    control: &Control,
    input: ListenerInput,
) -> Result<AttributesOutput, Fault> {
    let found = listeners::find(control, &given::listener(input.listener_arn)?)?;
    Ok(attributes::show(listeners::attributes(&found)))
}

pub(super) async fn modify_attributes(
    control: &Control,
    input: ModifyListenerAttributesInput,
) -> Result<AttributesOutput, Fault> {
    let arn = given::listener(input.listener_arn)?;
    let given = attributes::given(input.attributes);
    let changed = listeners::modify_attributes(control, &arn, &given).await?;
    Ok(attributes::show(listeners::attributes(&changed)))
}

/// Without TLS no listener has certificates, and none can get any.
pub(super) async fn change_certificates(
    control: &Control,
    input: ListenerCertificatesInput,
) -> Result<(), Fault> {
    let listener = listeners::find(control, &given::listener(input.listener_arn)?)?;
    let why =
        format!("Certificates are not supported by listener '{}', whose protocol is HTTP", listener.arn);
    Err(Fault::caller("UnsupportedProtocol", why))
}

pub(super) async fn describe_certificates(
    control: &Control,
    input: DescribeListenerCertificatesInput,
) -> Result<ListenerCertificatesOutput, Fault> {
    listeners::find(control, &given::listener(input.listener_arn)?)?;
    given::page_size(input.page_size)?;
    absent("Marker", input.marker.as_ref())?;
    Ok(ListenerCertificatesOutput { certificates: Vec::new() })
}

/// No policy is served as long as no listener speaks TLS.
pub(super) async fn ssl_policies(input: DescribeSslPoliciesInput) -> Result<SslPoliciesOutput, Fault> {
    given::page_size(input.page_size)?;
    absent("Marker", input.marker.as_ref())?;
    given::only("LoadBalancerType", input.load_balancer_type.as_deref(), "application")?;
    match input.names.as_slice() {
        [] => Ok(SslPoliciesOutput { ssl_policies: Vec::new() }),
        [name, ..] => {
            Err(Fault::caller("SSLPolicyNotFound", format!("The SSL policy '{name}' is not supported here")))
        }
    }
}

fn show(found: &load_balancer::Listener) -> Listener {
    Listener {
        listener_arn: found.arn.to_string(),
        load_balancer_arn: found.load_balancer.to_string(),
        port: found.port,
        protocol: match found.protocol {
            load_balancer::ListenerProtocol::Http => "HTTP",
        },
        default_actions: actions::show(&found.default_action),
    }
}

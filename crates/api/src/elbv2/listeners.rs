//! Listeners: shapes to model and back.

use std::sync::Arc;

use wharf_aws::elbv2::{
    AttributesOutput, Certificate, CreateListenerInput, DescribeListenerCertificatesInput,
    DescribeListenersInput, DescribeSslPoliciesInput, Listener, ListenerCertificatesInput,
    ListenerCertificatesOutput, ListenerInput, ListenersOutput, ModifyListenerAttributesInput,
    ModifyListenerInput, MutualAuthentication, SslCipher, SslPoliciesOutput, SslPolicy,
};
use wharf_control::Control;
use wharf_control::operations::balancing::Error;
use wharf_control::operations::listeners::{self, ListenerChange, NewListener};
use wharf_control::operations::load_balancers;
use wharf_model::load_balancer::{self, ListenerProtocol};
use wharf_model::{Arn, tls};

use super::given::{self, absent, invalid, number, required};
use super::{actions, attributes};
use crate::Fault;

pub(super) async fn create(control: &Control, input: CreateListenerInput) -> Result<ListenersOutput, Fault> {
    let protocol = protocol(&required("Protocol", input.protocol)?)?;
    absent("AlpnPolicy", input.alpn_policy.as_ref())?;
    check_mutual(input.mutual_authentication.as_ref())?;
    let new = NewListener {
        load_balancer: given::load_balancer(input.load_balancer_arn)?,
        port: number("Port", required("Port", input.port)?)?,
        protocol,
        certificate: default_certificate(&input.certificates)?,
        ssl_policy: input.ssl_policy,
        default_action: actions::parse("DefaultActions", &input.default_actions)?,
        tags: given::tags(input.tags),
    };
    let made = listeners::create(control, new).await?;
    Ok(ListenersOutput { listeners: vec![show(&made)], next_marker: None })
}

fn protocol(given: &str) -> Result<ListenerProtocol, Fault> {
    match given {
        "HTTP" => Ok(ListenerProtocol::Http),
        "HTTPS" => Ok(ListenerProtocol::Https),
        other => Err(Fault::caller(
            "UnsupportedProtocol",
            format!("Protocol '{other}' is not supported here; only 'HTTP' and 'HTTPS' are"),
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
    absent("AlpnPolicy", input.alpn_policy.as_ref())?;
    check_mutual(input.mutual_authentication.as_ref())?;
    let arn = given::listener(input.listener_arn)?;
    let change = ListenerChange {
        port: input.port.map(|port| number("Port", port)).transpose()?,
        protocol: input.protocol.as_deref().map(protocol).transpose()?,
        certificate: default_certificate(&input.certificates)?,
        ssl_policy: input.ssl_policy,
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

pub(super) async fn add_certificates(
    control: &Control,
    input: ListenerCertificatesInput,
) -> Result<ListenerCertificatesOutput, Fault> {
    let arn = given::listener(input.listener_arn)?;
    let given = certificates(&input.certificates)?;
    let changed = listeners::add_certificates(control, &arn, &given).await?;
    let shown = given.iter().map(|arn| certificate(&changed, arn)).collect();
    Ok(ListenerCertificatesOutput { certificates: shown, next_marker: None })
}

pub(super) async fn remove_certificates(
    control: &Control,
    input: ListenerCertificatesInput,
) -> Result<(), Fault> {
    let arn = given::listener(input.listener_arn)?;
    Ok(listeners::remove_certificates(control, &arn, &certificates(&input.certificates)?).await?)
}

/// Clients are not asked for certificates, which is how it is unless something else is said.
fn check_mutual(given: Option<&MutualAuthentication>) -> Result<(), Fault> {
    let mode = given.and_then(|given| given.mode.as_deref());
    given::only("MutualAuthentication.Mode", mode, "off")
}

/// Returns the ARNs of certificates that are given to be added or removed.
fn certificates(given: &[Certificate]) -> Result<Vec<Arn>, Fault> {
    if given.is_empty() {
        return Err(invalid("At least one certificate must be specified"));
    }
    let arns = given.iter().map(|certificate| {
        refuse_default(certificate)?;
        certificate_arn(certificate)
    });
    arns.collect()
}

/// Returns the one default certificate of a listener.
fn default_certificate(given: &[Certificate]) -> Result<Option<Arn>, Fault> {
    match given {
        [] => Ok(None),
        [only] => {
            refuse_default(only)?;
            certificate_arn(only).map(Some)
        }
        _ => {
            Err(invalid("You must specify exactly one certificate; add others with AddListenerCertificates"))
        }
    }
}

fn refuse_default(given: &Certificate) -> Result<(), Fault> {
    match given.is_default {
        Some(_) => Err(invalid("You cannot specify IsDefault for a certificate")),
        None => Ok(()),
    }
}

/// A certificate that is no certificate manager's is one that cannot be found.
fn certificate_arn(given: &Certificate) -> Result<Arn, Fault> {
    let arn = required("Certificates.CertificateArn", given.certificate_arn.clone())?;
    let parsed = arn.parse::<Arn>().ok().filter(|arn| arn.service == "acm");
    parsed.ok_or_else(|| Fault::caller("CertificateNotFound", format!("Certificate '{arn}' not found")))
}

fn certificate(of: &load_balancer::Listener, arn: &Arn) -> Certificate {
    let is_default = Some(of.certificates.first() == Some(arn));
    Certificate { certificate_arn: Some(arn.to_string()), is_default }
}

pub(super) async fn describe_certificates(
    control: &Control,
    input: DescribeListenerCertificatesInput,
) -> Result<ListenerCertificatesOutput, Fault> {
    let found = listeners::find(control, &given::listener(input.listener_arn)?)?;
    let all: Vec<Certificate> = found.certificates.iter().map(|arn| certificate(&found, arn)).collect();
    let key = |of: &Certificate| of.certificate_arn.clone().unwrap_or_default();
    let mut all = all;
    all.sort_by_key(key);
    let (certificates, next_marker) = given::page(all, key, input.marker.as_deref(), input.page_size)?;
    Ok(ListenerCertificatesOutput { certificates, next_marker })
}

pub(super) async fn ssl_policies(input: DescribeSslPoliciesInput) -> Result<SslPoliciesOutput, Fault> {
    given::only("LoadBalancerType", input.load_balancer_type.as_deref(), "application")?;
    let unknown = |name: &String| Error::SslPolicyNotFound(name.clone());
    let mut found: Vec<&tls::SslPolicy> = match input.names.as_slice() {
        [] => tls::SSL_POLICIES.iter().collect(),
        names => {
            let found = names.iter().map(|name| tls::ssl_policy(name).ok_or_else(|| unknown(name)));
            found.collect::<Result<_, Error>>()?
        }
    };
    found.sort_by_key(|policy| policy.name);
    let key = |policy: &&tls::SslPolicy| policy.name.to_owned();
    let (found, next_marker) = given::page(found, key, input.marker.as_deref(), input.page_size)?;
    let policies = found.iter().map(|policy| SslPolicy {
        name: policy.name,
        ssl_protocols: policy.versions.iter().map(|version| version.as_str()).collect(),
        ciphers: (1..)
            .zip(policy.ciphers)
            .map(|(priority, cipher)| SslCipher { name: cipher.as_str(), priority })
            .collect(),
        supported_load_balancer_types: vec!["application"],
    });
    Ok(SslPoliciesOutput { ssl_policies: policies.collect(), next_marker })
}

fn show(found: &load_balancer::Listener) -> Listener {
    Listener {
        listener_arn: found.arn.to_string(),
        load_balancer_arn: found.load_balancer.to_string(),
        port: found.port,
        protocol: match found.protocol {
            ListenerProtocol::Http => "HTTP",
            ListenerProtocol::Https => "HTTPS",
        },
        certificates: found
            .certificates
            .first()
            .map(|arn| Certificate { certificate_arn: Some(arn.to_string()), is_default: None })
            .into_iter()
            .collect(),
        ssl_policy: found.ssl_policy.clone(),
        default_actions: actions::show(&found.default_action),
        mutual_authentication: match found.protocol {
            ListenerProtocol::Http => None,
            ListenerProtocol::Https => Some(MutualAuthentication { mode: Some("off".to_owned()) }),
        },
    }
}

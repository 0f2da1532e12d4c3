//! Listeners and their default rules: shapes to model and back.

use std::sync::Arc;

use wharf_aws::elbv2::{
    AttributesOutput, CreateListenerInput, DescribeListenersInput, DescribeRulesInput, Listener,
    ListenerInput, ListenersOutput, ModifyListenerAttributesInput, ModifyListenerInput, Rule, RulesOutput,
};
use wharf_aws::mac::sha256_hex;
use wharf_control::Control;
use wharf_control::operations::balancing::Error;
use wharf_control::operations::listeners::{self, ListenerChange, NewListener};
use wharf_control::operations::load_balancers;
use wharf_model::Arn;
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
        default_action: actions::parse(&input.default_actions)?,
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
            given => Some(actions::parse(given)?),
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
    listeners::find(control, &given::listener(input.listener_arn)?)?;
    Ok(AttributesOutput { attributes: attributes::list(attributes::LISTENER, None) })
}

pub(super) async fn modify_attributes(
    control: &Control,
    input: ModifyListenerAttributesInput,
) -> Result<AttributesOutput, Fault> {
    attributes::change(attributes::LISTENER, None, &input.attributes)?;
    describe_attributes(control, ListenerInput { listener_arn: input.listener_arn }).await
}

pub(super) async fn describe_rules(
    control: &Control,
    input: DescribeRulesInput,
) -> Result<RulesOutput, Fault> {
    let rules: Vec<Rule> = match (input.listener_arn, input.rule_arns.as_slice()) {
        (Some(_), [_, ..]) | (None, []) => {
            return Err(invalid("You must specify either listener ARNs or rule ARNs"));
        }
        (Some(listener), []) => {
            vec![default_rule(&*listeners::find(control, &given::listener(Some(listener))?)?)]
        }
        (None, arns) => {
            let all: Vec<Rule> =
                listeners::list(control).iter().map(|listener| default_rule(listener)).collect();
            let found = arns.iter().map(|arn| {
                given::arn("listener-rule", "listener rule", arn)?;
                all.iter().find(|rule| rule.rule_arn == *arn).cloned().ok_or(Error::RuleNotFound.into())
            });
            found.collect::<Result<_, Fault>>()?
        }
    };
    let marker = input.marker.as_deref();
    let (rules, next_marker) = given::page(rules, |rule| rule.rule_arn.clone(), marker, input.page_size)?;
    Ok(RulesOutput { rules, next_marker })
}

/// Returns the rule that every listener has: its default action. It has no record; its id follows from the listener's.
fn default_rule(listener: &load_balancer::Listener) -> Rule {
    let digits = sha256_hex(listener.arn.to_string().as_bytes());
    let resource = listener.arn.resource.replacen("listener/", "listener-rule/", 1);
    let arn = Arn { resource: format!("{resource}/{}", &digits[..16]), ..listener.arn.clone() };
    Rule {
        rule_arn: arn.to_string(),
        priority: "default".to_owned(),
        conditions: Vec::new(),
        actions: actions::show(&listener.default_action),
        is_default: true,
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

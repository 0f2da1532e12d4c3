//! Elastic Load Balancing, version 2: action name to operation.

mod actions;
mod attributes;
mod conditions;
mod fault;
mod given;
mod listeners;
mod load_balancers;
mod rules;
mod tags;
mod target_groups;

use wharf_control::Control;

use crate::{Answer, Body, Caller, Fault, answer};

/// Runs one operation of the service.
pub async fn dispatch(
    control: &Control,
    _caller: &Caller,
    operation: &str,
    body: Body,
) -> Result<Answer, Fault> {
    match operation {
        "CreateLoadBalancer" => answer(body, |input| load_balancers::create(control, input)).await,
        "DescribeLoadBalancers" => answer(body, |input| load_balancers::describe(control, input)).await,
        "DeleteLoadBalancer" => answer(body, |input| load_balancers::delete(control, input)).await,
        "DescribeLoadBalancerAttributes" => {
            answer(body, |input| load_balancers::describe_attributes(control, input)).await
        }
        "ModifyLoadBalancerAttributes" => {
            answer(body, |input| load_balancers::modify_attributes(control, input)).await
        }
        "SetSecurityGroups" => {
            answer(body, |input| load_balancers::set_security_groups(control, input)).await
        }
        "SetSubnets" => answer(body, |input| load_balancers::set_subnets(control, input)).await,
        "SetIpAddressType" => answer(body, |input| load_balancers::set_ip_address_type(control, input)).await,
        "DescribeCapacityReservation" => {
            answer(body, |input| load_balancers::capacity_reservation(control, input)).await
        }
        "DescribeAccountLimits" => answer(body, load_balancers::account_limits).await,
        "CreateTargetGroup" => answer(body, |input| target_groups::create(control, input)).await,
        "DescribeTargetGroups" => answer(body, |input| target_groups::describe(control, input)).await,
        "ModifyTargetGroup" => answer(body, |input| target_groups::modify(control, input)).await,
        "DeleteTargetGroup" => answer(body, |input| target_groups::delete(control, input)).await,
        "DescribeTargetGroupAttributes" => {
            answer(body, |input| target_groups::describe_attributes(control, input)).await
        }
        "ModifyTargetGroupAttributes" => {
            answer(body, |input| target_groups::modify_attributes(control, input)).await
        }
        "RegisterTargets" => answer(body, |input| target_groups::register(control, input)).await,
        "DeregisterTargets" => answer(body, |input| target_groups::deregister(control, input)).await,
        "DescribeTargetHealth" => answer(body, |input| target_groups::health(control, input)).await,
        "CreateListener" => answer(body, |input| listeners::create(control, input)).await,
        "DescribeListeners" => answer(body, |input| listeners::describe(control, input)).await,
        "ModifyListener" => answer(body, |input| listeners::modify(control, input)).await,
        "DeleteListener" => answer(body, |input| listeners::delete(control, input)).await,
        "DescribeListenerAttributes" => {
            answer(body, |input| listeners::describe_attributes(control, input)).await
        }
        "ModifyListenerAttributes" => {
            answer(body, |input| listeners::modify_attributes(control, input)).await
        }
        "AddListenerCertificates" => answer(body, |input| listeners::add_certificates(control, input)).await,
        "RemoveListenerCertificates" => {
            answer(body, |input| listeners::remove_certificates(control, input)).await
        }
        "DescribeListenerCertificates" => {
            answer(body, |input| listeners::describe_certificates(control, input)).await
        }
        "DescribeSSLPolicies" => answer(body, listeners::ssl_policies).await,
        "CreateRule" => answer(body, |input| rules::create(control, input)).await,
        "DescribeRules" => answer(body, |input| rules::describe(control, input)).await,
        "ModifyRule" => answer(body, |input| rules::modify(control, input)).await,
        "DeleteRule" => answer(body, |input| rules::delete(control, input)).await,
        "SetRulePriorities" => answer(body, |input| rules::set_priorities(control, input)).await,
        "AddTags" => answer(body, |input| tags::add(control, input)).await,
        "RemoveTags" => answer(body, |input| tags::remove(control, input)).await,
        "DescribeTags" => answer(body, |input| tags::describe(control, input)).await,
        _ => Err(Fault::unknown_operation()),
    }
}

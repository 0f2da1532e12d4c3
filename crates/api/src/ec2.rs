//! The network operations of EC2 that containers need: action name to operation.

mod account;
mod addresses;
mod fault;
mod filters;
mod flow_logs;
mod gateways;
mod given;
mod interfaces;
mod nat_gateways;
mod permissions;
mod prefix_lists;
mod route_tables;
mod rules;
mod security_groups;
mod subnets;
mod tags;
mod vpcs;
mod zones;

use wharf_aws::ec2::DescribeInput;
use wharf_control::Control;
use wharf_control::operations::networks::rules::Direction;

use crate::{Answer, Body, Caller, Fault, answer};

/// The largest page, which is also the default.
const PAGE_SIZE_MAX: usize = 1000;

/// Runs one operation of the service.
pub async fn dispatch(
    control: &Control,
    _caller: &Caller,
    operation: &str,
    body: Body,
) -> Result<Answer, Fault> {
    match operation {
        "CreateVpc" => answer(body, |input| vpcs::create(control, input)).await,
        "CreateDefaultVpc" => answer(body, |input| vpcs::create_default(control, input)).await,
        "DeleteVpc" => answer(body, |input| vpcs::delete(control, input)).await,
        "DescribeVpcs" => answer(body, |input| vpcs::describe(control, input)).await,
        "DescribeVpcAttribute" => answer(body, |input| vpcs::describe_attribute(control, input)).await,
        "ModifyVpcAttribute" => answer(body, |input| vpcs::modify_attribute(control, input)).await,

        "CreateSubnet" => answer(body, |input| subnets::create(control, input)).await,
        "DeleteSubnet" => answer(body, |input| subnets::delete(control, input)).await,
        "DescribeSubnets" => answer(body, |input| subnets::describe(control, input)).await,
        "ModifySubnetAttribute" => answer(body, |input| subnets::modify_attribute(control, input)).await,

        "CreateSecurityGroup" => answer(body, |input| security_groups::create(control, input)).await,
        "DeleteSecurityGroup" => answer(body, |input| security_groups::delete(control, input)).await,
        "DescribeSecurityGroups" => answer(body, |input| security_groups::describe(control, input)).await,
        "AuthorizeSecurityGroupIngress" => {
            answer(body, |input| rules::authorize(control, input, Direction::Ingress)).await
        }
        "AuthorizeSecurityGroupEgress" => {
            answer(body, |input| rules::authorize(control, input, Direction::Egress)).await
        }
        "RevokeSecurityGroupIngress" => {
            answer(body, |input| rules::revoke(control, input, Direction::Ingress)).await
        }
        "RevokeSecurityGroupEgress" => {
            answer(body, |input| rules::revoke(control, input, Direction::Egress)).await
        }
        "ModifySecurityGroupRules" => answer(body, |input| rules::modify(control, input)).await,
        "UpdateSecurityGroupRuleDescriptionsIngress" => {
            answer(body, |input| rules::describe_anew(control, input, Direction::Ingress)).await
        }
        "UpdateSecurityGroupRuleDescriptionsEgress" => {
            answer(body, |input| rules::describe_anew(control, input, Direction::Egress)).await
        }
        "DescribeSecurityGroupRules" => answer(body, |input| rules::describe(control, input)).await,

        "CreateManagedPrefixList" => answer(body, |input| prefix_lists::create(control, input)).await,
        "ModifyManagedPrefixList" => answer(body, |input| prefix_lists::modify(control, input)).await,
        "DeleteManagedPrefixList" => answer(body, |input| prefix_lists::delete(control, input)).await,
        "DescribeManagedPrefixLists" => answer(body, |input| prefix_lists::describe(control, input)).await,
        "GetManagedPrefixListEntries" => answer(body, |input| prefix_lists::entries(control, input)).await,

        "CreateInternetGateway" => answer(body, |input| gateways::create(control, input)).await,
        "AttachInternetGateway" => answer(body, |input| gateways::attach(control, input)).await,
        "DetachInternetGateway" => answer(body, |input| gateways::detach(control, input)).await,
        "DeleteInternetGateway" => answer(body, |input| gateways::delete(control, input)).await,
        "DescribeInternetGateways" => answer(body, |input| gateways::describe(control, input)).await,

        "CreateRouteTable" => answer(body, |input| route_tables::create(control, input)).await,
        "DeleteRouteTable" => answer(body, |input| route_tables::delete(control, input)).await,
        "DescribeRouteTables" => answer(body, |input| route_tables::describe(control, input)).await,
        "CreateRoute" => answer(body, |input| route_tables::create_route(control, input)).await,
        "ReplaceRoute" => answer(body, |input| route_tables::replace_route(control, input)).await,
        "DeleteRoute" => answer(body, |input| route_tables::delete_route(control, input)).await,
        "AssociateRouteTable" => answer(body, |input| route_tables::associate(control, input)).await,
        "DisassociateRouteTable" => answer(body, |input| route_tables::disassociate(control, input)).await,
        "ReplaceRouteTableAssociation" => answer(body, |input| route_tables::replace(control, input)).await,

        "CreateNatGateway" => answer(body, |input| nat_gateways::create(control, input)).await,
        "DeleteNatGateway" => answer(body, |input| nat_gateways::delete(control, input)).await,
        "DescribeNatGateways" => answer(body, |input| nat_gateways::describe(control, input)).await,

        "AllocateAddress" => answer(body, |input| addresses::allocate(control, input)).await,
        "ReleaseAddress" => answer(body, |input| addresses::release(control, input)).await,
        "DescribeAddresses" => answer(body, |input| addresses::describe(control, input)).await,
        "DescribeAddressesAttribute" => {
            answer(body, |input| addresses::describe_attribute(control, input)).await
        }

        "CreateFlowLogs" => answer(body, |input| flow_logs::create(control, input)).await,
        "DeleteFlowLogs" => answer(body, |input| flow_logs::delete(control, input)).await,
        "DescribeFlowLogs" => answer(body, |input| flow_logs::describe(control, input)).await,

        "DescribeNetworkInterfaces" => answer(body, |input| interfaces::describe(control, input)).await,
        "DescribeNetworkAcls" => answer(body, |input| account::describe_network_acls(control, input)).await,
        "DescribeAvailabilityZones" => answer(body, |input| zones::describe(control, input)).await,
        "DescribeRegions" => answer(body, |input| account::describe_regions(control, input)).await,
        "DescribeAccountAttributes" => {
            answer(body, |input| account::describe_attributes(control, input)).await
        }

        "CreateTags" => answer(body, |input| tags::create(control, input)).await,
        "DeleteTags" => answer(body, |input| tags::delete(control, input)).await,
        "DescribeTags" => answer(body, |input| tags::describe(control, input)).await,

        _ => {
            let message = format!("The action {operation} is not valid for this web service.");
            Err(Fault::caller("InvalidAction", message))
        }
    }
}

/// Answers a trial run: it would have worked.
fn refuse_dry_run(dry_run: bool) -> Result<(), Fault> {
    if dry_run {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(Fault::caller("DryRunOperation", message).status(http::StatusCode::PRECONDITION_FAILED));
    }
    Ok(())
}

/// Returns a page of items, which are in the order of their keys.
fn page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    input: &DescribeInput,
) -> Result<(Vec<T>, Option<String>), Fault> {
    page_of(items, key, input.max_results, input.next_token.as_deref())
}

fn page_of<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    max_results: Option<i64>,
    next_token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let limit = match max_results {
        None => PAGE_SIZE_MAX,
        Some(limit) => usize::try_from(limit).ok().filter(|limit| (5..=PAGE_SIZE_MAX).contains(limit)).ok_or_else(
            || {
                let message = format!("Value ( {limit} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.");
                Fault::caller("InvalidParameterValue", message)
            },
        )?,
    };
    let page = wharf_aws::page::page(items, key, next_token, limit)
        .map_err(|_| Fault::caller("InvalidParameterValue", "Unable to parse pagination token"))?;
    Ok((page.items, page.next))
}

fn shown_tags(tags: &[wharf_model::tag::Tag]) -> Vec<wharf_aws::ec2::Tag> {
    tags.iter().map(|tag| wharf_aws::ec2::Tag { key: tag.key.clone(), value: tag.value.clone() }).collect()
}

#[cfg(test)]
mod tests;

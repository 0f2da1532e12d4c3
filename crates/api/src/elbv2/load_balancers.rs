//! Load balancers: shapes to model and back.

use std::sync::Arc;

use wharf_aws::Timestamp;
use wharf_aws::elbv2::{
    AccountLimitsOutput, AttributesOutput, AvailabilityZone, CapacityReservationOutput,
    CreateLoadBalancerInput, DescribeAccountLimitsInput, DescribeLoadBalancersInput, Limit, LoadBalancer,
    LoadBalancerInput, LoadBalancerState, LoadBalancersOutput, ModifyLoadBalancerAttributesInput,
    SetIpAddressTypeInput, SetIpAddressTypeOutput, SetSecurityGroupsInput, SetSecurityGroupsOutput,
    SetSubnetsInput, SetSubnetsOutput, SubnetMapping,
};
use wharf_control::Control;
use wharf_control::operations::balancing::{self, Error};
use wharf_control::operations::load_balancers::{self, NewLoadBalancer};
use wharf_control::operations::{listeners, rules};
use wharf_model::load_balancer::{self, Scheme};
use wharf_model::network::Subnet;
use wharf_model::{SecurityGroupId, SubnetId};

use super::attributes;
use super::given::{self, absent, invalid, only, required, unsupported};
use crate::Fault;

/// The zone id of application load balancers in us-east-1; names of ours are in no hosted zone.
const HOSTED_ZONE: &str = "Z35SXDOTRQ7X7K";

pub(super) async fn create(
    control: &Control,
    input: CreateLoadBalancerInput,
) -> Result<LoadBalancersOutput, Fault> {
    only("Type", input.kind.as_deref(), "application")?;
    only("IpAddressType", input.ip_address_type.as_deref(), "ipv4")?;
    only("EnablePrefixForIpv6SourceNat", input.enable_prefix_for_ipv6_source_nat.as_deref(), "off")?;
    absent("CustomerOwnedIpv4Pool", input.customer_owned_ipv4_pool.as_ref())?;
    absent("IpamPools", input.ipam_pools.as_ref())?;
    let scheme = match input.scheme.as_deref() {
        None | Some("internet-facing") => Scheme::InternetFacing,
        Some("internal") => Scheme::Internal,
        Some(other) => return Err(unsupported("Scheme", other, "use 'internet-facing' or 'internal'")),
    };
    let subnets = subnets(input.subnets, input.subnet_mappings)?;
    let new = NewLoadBalancer {
        name: required("Name", input.name)?,
        subnets,
        security_groups: security_groups(&input.security_groups)?,
        scheme,
        tags: given::tags(input.tags),
    };
    let made = load_balancers::create(control, new).await?;
    Ok(LoadBalancersOutput { load_balancers: vec![show(control, &made)], next_marker: None })
}

fn subnets(given: Vec<String>, mappings: Vec<SubnetMapping>) -> Result<Vec<SubnetId>, Fault> {
    let given = match (given.is_empty(), mappings.is_empty()) {
        (false, false) => return Err(invalid("You can specify either Subnets or SubnetMappings, not both")),
        (false, true) => given,
        (true, _) => mapped(mappings)?,
    };
    let missing = |id: &str| Fault::caller("SubnetNotFound", format!("The subnet ID '{id}' does not exist"));
    given.iter().map(|id| given::id(id, missing)).collect()
}

fn security_groups(given: &[String]) -> Result<Vec<SecurityGroupId>, Fault> {
    let missing =
        |id: &str| Fault::caller("InvalidSecurityGroup", format!("The security group '{id}' does not exist"));
    given.iter().map(|id| given::id(id, missing)).collect()
}

pub(super) async fn set_security_groups(
    control: &Control,
    input: SetSecurityGroupsInput,
) -> Result<SetSecurityGroupsOutput, Fault> {
    let member = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic";
    absent(member, input.enforce_security_group_inbound_rules_on_private_link_traffic.as_ref())?;
    let arn = given::load_balancer(input.load_balancer_arn)?;
    let groups = security_groups(&input.security_groups)?;
    let changed = load_balancers::set_security_groups(control, &arn, groups).await?;
    let security_group_ids = changed.security_groups.iter().map(ToString::to_string).collect();
    Ok(SetSecurityGroupsOutput { security_group_ids })
}

pub(super) async fn set_subnets(
    control: &Control,
    input: SetSubnetsInput,
) -> Result<SetSubnetsOutput, Fault> {
    only("IpAddressType", input.ip_address_type.as_deref(), "ipv4")?;
    only("EnablePrefixForIpv6SourceNat", input.enable_prefix_for_ipv6_source_nat.as_deref(), "off")?;
    let arn = given::load_balancer(input.load_balancer_arn)?;
    let subnets = subnets(input.subnets, input.subnet_mappings)?;
    let changed = load_balancers::set_subnets(control, &arn, &subnets).await?;
    let LoadBalancer { availability_zones, ip_address_type, .. } = show(control, &changed);
    Ok(SetSubnetsOutput { availability_zones, ip_address_type })
}

pub(super) async fn set_ip_address_type(
    control: &Control,
    input: SetIpAddressTypeInput,
) -> Result<SetIpAddressTypeOutput, Fault> {
    only("IpAddressType", Some(&required("IpAddressType", input.ip_address_type)?), "ipv4")?;
    load_balancers::find(control, &given::load_balancer(input.load_balancer_arn)?)?;
    Ok(SetIpAddressTypeOutput { ip_address_type: "ipv4" })
}

/// Nothing can be reserved: there is always the machine's whole capacity.
pub(super) async fn capacity_reservation(
    control: &Control,
    input: LoadBalancerInput,
) -> Result<CapacityReservationOutput, Fault> {
    load_balancers::find(control, &given::load_balancer(input.load_balancer_arn)?)?;
    Ok(CapacityReservationOutput { decrease_requests_remaining: 0, capacity_reservation_state: Vec::new() })
}

pub(super) async fn account_limits(input: DescribeAccountLimitsInput) -> Result<AccountLimitsOutput, Fault> {
    let limits = [
        ("condition-values-per-alb-rule", rules::VALUES_MAX),
        ("condition-wildcards-per-alb-rule", rules::WILDCARDS_MAX),
        ("listeners-per-application-load-balancer", listeners::LISTENERS_MAX),
        ("rules-per-application-load-balancer", rules::RULES_MAX),
        ("target-groups-per-action-on-application-load-balancer", balancing::GROUPS_PER_ACTION_MAX),
        ("target-groups-per-application-load-balancer", balancing::GROUPS_MAX),
    ];
    let limits = limits.into_iter().map(|(name, max)| Limit { name, max: max.to_string() }).collect();
    let marker = input.marker.as_deref();
    let (limits, next_marker) =
        given::page(limits, |limit: &Limit| limit.name.to_owned(), marker, input.page_size)?;
    Ok(AccountLimitsOutput { limits, next_marker })
}

fn mapped(mappings: Vec<SubnetMapping>) -> Result<Vec<String>, Fault> {
    let subnets = mappings.into_iter().map(|mapping| {
        absent("SubnetMappings.AllocationId", mapping.allocation_id.as_ref())?;
        absent("SubnetMappings.PrivateIPv4Address", mapping.private_ipv4_address.as_ref())?;
        absent("SubnetMappings.IPv6Address", mapping.ipv6_address.as_ref())?;
        absent("SubnetMappings.SourceNatIpv6Prefix", mapping.source_nat_ipv6_prefix.as_ref())?;
        required("SubnetMappings.SubnetId", mapping.subnet_id)
    });
    subnets.collect()
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeLoadBalancersInput,
) -> Result<LoadBalancersOutput, Fault> {
    let all = load_balancers::list(control);
    let found: Vec<Arc<load_balancer::LoadBalancer>> = if !input.load_balancer_arns.is_empty() {
        if !input.names.is_empty() {
            return Err(invalid(
                "Load balancer names and load balancer ARNs cannot be specified at the same time",
            ));
        }
        let arns = input.load_balancer_arns.iter();
        let found =
            arns.map(|arn| Ok(load_balancers::find(control, &given::load_balancer(Some(arn.clone()))?)?));
        found.collect::<Result<_, Fault>>()?
    } else if !input.names.is_empty() {
        let (found, missing): (Vec<_>, Vec<_>) = input
            .names
            .iter()
            .map(|name| load_balancers::by_name(&all, name).ok_or_else(|| name.clone()))
            .partition(Result::is_ok);
        let missing: Vec<String> = missing.into_iter().filter_map(Result::err).collect();
        if !missing.is_empty() {
            return Err(Error::LoadBalancerNamesNotFound(missing).into());
        }
        found.into_iter().flatten().collect()
    } else {
        all
    };
    let marker = input.marker.as_deref();
    let (page, next_marker) =
        given::page(sorted(found), |found| found.arn.to_string(), marker, input.page_size)?;
    let load_balancers = page.iter().map(|found| show(control, found)).collect();
    Ok(LoadBalancersOutput { load_balancers, next_marker })
}

fn sorted(mut found: Vec<Arc<load_balancer::LoadBalancer>>) -> Vec<Arc<load_balancer::LoadBalancer>> {
    found.sort_by_key(|found| found.arn.to_string());
    found.dedup_by_key(|found| found.arn.to_string());
    found
}

pub(super) async fn delete(control: &Control, input: LoadBalancerInput) -> Result<(), Fault> {
    Ok(load_balancers::delete(control, &given::load_balancer(input.load_balancer_arn)?).await?)
}

pub(super) async fn describe_attributes(
    control: &Control,
    input: LoadBalancerInput,
) -> Result<AttributesOutput, Fault> {
    let found = load_balancers::find(control, &given::load_balancer(input.load_balancer_arn)?)?;
    Ok(attributes::show(load_balancers::attributes(&found)))
}

pub(super) async fn modify_attributes(
    control: &Control,
    input: ModifyLoadBalancerAttributesInput,
) -> Result<AttributesOutput, Fault> {
    let arn = given::load_balancer(input.load_balancer_arn)?;
    let given = attributes::given(input.attributes);
    let changed = load_balancers::modify_attributes(control, &arn, &given).await?;
    Ok(attributes::show(load_balancers::attributes(&changed)))
}

fn show(control: &Control, found: &load_balancer::LoadBalancer) -> LoadBalancer {
    use load_balancer::LoadBalancerState as State;
    let view = control.store().view();
    let state = match &found.state {
        State::Provisioning => LoadBalancerState { code: "provisioning", reason: None },
        State::Active => LoadBalancerState { code: "active", reason: None },
        State::Failed(reason) => LoadBalancerState { code: "active_impaired", reason: Some(reason.clone()) },
    };
    let zones = found.subnets.iter().map(|(subnet, _)| AvailabilityZone {
        zone_name: view.get::<Subnet>(subnet.as_str()).map(|subnet| subnet.zone.clone()).unwrap_or_default(),
        subnet_id: subnet.to_string(),
        load_balancer_addresses: Vec::new(),
    });
    LoadBalancer {
        load_balancer_arn: found.arn.to_string(),
        dns_name: found.dns_name.clone(),
        canonical_hosted_zone_id: HOSTED_ZONE.to_owned(),
        created_time: Timestamp::from_millis(found.created_at.0),
        load_balancer_name: found.name.clone(),
        scheme: match found.scheme {
            Scheme::InternetFacing => "internet-facing",
            Scheme::Internal => "internal",
        },
        vpc_id: found.vpc.to_string(),
        state,
        kind: "application",
        availability_zones: zones.collect(),
        security_groups: found.security_groups.iter().map(ToString::to_string).collect(),
        ip_address_type: "ipv4",
    }
}

//! VPCs: inputs, filters and shapes.

use wharf_aws::ec2::{
    AttributeBoolean, CidrAssociation, CreateVpcInput, DescribeInput, DescribeVpcsOutput,
    ModifyVpcAttributeInput, State, Vpc, VpcAttributeOutput, VpcInput, VpcOutput,
};
use wharf_control::Control;
use wharf_control::operations::networks::Kind;
use wharf_control::operations::networks::vpcs::{self, VpcChange};
use wharf_model::VpcId;
use wharf_model::network;

use super::{filters, given, page, refuse_dry_run, shown_tags};
use crate::Fault;

pub(super) async fn create(control: &Control, input: CreateVpcInput) -> Result<VpcOutput, Fault> {
    given::refuse(input.amazon_provided_ipv6_cidr_block, "AmazonProvidedIpv6CidrBlock")?;
    given::refuse(input.ipv6_cidr_block.is_some(), "Ipv6CidrBlock")?;
    given::refuse(input.ipv6_pool.is_some(), "Ipv6Pool")?;
    given::refuse(input.ipv4_ipam_pool_id.is_some(), "Ipv4IpamPoolId")?;
    given::refuse(input.ipv6_ipam_pool_id.is_some(), "Ipv6IpamPoolId")?;
    let tenancy = input.instance_tenancy.as_deref().unwrap_or("default");
    given::refuse(tenancy != "default", "InstanceTenancy")?;
    let block = input.cidr_block.ok_or_else(|| given::missing("CidrBlock"))?;
    let cidr = given::cidr(&block, "cidrBlock")?;
    let tags = given::tags(&input.tag_specification, "vpc")?;
    refuse_dry_run(input.dry_run)?;
    let vpc = vpcs::create(control, cidr, tags).await?;
    Ok(VpcOutput { vpc: show(control, &vpc) })
}

pub(super) async fn create_default(control: &Control, input: VpcInput) -> Result<VpcOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    let vpc = vpcs::create_default(control).await?;
    Ok(VpcOutput { vpc: show(control, &vpc) })
}

pub(super) async fn delete(control: &Control, input: VpcInput) -> Result<(), Fault> {
    let id: VpcId = given::id(Kind::Vpc, &input.vpc_id)?;
    refuse_dry_run(input.dry_run)?;
    Ok(vpcs::delete(control, &id).await?)
}

pub(super) async fn describe_attribute(
    control: &Control,
    input: VpcInput,
) -> Result<VpcAttributeOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    let id: VpcId = given::id(Kind::Vpc, &input.vpc_id)?;
    let vpc = control.store().view().get::<network::Vpc>(id.as_str());
    let vpc = vpc.ok_or_else(|| given::not_found(Kind::Vpc, &input.vpc_id))?;
    let value = |value| Some(AttributeBoolean { value });
    let mut output = VpcAttributeOutput { vpc_id: input.vpc_id, ..VpcAttributeOutput::default() };
    match input.attribute.as_str() {
        "enableDnsSupport" => output.enable_dns_support = value(vpc.dns_support),
        "enableDnsHostnames" => output.enable_dns_hostnames = value(vpc.dns_hostnames),
        "enableNetworkAddressUsageMetrics" => output.enable_network_address_usage_metrics = value(false),
        other => return Err(given::invalid(format!("Value ({other}) for parameter attribute is invalid."))),
    }
    Ok(output)
}

pub(super) async fn modify_attribute(control: &Control, input: ModifyVpcAttributeInput) -> Result<(), Fault> {
    let id: VpcId = given::id(Kind::Vpc, &input.vpc_id)?;
    let metrics = input.enable_network_address_usage_metrics.is_some_and(|given| given.value);
    given::refuse(metrics, "EnableNetworkAddressUsageMetrics")?;
    match (input.enable_dns_support, input.enable_dns_hostnames) {
        (Some(_), Some(_)) => {
            Err(Fault::caller("InvalidParameterCombination", "Only one attribute can be modified at a time."))
        }
        (Some(given), None) => Ok(vpcs::modify(control, &id, VpcChange::DnsSupport(given.value)).await?),
        (None, Some(given)) => Ok(vpcs::modify(control, &id, VpcChange::DnsHostnames(given.value)).await?),
        (None, None) if input.enable_network_address_usage_metrics.is_some() => Ok(()),
        (None, None) => Err(given::missing("EnableDnsSupport")),
    }
}

const VPC_FILTERS: [&str; 9] = [
    "cidr",
    "cidr-block-association.cidr-block",
    "cidr-block-association.state",
    "dhcp-options-id",
    "is-default",
    "isDefault",
    "owner-id",
    "state",
    "vpc-id",
];

pub(super) async fn describe(control: &Control, input: DescribeInput) -> Result<DescribeVpcsOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &VPC_FILTERS)?;
    let view = control.store().view();
    let ids: Vec<VpcId> = given::ids(Kind::Vpc, &input.vpc_id, |id| view.get::<network::Vpc>(id).is_some())?;
    let all = view.list::<network::Vpc>("");
    let wanted = all.iter().filter(|vpc| ids.is_empty() || ids.contains(&vpc.id));
    let shown = wanted.map(|vpc| show(control, vpc)).filter(|vpc| {
        filters::pass(&input.filter, &vpc.tag_set, |name| {
            vec![match name {
                "cidr" | "cidr-block-association.cidr-block" => vpc.cidr_block.clone(),
                "cidr-block-association.state" => "associated".to_owned(),
                "dhcp-options-id" => vpc.dhcp_options_id.to_owned(),
                "is-default" | "isDefault" => vpc.is_default.to_string(),
                "owner-id" => vpc.owner_id.clone(),
                "state" => vpc.state.to_owned(),
                "vpc-id" => vpc.vpc_id.clone(),
                _ => return Vec::new(),
            }]
        })
    });
    let (vpc_set, next_token) = page(shown.collect(), |vpc: &Vpc| vpc.vpc_id.clone(), &input)?;
    Ok(DescribeVpcsOutput { vpc_set, next_token })
}

fn show(control: &Control, vpc: &network::Vpc) -> Vpc {
    Vpc {
        vpc_id: vpc.id.to_string(),
        owner_id: control.config().place.account.clone(),
        state: "available",
        cidr_block: vpc.cidr.to_string(),
        cidr_block_association_set: vec![CidrAssociation {
            association_id: vpc.id.as_str().replacen("vpc-", "vpc-cidr-assoc-", 1),
            cidr_block: vpc.cidr.to_string(),
            cidr_block_state: State { state: "associated" },
        }],
        dhcp_options_id: "default",
        instance_tenancy: "default",
        is_default: vpc.is_default,
        tag_set: shown_tags(&vpc.tags),
    }
}

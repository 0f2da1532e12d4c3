//! Subnets: inputs, filters and shapes.

use wharf_aws::ec2::{
    CreateSubnetInput, DescribeInput, DescribeSubnetsOutput, ModifySubnetAttributeInput, Subnet, SubnetInput,
    SubnetOutput,
};
use wharf_control::Control;
use wharf_control::operations::interfaces;
use wharf_control::operations::networks::subnets::{self, NewSubnet};
use wharf_control::operations::networks::{self, Kind};
use wharf_model::SubnetId;
use wharf_model::network;

use super::{filters, given, page, refuse_dry_run, shown_tags, zones};
use crate::Fault;

pub(super) async fn create(control: &Control, input: CreateSubnetInput) -> Result<SubnetOutput, Fault> {
    given::refuse(input.ipv6_cidr_block.is_some(), "Ipv6CidrBlock")?;
    given::refuse(input.ipv6_native, "Ipv6Native")?;
    given::refuse(input.outpost_arn.is_some(), "OutpostArn")?;
    given::refuse(input.ipv4_ipam_pool_id.is_some(), "Ipv4IpamPoolId")?;
    given::refuse(input.ipv6_ipam_pool_id.is_some(), "Ipv6IpamPoolId")?;
    let block = input.cidr_block.ok_or_else(|| given::missing("CidrBlock"))?;
    let zone = match (input.availability_zone, input.availability_zone_id) {
        (Some(zone), None) => Some(zone),
        (None, Some(id)) => Some(zone_of(control, &id)?),
        (None, None) => None,
        (Some(_), Some(_)) => {
            return Err(Fault::caller(
                "InvalidParameterCombination",
                "The parameters AvailabilityZone and AvailabilityZoneId cannot be used together.",
            ));
        }
    };
    let new = NewSubnet {
        vpc: given::id(Kind::Vpc, &input.vpc_id)?,
        cidr: given::cidr(&block, "cidrBlock")?,
        zone,
        tags: given::tags(&input.tag_specification, "subnet")?,
    };
    refuse_dry_run(input.dry_run)?;
    let subnet = subnets::create(control, new).await?;
    let available = interfaces::available(&control.store().view(), &subnet);
    Ok(SubnetOutput { subnet: show(control, &subnet, available) })
}

fn zone_of(control: &Control, id: &str) -> Result<String, Fault> {
    let region = &control.config().place.region;
    let found = networks::zones(region).into_iter().find(|zone| zones::id(region, zone) == id);
    found.ok_or_else(|| given::invalid(format!("Value ({id}) for parameter availabilityZoneId is invalid.")))
}

pub(super) async fn delete(control: &Control, input: SubnetInput) -> Result<(), Fault> {
    let id: SubnetId = given::id(Kind::Subnet, &input.subnet_id)?;
    refuse_dry_run(input.dry_run)?;
    Ok(subnets::delete(control, &id).await?)
}

pub(super) async fn modify_attribute(
    control: &Control,
    input: ModifySubnetAttributeInput,
) -> Result<(), Fault> {
    let id: SubnetId = given::id(Kind::Subnet, &input.subnet_id)?;
    let on = |given: Option<wharf_aws::ec2::AttributeBoolean>| given.is_some_and(|given| given.value);
    given::refuse(on(input.assign_ipv6_address_on_creation), "AssignIpv6AddressOnCreation")?;
    given::refuse(on(input.map_customer_owned_ip_on_launch), "MapCustomerOwnedIpOnLaunch")?;
    given::refuse(input.customer_owned_ipv4_pool.is_some(), "CustomerOwnedIpv4Pool")?;
    given::refuse(on(input.enable_dns64), "EnableDns64")?;
    let host_name = input.private_dns_hostname_type_on_launch.as_deref();
    given::refuse(host_name.is_some_and(|kind| kind != "ip-name"), "PrivateDnsHostnameTypeOnLaunch")?;
    given::refuse(
        on(input.enable_resource_name_dns_a_record_on_launch),
        "EnableResourceNameDnsARecordOnLaunch",
    )?;
    given::refuse(
        on(input.enable_resource_name_dns_aaaa_record_on_launch),
        "EnableResourceNameDnsAAAARecordOnLaunch",
    )?;
    given::refuse(input.enable_lni_at_device_index.is_some(), "EnableLniAtDeviceIndex")?;
    given::refuse(on(input.disable_lni_at_device_index), "DisableLniAtDeviceIndex")?;
    if let Some(public) = input.map_public_ip_on_launch {
        return Ok(subnets::set_public_on_launch(control, &id, public.value).await?);
    }
    // Everything else was said to stay as it is.
    match control.store().view().get::<network::Subnet>(id.as_str()) {
        Some(_) => Ok(()),
        None => Err(given::not_found(Kind::Subnet, &input.subnet_id)),
    }
}

const SUBNET_FILTERS: [&str; 17] = [
    "availability-zone",
    "availabilityZone",
    "availability-zone-id",
    "available-ip-address-count",
    "cidr",
    "cidr-block",
    "cidrBlock",
    "default-for-az",
    "defaultForAz",
    "ipv6-native",
    "map-public-ip-on-launch",
    "owner-id",
    "state",
    "subnet-arn",
    "subnet-id",
    "vpc-id",
    "enable-dns64",
];

pub(super) async fn describe(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeSubnetsOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &SUBNET_FILTERS)?;
    let view = control.store().view();
    let ids: Vec<SubnetId> =
        given::ids(Kind::Subnet, &input.subnet_id, |id| view.get::<network::Subnet>(id).is_some())?;
    let all = view.list::<network::Subnet>("");
    let wanted = all.iter().filter(|subnet| ids.is_empty() || ids.contains(&subnet.id));
    let shown = wanted.map(|subnet| show(control, subnet, interfaces::available(&view, subnet)));
    let shown = shown.filter(|subnet| {
        filters::pass(&input.filter, &subnet.tag_set, |name| {
            vec![match name {
                "availability-zone" | "availabilityZone" => subnet.availability_zone.clone(),
                "availability-zone-id" => subnet.availability_zone_id.clone(),
                "available-ip-address-count" => subnet.available_ip_address_count.to_string(),
                "cidr" | "cidr-block" | "cidrBlock" => subnet.cidr_block.clone(),
                "default-for-az" | "defaultForAz" => subnet.default_for_az.to_string(),
                "ipv6-native" | "enable-dns64" => false.to_string(),
                "map-public-ip-on-launch" => subnet.map_public_ip_on_launch.to_string(),
                "owner-id" => subnet.owner_id.clone(),
                "state" => subnet.state.to_owned(),
                "subnet-arn" => subnet.subnet_arn.clone(),
                "subnet-id" => subnet.subnet_id.clone(),
                "vpc-id" => subnet.vpc_id.clone(),
                _ => return Vec::new(),
            }]
        })
    });
    let (subnet_set, next_token) = page(shown.collect(), |subnet: &Subnet| subnet.subnet_id.clone(), &input)?;
    Ok(DescribeSubnetsOutput { subnet_set, next_token })
}

fn show(control: &Control, subnet: &network::Subnet, available: u32) -> Subnet {
    Subnet {
        subnet_id: subnet.id.to_string(),
        subnet_arn: subnet.arn.to_string(),
        state: "available",
        owner_id: control.config().place.account.clone(),
        vpc_id: subnet.vpc.to_string(),
        cidr_block: subnet.cidr.to_string(),
        ipv6_cidr_block_association_set: Vec::new(),
        available_ip_address_count: available,
        availability_zone: subnet.zone.clone(),
        availability_zone_id: zones::id(&control.config().place.region, &subnet.zone),
        default_for_az: subnet.is_default,
        map_public_ip_on_launch: subnet.public_on_launch,
        map_customer_owned_ip_on_launch: false,
        assign_ipv6_address_on_creation: false,
        enable_dns64: false,
        ipv6_native: false,
        tag_set: shown_tags(&subnet.tags),
    }
}

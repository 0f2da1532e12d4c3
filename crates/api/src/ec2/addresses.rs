//! Elastic IP addresses: inputs, filters and shapes.

use wharf_aws::ec2::{
    Address, AddressAttribute, AddressInput, AllocateAddressOutput, DescribeAddressesAttributeOutput,
    DescribeAddressesOutput, DescribeInput,
};
use wharf_control::operations::networks::{Kind, addresses};
use wharf_control::{Control, View};
use wharf_model::AllocationId;
use wharf_model::network::{ElasticIp, NetworkInterface};

use super::{filters, given, nat_gateways, refuse_dry_run, shown_tags};
use crate::Fault;

const FILTERS: [&str; 8] = [
    "allocation-id",
    "association-id",
    "domain",
    "network-border-group",
    "network-interface-id",
    "network-interface-owner-id",
    "private-ip-address",
    "public-ip",
];

pub(super) async fn allocate(control: &Control, input: AddressInput) -> Result<AllocateAddressOutput, Fault> {
    given::refuse(input.domain.as_deref().is_some_and(|domain| domain != "vpc"), "Domain")?;
    given::refuse(input.address.is_some(), "Address")?;
    let region = &control.config().place.region;
    given::refuse(input.public_ipv4_pool.as_deref().is_some_and(|pool| pool != "amazon"), "PublicIpv4Pool")?;
    given::refuse(input.customer_owned_ipv4_pool.is_some(), "CustomerOwnedIpv4Pool")?;
    given::refuse(input.ipam_pool_id.is_some(), "IpamPoolId")?;
    given::refuse(
        input.network_border_group.as_ref().is_some_and(|group| group != region),
        "NetworkBorderGroup",
    )?;
    let tags = given::tags(&input.tag_specification, "elastic-ip")?;
    refuse_dry_run(input.dry_run)?;
    let address = addresses::allocate(control, tags).await?;
    Ok(AllocateAddressOutput {
        public_ip: address.public_ip.to_string(),
        allocation_id: address.id.to_string(),
        public_ipv4_pool: "amazon",
        network_border_group: region.clone(),
        domain: "vpc",
    })
}

pub(super) async fn release(control: &Control, input: AddressInput) -> Result<(), Fault> {
    given::refuse(input.public_ip.is_some(), "PublicIp")?;
    let id: AllocationId = given::id(Kind::Allocation, input.allocation_id.as_deref().unwrap_or_default())?;
    refuse_dry_run(input.dry_run)?;
    Ok(addresses::release(control, &id).await?)
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeAddressesOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    let view = control.store().view();
    let wanted = wanted(&view, &input)?;
    let shown = wanted.iter().map(|address| show(control, &view, address)).filter(|address| {
        filters::pass(&input.filter, &address.tag_set, |name| match name {
            "allocation-id" => vec![address.allocation_id.clone()],
            "association-id" => address.association_id.iter().cloned().collect(),
            "domain" => vec![address.domain.to_owned()],
            "network-border-group" => vec![address.network_border_group.clone()],
            "network-interface-id" => address.network_interface_id.iter().cloned().collect(),
            "network-interface-owner-id" => address.network_interface_owner_id.iter().cloned().collect(),
            "private-ip-address" => address.private_ip_address.iter().cloned().collect(),
            "public-ip" => vec![address.public_ip.clone()],
            _ => Vec::new(),
        })
    });
    Ok(DescribeAddressesOutput { addresses_set: shown.collect() })
}

pub(super) async fn describe_attribute(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeAddressesAttributeOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    let attribute = |address: &std::sync::Arc<ElasticIp>| AddressAttribute {
        public_ip: address.public_ip.to_string(),
        allocation_id: address.id.to_string(),
    };
    let view = control.store().view();
    Ok(DescribeAddressesAttributeOutput {
        address_set: wanted(&view, &input)?.iter().map(attribute).collect(),
    })
}

fn wanted(view: &View<'_>, input: &DescribeInput) -> Result<Vec<std::sync::Arc<ElasticIp>>, Fault> {
    let all = view.list::<ElasticIp>("");
    let exists = |id: &str| view.get::<ElasticIp>(id).is_some();
    let ids: Vec<AllocationId> = given::ids(Kind::Allocation, &input.allocation_id, exists)?;
    for given in &input.public_ip {
        if !all.iter().any(|address| address.public_ip.to_string() == *given) {
            return Err(Fault::caller("InvalidAddress.NotFound", format!("Address '{given}' not found.")));
        }
    }
    let named = |address: &std::sync::Arc<ElasticIp>| {
        (ids.is_empty() && input.public_ip.is_empty())
            || ids.contains(&address.id)
            || input.public_ip.contains(&address.public_ip.to_string())
    };
    Ok(all.into_iter().filter(named).collect())
}

fn show(control: &Control, view: &View<'_>, address: &ElasticIp) -> Address {
    let user = addresses::user(view, &address.id);
    let interface =
        user.as_ref().and_then(|gateway| view.get::<NetworkInterface>(gateway.interface.as_str()));
    let place = &control.config().place;
    Address {
        public_ip: address.public_ip.to_string(),
        allocation_id: address.id.to_string(),
        domain: "vpc",
        network_border_group: place.region.clone(),
        public_ipv4_pool: "amazon",
        association_id: user.as_ref().map(|gateway| nat_gateways::association(gateway)),
        network_interface_id: interface.as_ref().map(|interface| interface.id.to_string()),
        network_interface_owner_id: interface.as_ref().map(|_| place.account.clone()),
        private_ip_address: interface.map(|interface| interface.private_ip.to_string()),
        tag_set: shown_tags(&address.tags),
    }
}

//! NAT gateways: inputs, filters and shapes.

use wharf_aws::Timestamp;
use wharf_aws::ec2::{
    DeleteNatGatewayOutput, DescribeInput, DescribeNatGatewaysOutput, NatGateway, NatGatewayAddress,
    NatGatewayInput, NatGatewayOutput,
};
use wharf_control::operations::networks::nat_gateways::{self, NewNatGateway};
use wharf_control::operations::networks::{Kind, Once};
use wharf_control::{Control, View};
use wharf_model::NatGatewayId;
use wharf_model::network::{self, NetworkInterface};

use super::{filters, given, page, refuse_dry_run, shown_tags};
use crate::Fault;

const FILTERS: [&str; 4] = ["nat-gateway-id", "state", "subnet-id", "vpc-id"];

pub(super) async fn create(control: &Control, input: NatGatewayInput) -> Result<NatGatewayOutput, Fault> {
    let fingerprint = format!("{input:?}");
    given::refuse(input.private_ip_address.is_some(), "PrivateIpAddress")?;
    given::refuse(!input.secondary_allocation_id.is_empty(), "SecondaryAllocationId")?;
    given::refuse(!input.secondary_private_ip_address.is_empty(), "SecondaryPrivateIpAddress")?;
    given::refuse(input.secondary_private_ip_address_count.is_some(), "SecondaryPrivateIpAddressCount")?;
    let mode = input.availability_mode.as_deref().unwrap_or("zonal");
    given::refuse(mode != "zonal", "AvailabilityMode")?;
    given::refuse(input.vpc_id.is_some(), "VpcId")?;
    let allocation = input.allocation_id.as_deref();
    let allocation = match (input.connectivity_type.as_deref().unwrap_or("public"), allocation) {
        ("public", Some(id)) => Some(given::id(Kind::Allocation, id)?),
        ("public", None) => return Err(given::missing("AllocationId")),
        ("private", None) => None,
        ("private", Some(_)) => {
            return Err(Fault::caller(
                "InvalidParameterCombination",
                "A private NAT gateway has no AllocationId.",
            ));
        }
        (other, _) => {
            return Err(given::invalid(format!(
                "Value ({other}) for parameter connectivityType is invalid."
            )));
        }
    };
    let new = NewNatGateway {
        subnet: given::id(Kind::Subnet, &input.subnet_id)?,
        allocation,
        tags: given::tags(&input.tag_specification, "natgateway")?,
    };
    refuse_dry_run(input.dry_run)?;
    let token = input.client_token.clone();
    let once = Once { operation: "CreateNatGateway", token, fingerprint, now: control.now() };
    let gateway = nat_gateways::create(control, new, once).await?;
    let nat_gateway = show(&control.store().view(), &gateway);
    Ok(NatGatewayOutput { client_token: input.client_token, nat_gateway })
}

pub(super) async fn delete(
    control: &Control,
    input: NatGatewayInput,
) -> Result<DeleteNatGatewayOutput, Fault> {
    let id: NatGatewayId = given::id(Kind::NatGateway, &input.nat_gateway_id)?;
    refuse_dry_run(input.dry_run)?;
    nat_gateways::delete(control, &id).await?;
    Ok(DeleteNatGatewayOutput { nat_gateway_id: id.to_string() })
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeNatGatewaysOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    let view = control.store().view();
    let exists = |id: &str| view.get::<network::NatGateway>(id).is_some();
    let ids: Vec<NatGatewayId> = given::ids(Kind::NatGateway, &input.nat_gateway_id, exists)?;
    let all = view.list::<network::NatGateway>("");
    let wanted = all.iter().filter(|gateway| ids.is_empty() || ids.contains(&gateway.id));
    let shown = wanted.map(|gateway| show(&view, gateway)).filter(|gateway| {
        filters::pass(&input.filter, &gateway.tag_set, |name| {
            vec![match name {
                "nat-gateway-id" => gateway.nat_gateway_id.clone(),
                "state" => gateway.state.to_owned(),
                "subnet-id" => gateway.subnet_id.clone(),
                "vpc-id" => gateway.vpc_id.clone(),
                _ => return Vec::new(),
            }]
        })
    });
    let key = |gateway: &NatGateway| gateway.nat_gateway_id.clone();
    let (nat_gateway_set, next_token) = page(shown.collect(), key, &input)?;
    Ok(DescribeNatGatewaysOutput { nat_gateway_set, next_token })
}

/// Returns the id of the association of a NAT gateway with its Elastic IP address.
pub(super) fn association(gateway: &network::NatGateway) -> String {
    gateway.id.as_str().replacen("nat-", "eipassoc-", 1)
}

fn show(view: &View<'_>, gateway: &network::NatGateway) -> NatGateway {
    let interface = view.get::<NetworkInterface>(gateway.interface.as_str());
    let address = interface.map(|interface| NatGatewayAddress {
        allocation_id: gateway.allocation.as_ref().map(ToString::to_string),
        association_id: gateway.allocation.as_ref().map(|_| association(gateway)),
        public_ip: interface.public_ip.map(|ip| ip.to_string()),
        network_interface_id: interface.id.to_string(),
        private_ip: interface.private_ip.to_string(),
        is_primary: true,
        status: "succeeded",
    });
    NatGateway {
        nat_gateway_id: gateway.id.to_string(),
        subnet_id: gateway.subnet.to_string(),
        vpc_id: gateway.vpc.to_string(),
        state: "available",
        connectivity_type: if gateway.allocation.is_some() { "public" } else { "private" },
        create_time: Timestamp::from_millis(gateway.created_at.0),
        nat_gateway_address_set: address.into_iter().collect(),
        tag_set: shown_tags(&gateway.tags),
    }
}

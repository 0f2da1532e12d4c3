//! Route tables: inputs, filters and shapes.

use wharf_aws::ec2::{
    AssociateRouteTableOutput, DescribeInput, DescribeRouteTablesOutput, ReplaceRouteTableAssociationOutput,
    Route, RouteTable, RouteTableAssociation, RouteTableInput, RouteTableOutput, State,
};
use wharf_control::operations::networks::{Kind, Once, route_tables};
use wharf_control::{Control, View};
use wharf_model::network::{self, RouteTarget};
use wharf_model::{RouteTableAssociationId, RouteTableId, VpcId};

use super::{filters, given, page, refuse_dry_run, shown_tags};
use crate::Fault;

const FILTERS: [&str; 13] = [
    "association.gateway-id",
    "association.main",
    "association.route-table-association-id",
    "association.route-table-id",
    "association.subnet-id",
    "owner-id",
    "route-table-id",
    "route.destination-cidr-block",
    "route.gateway-id",
    "route.nat-gateway-id",
    "route.origin",
    "route.state",
    "vpc-id",
];

pub(super) async fn create(control: &Control, input: RouteTableInput) -> Result<RouteTableOutput, Fault> {
    let fingerprint = format!("{input:?}");
    let vpc: VpcId = given::id(Kind::Vpc, &input.vpc_id)?;
    let tags = given::tags(&input.tag_specification, "route-table")?;
    refuse_dry_run(input.dry_run)?;
    let token = input.client_token;
    let once = Once { operation: "CreateRouteTable", token, fingerprint, now: control.now() };
    let table = route_tables::create(control, &vpc, tags, once).await?;
    Ok(RouteTableOutput { route_table: show(control, &control.store().view(), &table) })
}

pub(super) async fn delete(control: &Control, input: RouteTableInput) -> Result<(), Fault> {
    let id = table_id(&input)?;
    Ok(route_tables::delete(control, &id).await?)
}

pub(super) async fn create_route(control: &Control, input: RouteTableInput) -> Result<(), Fault> {
    let (id, route) = route_given(&input)?;
    Ok(route_tables::put_route(control, &id, route, route_tables::Place::New).await?)
}

pub(super) async fn replace_route(control: &Control, input: RouteTableInput) -> Result<(), Fault> {
    given::refuse(input.local_target, "LocalTarget")?;
    let (id, route) = route_given(&input)?;
    Ok(route_tables::put_route(control, &id, route, route_tables::Place::Existing).await?)
}

pub(super) async fn delete_route(control: &Control, input: RouteTableInput) -> Result<(), Fault> {
    let destination = destination(&input)?;
    let id = table_id(&input)?;
    Ok(route_tables::delete_route(control, &id, destination).await?)
}

pub(super) async fn associate(
    control: &Control,
    input: RouteTableInput,
) -> Result<AssociateRouteTableOutput, Fault> {
    given::refuse(input.gateway_id.is_some(), "GatewayId")?;
    given::refuse(input.public_ipv4_pool.is_some(), "PublicIpv4Pool")?;
    let subnet = given::id(Kind::Subnet, input.subnet_id.as_deref().unwrap_or_default())?;
    let id = table_id(&input)?;
    let association = route_tables::associate(control, &id, &subnet).await?;
    Ok(AssociateRouteTableOutput { association_id: association.to_string(), association_state: ASSOCIATED })
}

pub(super) async fn disassociate(control: &Control, input: RouteTableInput) -> Result<(), Fault> {
    let association = association_id(&input)?;
    refuse_dry_run(input.dry_run)?;
    Ok(route_tables::disassociate(control, &association).await?)
}

pub(super) async fn replace(
    control: &Control,
    input: RouteTableInput,
) -> Result<ReplaceRouteTableAssociationOutput, Fault> {
    let association = association_id(&input)?;
    let id = table_id(&input)?;
    let new = route_tables::replace_association(control, &association, &id).await?;
    Ok(ReplaceRouteTableAssociationOutput {
        new_association_id: new.to_string(),
        association_state: ASSOCIATED,
    })
}

const ASSOCIATED: State = State { state: "associated" };

fn table_id(input: &RouteTableInput) -> Result<RouteTableId, Fault> {
    let id = given::id(Kind::RouteTable, &input.route_table_id)?;
    refuse_dry_run(input.dry_run)?;
    Ok(id)
}

fn association_id(input: &RouteTableInput) -> Result<RouteTableAssociationId, Fault> {
    given::id(Kind::RouteTableAssociation, input.association_id.as_deref().unwrap_or_default())
}

fn destination(input: &RouteTableInput) -> Result<network::Cidr, Fault> {
    given::refuse(input.destination_ipv6_cidr_block.is_some(), "DestinationIpv6CidrBlock")?;
    given::refuse(input.destination_prefix_list_id.is_some(), "DestinationPrefixListId")?;
    let block = input.destination_cidr_block.as_deref();
    given::cidr(block.ok_or_else(|| given::missing("DestinationCidrBlock"))?, "destinationCidrBlock")
}

fn route_given(input: &RouteTableInput) -> Result<(RouteTableId, network::Route), Fault> {
    let unsupported = [
        (&input.instance_id, "InstanceId"),
        (&input.network_interface_id, "NetworkInterfaceId"),
        (&input.transit_gateway_id, "TransitGatewayId"),
        (&input.vpc_peering_connection_id, "VpcPeeringConnectionId"),
        (&input.vpc_endpoint_id, "VpcEndpointId"),
        (&input.egress_only_internet_gateway_id, "EgressOnlyInternetGatewayId"),
        (&input.local_gateway_id, "LocalGatewayId"),
        (&input.carrier_gateway_id, "CarrierGatewayId"),
        (&input.core_network_arn, "CoreNetworkArn"),
        (&input.odb_network_arn, "OdbNetworkArn"),
    ];
    for (given, name) in unsupported {
        given::refuse(given.is_some(), name)?;
    }
    let target = match (&input.gateway_id, &input.nat_gateway_id) {
        (Some(id), None) => RouteTarget::InternetGateway(given::id(Kind::InternetGateway, id)?),
        (None, Some(id)) => RouteTarget::NatGateway(given::id(Kind::NatGateway, id)?),
        (None, None) => return Err(given::missing("GatewayId")),
        (Some(_), Some(_)) => {
            return Err(Fault::caller(
                "InvalidParameterCombination",
                "The parameters GatewayId and NatGatewayId cannot be used together.",
            ));
        }
    };
    let destination = destination(input)?;
    Ok((table_id(input)?, network::Route { destination, target }))
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeRouteTablesOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    let view = control.store().view();
    let exists = |id: &str| view.get::<network::RouteTable>(id).is_some();
    let ids: Vec<RouteTableId> = given::ids(Kind::RouteTable, &input.route_table_id, exists)?;
    let all = view.list::<network::RouteTable>("");
    let wanted = all.iter().filter(|table| ids.is_empty() || ids.contains(&table.id));
    let shown = wanted
        .map(|table| show(control, &view, table))
        .filter(|table| filters::pass(&input.filter, &table.tag_set, |name| values(table, name)));
    let key = |table: &RouteTable| table.route_table_id.clone();
    let (route_table_set, next_token) = page(shown.collect(), key, &input)?;
    Ok(DescribeRouteTablesOutput { route_table_set, next_token })
}

fn values(table: &RouteTable, filter: &str) -> Vec<String> {
    let routes = table.route_set.iter();
    let associations = table.association_set.iter();
    match filter {
        "association.main" => associations.map(|one| one.main.to_string()).collect(),
        "association.route-table-association-id" => {
            associations.map(|one| one.route_table_association_id.clone()).collect()
        }
        "association.route-table-id" => associations.map(|one| one.route_table_id.clone()).collect(),
        "association.subnet-id" => associations.filter_map(|one| one.subnet_id.clone()).collect(),
        "owner-id" => vec![table.owner_id.clone()],
        "route-table-id" => vec![table.route_table_id.clone()],
        "route.destination-cidr-block" => routes.map(|route| route.destination_cidr_block.clone()).collect(),
        "route.gateway-id" => routes.filter_map(|route| route.gateway_id.clone()).collect(),
        "route.nat-gateway-id" => routes.filter_map(|route| route.nat_gateway_id.clone()).collect(),
        "route.origin" => routes.map(|route| route.origin.to_owned()).collect(),
        "route.state" => routes.map(|route| route.state.to_owned()).collect(),
        "vpc-id" => vec![table.vpc_id.clone()],
        _ => Vec::new(),
    }
}

fn show(control: &Control, view: &View<'_>, table: &network::RouteTable) -> RouteTable {
    let local = view.get::<network::Vpc>(table.vpc.as_str()).map(|vpc| Route {
        destination_cidr_block: vpc.cidr.to_string(),
        gateway_id: Some("local".to_owned()),
        nat_gateway_id: None,
        state: "active",
        origin: "CreateRouteTable",
    });
    let routes = table.routes.iter().map(|route| {
        let (gateway_id, nat_gateway_id) = match &route.target {
            RouteTarget::InternetGateway(id) => (Some(id.to_string()), None),
            RouteTarget::NatGateway(id) => (None, Some(id.to_string())),
        };
        Route {
            destination_cidr_block: route.destination.to_string(),
            gateway_id,
            nat_gateway_id,
            state: if route_tables::is_active(view, table, route) { "active" } else { "blackhole" },
            origin: "CreateRoute",
        }
    });
    let association = |id: &RouteTableAssociationId, subnet_id: Option<String>| RouteTableAssociation {
        route_table_association_id: id.to_string(),
        route_table_id: table.id.to_string(),
        main: subnet_id.is_none(),
        subnet_id,
        association_state: ASSOCIATED,
    };
    let main = table.main.iter().map(|id| association(id, None));
    let subnets = table.subnets.iter().map(|served| association(&served.id, Some(served.subnet.to_string())));
    RouteTable {
        route_table_id: table.id.to_string(),
        vpc_id: table.vpc.to_string(),
        owner_id: control.config().place.account.clone(),
        route_set: local.into_iter().chain(routes).collect(),
        association_set: main.chain(subnets).collect(),
        propagating_vgw_set: Vec::new(),
        tag_set: shown_tags(&table.tags),
    }
}

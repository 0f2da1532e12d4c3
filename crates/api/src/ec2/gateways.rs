//! Internet gateways: inputs, filters and shapes.

use wharf_aws::ec2::{
    DescribeInput, DescribeInternetGatewaysOutput, InternetGateway, InternetGatewayAttachment,
    InternetGatewayInput, InternetGatewayOutput,
};
use wharf_control::Control;
use wharf_control::operations::networks::{Kind, gateways};
use wharf_model::network;
use wharf_model::{InternetGatewayId, VpcId};

use super::{filters, given, page, refuse_dry_run, shown_tags};
use crate::Fault;

const FILTERS: [&str; 4] = ["attachment.state", "attachment.vpc-id", "internet-gateway-id", "owner-id"];

pub(super) async fn create(
    control: &Control,
    input: InternetGatewayInput,
) -> Result<InternetGatewayOutput, Fault> {
    let tags = given::tags(&input.tag_specification, "internet-gateway")?;
    refuse_dry_run(input.dry_run)?;
    let gateway = gateways::create(control, tags).await?;
    Ok(InternetGatewayOutput { internet_gateway: show(control, &gateway) })
}

pub(super) async fn attach(control: &Control, input: InternetGatewayInput) -> Result<(), Fault> {
    let (id, vpc) = both(&input)?;
    Ok(gateways::attach(control, &id, &vpc).await?)
}

pub(super) async fn detach(control: &Control, input: InternetGatewayInput) -> Result<(), Fault> {
    let (id, vpc) = both(&input)?;
    Ok(gateways::detach(control, &id, &vpc).await?)
}

fn both(input: &InternetGatewayInput) -> Result<(InternetGatewayId, VpcId), Fault> {
    let id = given::id(Kind::InternetGateway, &input.internet_gateway_id)?;
    let vpc = given::id(Kind::Vpc, &input.vpc_id)?;
    refuse_dry_run(input.dry_run)?;
    Ok((id, vpc))
}

pub(super) async fn delete(control: &Control, input: InternetGatewayInput) -> Result<(), Fault> {
    let id: InternetGatewayId = given::id(Kind::InternetGateway, &input.internet_gateway_id)?;
    refuse_dry_run(input.dry_run)?;
    Ok(gateways::delete(control, &id).await?)
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeInternetGatewaysOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    let view = control.store().view();
    let exists = |id: &str| view.get::<network::InternetGateway>(id).is_some();
    let ids: Vec<InternetGatewayId> = given::ids(Kind::InternetGateway, &input.internet_gateway_id, exists)?;
    let all = view.list::<network::InternetGateway>("");
    let wanted = all.iter().filter(|gateway| ids.is_empty() || ids.contains(&gateway.id));
    let shown = wanted.map(|gateway| show(control, gateway)).filter(|gateway| {
        let attachments = &gateway.attachment_set;
        filters::pass(&input.filter, &gateway.tag_set, |name| match name {
            "attachment.state" => attachments.iter().map(|one| one.state.to_owned()).collect(),
            "attachment.vpc-id" => attachments.iter().map(|one| one.vpc_id.clone()).collect(),
            "internet-gateway-id" => vec![gateway.internet_gateway_id.clone()],
            "owner-id" => vec![gateway.owner_id.clone()],
            _ => Vec::new(),
        })
    });
    let key = |gateway: &InternetGateway| gateway.internet_gateway_id.clone();
    let (internet_gateway_set, next_token) = page(shown.collect(), key, &input)?;
    Ok(DescribeInternetGatewaysOutput { internet_gateway_set, next_token })
}

fn show(control: &Control, gateway: &network::InternetGateway) -> InternetGateway {
    let attachment = |vpc: &VpcId| InternetGatewayAttachment { vpc_id: vpc.to_string(), state: "available" };
    InternetGateway {
        internet_gateway_id: gateway.id.to_string(),
        attachment_set: gateway.vpc.iter().map(attachment).collect(),
        owner_id: control.config().place.account.clone(),
        tag_set: shown_tags(&gateway.tags),
    }
}

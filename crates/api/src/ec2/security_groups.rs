//! Security groups: inputs, filters and shapes.

use wharf_aws::ec2::{
    CreateSecurityGroupInput, CreateSecurityGroupOutput, DeleteSecurityGroupOutput, DescribeInput,
    DescribeSecurityGroupsOutput, IpPermission, RulesInput, SecurityGroup,
};
use wharf_control::Control;
use wharf_control::operations::networks::Kind;
use wharf_control::operations::networks::security_groups::{self, NewGroup};
use wharf_model::SecurityGroupId;
use wharf_model::network;

use super::{filters, given, page, permissions, refuse_dry_run, shown_tags};
use crate::Fault;

const FILTERS: [&str; 21] = [
    "description",
    "egress.ip-permission.cidr",
    "egress.ip-permission.from-port",
    "egress.ip-permission.group-id",
    "egress.ip-permission.ipv6-cidr",
    "egress.ip-permission.prefix-list-id",
    "egress.ip-permission.protocol",
    "egress.ip-permission.to-port",
    "egress.ip-permission.user-id",
    "group-id",
    "group-name",
    "ip-permission.cidr",
    "ip-permission.from-port",
    "ip-permission.group-id",
    "ip-permission.ipv6-cidr",
    "ip-permission.prefix-list-id",
    "ip-permission.protocol",
    "ip-permission.to-port",
    "ip-permission.user-id",
    "owner-id",
    "vpc-id",
];

pub(super) async fn create(
    control: &Control,
    input: CreateSecurityGroupInput,
) -> Result<CreateSecurityGroupOutput, Fault> {
    let vpc = input.vpc_id.as_deref().map(|id| given::id(Kind::Vpc, id)).transpose()?;
    let tags = given::tags(&input.tag_specification, "security-group")?;
    refuse_dry_run(input.dry_run)?;
    let new = NewGroup { name: input.group_name, description: input.group_description, vpc, tags };
    let group = security_groups::create(control, new).await?;
    Ok(CreateSecurityGroupOutput {
        done: true,
        group_id: group.id.to_string(),
        security_group_arn: arn(control, &group.id),
        tag_set: shown_tags(&group.tags),
    })
}

pub(super) async fn delete(control: &Control, input: RulesInput) -> Result<DeleteSecurityGroupOutput, Fault> {
    let id = named(control, &input)?;
    refuse_dry_run(input.dry_run)?;
    security_groups::delete(control, &id).await?;
    Ok(DeleteSecurityGroupOutput { done: true, group_id: id.to_string() })
}

/// Returns the group that a request names by its id, or by a name in the default VPC.
pub(super) fn named(control: &Control, input: &RulesInput) -> Result<SecurityGroupId, Fault> {
    let id = input.group_id.as_deref().map(|id| given::id(Kind::SecurityGroup, id)).transpose()?;
    Ok(security_groups::named(control, id, input.group_name.as_deref())?)
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeSecurityGroupsOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    let view = control.store().view();
    let exists = |id: &str| view.get::<network::SecurityGroup>(id).is_some();
    let ids: Vec<SecurityGroupId> = given::ids(Kind::SecurityGroup, &input.group_id, exists)?;
    let all = view.list::<network::SecurityGroup>("");
    if let Some(unknown) = input.group_name.iter().find(|name| !all.iter().any(|group| group.name == **name))
    {
        return Err(given::not_found(Kind::SecurityGroup, unknown));
    }
    let wanted = all.iter().filter(|group| {
        (ids.is_empty() && input.group_name.is_empty())
            || ids.contains(&group.id)
            || input.group_name.contains(&group.name)
    });
    let shown = wanted.map(|group| show(control, group)).filter(|group| {
        filters::pass(&input.filter, &group.tag_set, |name| match name {
            "description" => vec![group.group_description.clone()],
            "group-id" => vec![group.group_id.clone()],
            "group-name" => vec![group.group_name.clone()],
            "owner-id" => vec![group.owner_id.clone()],
            "vpc-id" => vec![group.vpc_id.clone()],
            _ => match (name.strip_prefix("egress.ip-permission."), name.strip_prefix("ip-permission.")) {
                (Some(part), _) => values(&group.ip_permissions_egress, part),
                (None, Some(part)) => values(&group.ip_permissions, part),
                (None, None) => Vec::new(),
            },
        })
    });
    let key = |group: &SecurityGroup| group.group_id.clone();
    let (security_group_info, next_token) = page(shown.collect(), key, &input)?;
    Ok(DescribeSecurityGroupsOutput { security_group_info, next_token })
}

fn values(permissions: &[IpPermission], part: &str) -> Vec<String> {
    let of = |permission: &IpPermission| -> Vec<String> {
        match part {
            "cidr" => permission.ip_ranges.iter().map(|range| range.cidr_ip.clone()).collect(),
            "ipv6-cidr" => permission.ipv6_ranges.iter().map(|range| range.cidr_ipv6.clone()).collect(),
            "prefix-list-id" => {
                permission.prefix_list_ids.iter().map(|list| list.prefix_list_id.clone()).collect()
            }
            "group-id" => permission.groups.iter().map(|group| group.group_id.clone()).collect(),
            "user-id" => permission.groups.iter().map(|group| group.user_id.clone()).collect(),
            "protocol" => vec![permission.ip_protocol.clone()],
            "from-port" => permission.from_port.iter().map(ToString::to_string).collect(),
            "to-port" => permission.to_port.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    };
    permissions.iter().flat_map(of).collect()
}

fn show(control: &Control, group: &network::SecurityGroup) -> SecurityGroup {
    let place = &control.config().place;
    SecurityGroup {
        group_id: group.id.to_string(),
        group_name: group.name.clone(),
        group_description: group.description.clone(),
        owner_id: place.account.clone(),
        vpc_id: group.vpc.to_string(),
        security_group_arn: arn(control, &group.id),
        ip_permissions: permissions::show(&group.ingress, &place.account),
        ip_permissions_egress: permissions::show(&group.egress, &place.account),
        tag_set: shown_tags(&group.tags),
    }
}

fn arn(control: &Control, id: &SecurityGroupId) -> String {
    control.config().place.arn("ec2", format_args!("security-group/{id}")).to_string()
}

//! Rules of security groups: inputs, filters and shapes.

use wharf_aws::ec2::{
    AuthorizeOutput, DescribeInput, DescribeSecurityGroupRulesOutput, GivenPermission, GivenRange,
    ReferencedGroup, RevokeOutput, RevokedRule, RulesInput, SecurityGroupRule,
};
use wharf_control::Control;
use wharf_control::operations::networks::Kind;
use wharf_control::operations::networks::rules::{self, Chosen, Direction};
use wharf_model::network::{self, Peer, SecurityGroup};
use wharf_model::{SecurityGroupId, SecurityGroupRuleId};

use super::{filters, given, page, permissions, refuse_dry_run, security_groups, shown_tags};
use crate::Fault;

const FILTERS: [&str; 2] = ["group-id", "security-group-rule-id"];

pub(super) async fn authorize(
    control: &Control,
    input: RulesInput,
    direction: Direction,
) -> Result<AuthorizeOutput, Fault> {
    let group = security_groups::named(control, &input)?;
    let given = permissions::read(control, &given_permissions(&input)?)?;
    let tags = given::tags(&input.tag_specification, "security-group-rule")?;
    refuse_dry_run(input.dry_run)?;
    let added = rules::authorize(control, &group, direction, given, tags).await?;
    let shown = added.iter().map(|rule| show(control, &group, direction, rule));
    Ok(AuthorizeOutput { done: true, security_group_rule_set: shown.collect() })
}

pub(super) async fn revoke(
    control: &Control,
    input: RulesInput,
    direction: Direction,
) -> Result<RevokeOutput, Fault> {
    let group = security_groups::named(control, &input)?;
    let permissions = given_permissions(&input)?;
    let chosen = match (permissions.is_empty(), input.security_group_rule_id.is_empty()) {
        (false, true) => Chosen::Permissions(permissions::read(control, &permissions)?),
        (true, false) => Chosen::Ids(rule_ids(&input.security_group_rule_id)?),
        (true, true) => return Err(given::missing("ipPermissions")),
        (false, false) => {
            return Err(Fault::caller(
                "InvalidParameterCombination",
                "You may specify either ipPermissions or securityGroupRuleIds, not both.",
            ));
        }
    };
    refuse_dry_run(input.dry_run)?;
    let revoked = rules::revoke(control, &group, direction, chosen).await?;
    let shown = revoked.iter().map(|rule| {
        let shown = show(control, &group, direction, rule);
        RevokedRule {
            security_group_rule_id: shown.security_group_rule_id,
            group_id: shown.group_id,
            is_egress: shown.is_egress,
            ip_protocol: shown.ip_protocol,
            from_port: shown.from_port,
            to_port: shown.to_port,
            cidr_ipv4: shown.cidr_ipv4,
            cidr_ipv6: shown.cidr_ipv6,
            prefix_list_id: shown.prefix_list_id,
            referenced_group_id: shown.referenced_group_info.map(|group| group.group_id),
            description: shown.description,
        }
    });
    Ok(RevokeOutput { done: true, revoked_security_group_rule_set: shown.collect() })
}

pub(super) async fn modify(control: &Control, input: RulesInput) -> Result<(), Fault> {
    let group = security_groups::named(control, &input)?;
    let changes = input.security_group_rule.iter().map(|update| {
        let id = given::id(Kind::SecurityGroupRule, &update.security_group_rule_id)?;
        Ok((id, permissions::read_request(&update.security_group_rule)?))
    });
    let changes = changes.collect::<Result<Vec<_>, Fault>>()?;
    refuse_dry_run(input.dry_run)?;
    Ok(rules::modify(control, &group, changes).await?)
}

pub(super) async fn describe_anew(
    control: &Control,
    input: RulesInput,
    direction: Direction,
) -> Result<(), Fault> {
    let group = security_groups::named(control, &input)?;
    let permissions = given_permissions(&input)?;
    let mut chosen = Vec::new();
    for rule in permissions::read(control, &permissions)? {
        let description = rule.description.clone();
        chosen.push((Chosen::Permissions(vec![rule]), description));
    }
    for given in &input.security_group_rule_description {
        let id = given::id(Kind::SecurityGroupRule, &given.security_group_rule_id)?;
        chosen.push((Chosen::Ids(vec![id]), given.description.clone()));
    }
    if chosen.is_empty() {
        return Err(given::missing("ipPermissions"));
    }
    refuse_dry_run(input.dry_run)?;
    Ok(rules::describe_anew(control, &group, direction, chosen).await?)
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeInput,
) -> Result<DescribeSecurityGroupRulesOutput, Fault> {
    refuse_dry_run(input.dry_run)?;
    filters::check(&input.filter, &FILTERS)?;
    let groups = control.store().view().list::<SecurityGroup>("");
    let exists = |id: &str| groups.iter().any(|group| group.rules().any(|rule| rule.id.as_str() == id));
    let ids: Vec<SecurityGroupRuleId> =
        given::ids(Kind::SecurityGroupRule, &input.security_group_rule_id, exists)?;
    let mut shown = Vec::new();
    for group in &groups {
        for (direction, rules) in [(Direction::Ingress, &group.ingress), (Direction::Egress, &group.egress)] {
            let wanted = rules.iter().filter(|rule| ids.is_empty() || ids.contains(&rule.id));
            shown.extend(wanted.map(|rule| show(control, &group.id, direction, rule)).filter(|rule| {
                filters::pass(&input.filter, &rule.tag_set, |name| {
                    vec![match name {
                        "group-id" => rule.group_id.clone(),
                        "security-group-rule-id" => rule.security_group_rule_id.clone(),
                        _ => return Vec::new(),
                    }]
                })
            }));
        }
    }
    shown.sort_by(|a, b| a.security_group_rule_id.cmp(&b.security_group_rule_id));
    let key = |rule: &SecurityGroupRule| rule.security_group_rule_id.clone();
    let (security_group_rule_set, next_token) = page(shown, key, &input)?;
    Ok(DescribeSecurityGroupRulesOutput { security_group_rule_set, next_token })
}

/// Returns the permissions of a request, also one that is written in the oldest way.
fn given_permissions(input: &RulesInput) -> Result<Vec<GivenPermission>, Fault> {
    given::refuse(input.source_security_group_name.is_some(), "SourceSecurityGroupName")?;
    given::refuse(input.source_security_group_owner_id.is_some(), "SourceSecurityGroupOwnerId")?;
    let single = input.ip_protocol.is_some() || input.cidr_ip.is_some();
    match (single, input.ip_permissions.is_empty()) {
        (false, _) => Ok(input.ip_permissions.clone()),
        (true, true) => Ok(vec![GivenPermission {
            ip_protocol: input.ip_protocol.clone(),
            from_port: input.from_port,
            to_port: input.to_port,
            ip_ranges: input
                .cidr_ip
                .iter()
                .map(|block| GivenRange { cidr_ip: block.clone(), description: None })
                .collect(),
            ..GivenPermission::default()
        }]),
        (true, false) => Err(Fault::caller(
            "InvalidParameterCombination",
            "The parameters ipPermissions and ipProtocol cannot be used together.",
        )),
    }
}

fn rule_ids(given: &[String]) -> Result<Vec<SecurityGroupRuleId>, Fault> {
    given.iter().map(|given| given::id(Kind::SecurityGroupRule, given)).collect()
}

fn show(
    control: &Control,
    group: &SecurityGroupId,
    direction: Direction,
    rule: &network::SecurityGroupRule,
) -> SecurityGroupRule {
    let place = &control.config().place;
    let permission = &rule.permission;
    let (from, to) = permissions::ports(permission);
    let mut shown = SecurityGroupRule {
        security_group_rule_id: rule.id.to_string(),
        group_id: group.to_string(),
        group_owner_id: place.account.clone(),
        is_egress: direction == Direction::Egress,
        ip_protocol: permissions::protocol(permission.protocol),
        from_port: from.unwrap_or(-1),
        to_port: to.unwrap_or(-1),
        cidr_ipv4: None,
        cidr_ipv6: None,
        prefix_list_id: None,
        referenced_group_info: None,
        description: rule.description.clone(),
        security_group_rule_arn: place
            .arn("ec2", format_args!("security-group-rule/{}", rule.id))
            .to_string(),
        tag_set: shown_tags(&rule.tags),
    };
    match &permission.peer {
        Peer::Cidr(cidr) => shown.cidr_ipv4 = Some(cidr.to_string()),
        Peer::Cidr6(cidr) => shown.cidr_ipv6 = Some(cidr.to_string()),
        Peer::PrefixList(list) => shown.prefix_list_id = Some(list.to_string()),
        Peer::Group(other) => {
            let vpc = control.store().view().get::<SecurityGroup>(other.as_str());
            shown.referenced_group_info = Some(ReferencedGroup {
                group_id: other.to_string(),
                user_id: place.account.clone(),
                vpc_id: vpc.map(|group| group.vpc.to_string()).unwrap_or_default(),
            });
        }
    }
    shown
}

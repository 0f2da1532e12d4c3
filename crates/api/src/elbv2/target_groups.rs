//! Target groups and targets: shapes to model and back.

use std::sync::Arc;

use wharf_aws::elbv2::{
    AttributesOutput, CreateTargetGroupInput, DescribeTargetGroupsInput, DescribeTargetHealthInput,
    DescribeTargetHealthOutput, Matcher, ModifyTargetGroupAttributesInput, ModifyTargetGroupInput, Target,
    TargetGroup, TargetGroupInput, TargetGroupsOutput, TargetHealth, TargetHealthDescription, TargetsInput,
};
use wharf_control::Control;
use wharf_control::operations::balancing::{self, Error};
use wharf_control::operations::target_groups::{self, NewTargetGroup};
use wharf_control::operations::{load_balancers, targets};
use wharf_model::target_group::{self, HealthCheck, ProtocolVersion, TargetState};

use super::attributes;
use super::given::{self, absent, invalid, number, only, required, unsupported};
use crate::Fault;

pub(super) async fn create(
    control: &Control,
    input: CreateTargetGroupInput,
) -> Result<TargetGroupsOutput, Fault> {
    match input.target_type.as_deref() {
        Some("ip") => {}
        given => return Err(unsupported("TargetType", given.unwrap_or("instance"), "only 'ip' is")),
    }
    only("Protocol", Some(&required("Protocol", input.protocol.clone())?), "HTTP")?;
    let version = protocol_version(input.protocol_version.as_deref())?;
    only("IpAddressType", input.ip_address_type.as_deref(), "ipv4")?;
    absent("TargetControlPort", input.target_control_port.as_ref())?;
    let vpc = required("VpcId", input.vpc_id.clone())?;
    let mut health_check = HealthCheck::of(version);
    change_health_check(&mut health_check, &HealthCheckChange::from(&input), version)?;
    let new = NewTargetGroup {
        name: required("Name", input.name)?,
        port: number("Port", required("Port", input.port)?)?,
        protocol_version: version,
        vpc: given::id(&vpc, |id| invalid(format!("The VPC ID '{id}' is not found")))?,
        health_check,
        tags: given::tags(input.tags),
    };
    let made = target_groups::create(control, new).await?;
    Ok(TargetGroupsOutput { target_groups: vec![show(control, &made)], next_marker: None })
}

pub(super) async fn modify(
    control: &Control,
    input: ModifyTargetGroupInput,
) -> Result<TargetGroupsOutput, Fault> {
    let arn = given::target_group(input.target_group_arn.clone())?;
    let change = HealthCheckChange::from(&input);
    // The members are checked by themselves first, and then what comes of them. A group's version never changes.
    let version = target_groups::find(control, &arn)?.protocol_version;
    change_health_check(&mut HealthCheck::default(), &change, version)?;
    let changed = target_groups::modify(control, &arn, |group| {
        let _checked = change_health_check(&mut group.health_check, &change, version);
    });
    let changed = changed.await?;
    Ok(TargetGroupsOutput { target_groups: vec![show(control, &changed)], next_marker: None })
}

fn protocol_version(given: Option<&str>) -> Result<ProtocolVersion, Fault> {
    let Some(given) = given else { return Ok(ProtocolVersion::default()) };
    let known = ProtocolVersion::ALL.into_iter().find(|version| version.as_str() == given);
    known.ok_or_else(|| invalid(format!("Protocol version '{given}' must be one of GRPC, HTTP1 and HTTP2")))
}

/// The members on health checks that creating and modifying have in common.
struct HealthCheckChange {
    protocol: Option<String>,
    port: Option<String>,
    enabled: Option<bool>,
    path: Option<String>,
    interval_secs: Option<i64>,
    timeout_secs: Option<i64>,
    healthy_threshold: Option<i64>,
    unhealthy_threshold: Option<i64>,
    matcher: Option<Matcher>,
}

macro_rules! health_check_change {
    ($type:ty) => {
        impl From<&$type> for HealthCheckChange {
            fn from(input: &$type) -> HealthCheckChange {
                HealthCheckChange {
                    protocol: input.health_check_protocol.clone(),
                    port: input.health_check_port.clone(),
                    enabled: input.health_check_enabled,
                    path: input.health_check_path.clone(),
                    interval_secs: input.health_check_interval_seconds,
                    timeout_secs: input.health_check_timeout_seconds,
                    healthy_threshold: input.healthy_threshold_count,
                    unhealthy_threshold: input.unhealthy_threshold_count,
                    matcher: input.matcher.clone(),
                }
            }
        }
    };
}

health_check_change!(CreateTargetGroupInput);
health_check_change!(ModifyTargetGroupInput);

fn change_health_check(
    check: &mut HealthCheck,
    change: &HealthCheckChange,
    version: ProtocolVersion,
) -> Result<(), Fault> {
    only("HealthCheckProtocol", change.protocol.as_deref(), "HTTP")?;
    match change.port.as_deref() {
        None => {}
        Some("traffic-port") => check.port = None,
        Some(port) => {
            let parsed = port.parse::<u16>();
            let parsed = parsed.map_err(|_| invalid(format!("Health check port '{port}' is not valid")))?;
            check.port = Some(parsed);
        }
    }
    if let Some(matcher) = &change.matcher {
        let (http, grpc) = (matcher.http_code.clone(), matcher.grpc_code.clone());
        let (name, code, other_name, other) = match version {
            ProtocolVersion::Grpc => ("Matcher.GrpcCode", grpc, "Matcher.HttpCode", http),
            ProtocolVersion::Http1 | ProtocolVersion::Http2 => {
                ("Matcher.HttpCode", http, "Matcher.GrpcCode", grpc)
            }
        };
        if other.is_some() {
            let version = version.as_str();
            return Err(invalid(format!(
                "{other_name} cannot be specified with protocol version '{version}'"
            )));
        }
        check.matcher = required(name, code)?;
    }
    if let Some(path) = &change.path {
        check.path.clone_from(path);
    }
    check.enabled = change.enabled.unwrap_or(check.enabled);
    let numbers = [
        ("HealthCheckIntervalSeconds", change.interval_secs, &mut check.interval_secs),
        ("HealthCheckTimeoutSeconds", change.timeout_secs, &mut check.timeout_secs),
        ("HealthyThresholdCount", change.healthy_threshold, &mut check.healthy_threshold),
        ("UnhealthyThresholdCount", change.unhealthy_threshold, &mut check.unhealthy_threshold),
    ];
    for (member, given, value) in numbers {
        if let Some(given) = given {
            *value = number(member, given)?;
        }
    }
    Ok(())
}

pub(super) async fn describe(
    control: &Control,
    input: DescribeTargetGroupsInput,
) -> Result<TargetGroupsOutput, Fault> {
    let all = target_groups::list(control);
    let ways =
        [input.load_balancer_arn.is_some(), !input.target_group_arns.is_empty(), !input.names.is_empty()];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        return Err(invalid(
            "Only one of LoadBalancerArn, TargetGroupArns and Names can be specified at the same time",
        ));
    }
    let mut found: Vec<Arc<target_group::TargetGroup>> = if let Some(arn) = input.load_balancer_arn {
        let load_balancer = load_balancers::find(control, &given::load_balancer(Some(arn))?)?;
        let serves = |group: &target_group::TargetGroup| {
            balancing::load_balancers(control, &group.arn).contains(&load_balancer.arn)
        };
        all.into_iter().filter(|group| serves(group)).collect()
    } else if !input.target_group_arns.is_empty() {
        let arns = input.target_group_arns.into_iter();
        let found = arns.map(|arn| Ok(target_groups::find(control, &given::target_group(Some(arn))?)?));
        found.collect::<Result<_, Fault>>()?
    } else if !input.names.is_empty() {
        let find = |name: &String| all.iter().find(|group| group.name == *name).cloned();
        let found: Result<_, Error> =
            input.names.iter().map(|name| find(name).ok_or(Error::TargetGroupNotFound)).collect();
        found?
    } else {
        all
    };
    found.sort_by_key(|found| found.arn.to_string());
    let marker = input.marker.as_deref();
    let (page, next_marker) = given::page(found, |found| found.arn.to_string(), marker, input.page_size)?;
    let target_groups = page.iter().map(|found| show(control, found)).collect();
    Ok(TargetGroupsOutput { target_groups, next_marker })
}

pub(super) async fn delete(control: &Control, input: TargetGroupInput) -> Result<(), Fault> {
    Ok(target_groups::delete(control, &given::target_group(input.target_group_arn)?).await?)
}

pub(super) async fn describe_attributes(
    control: &Control,
    input: TargetGroupInput,
) -> Result<AttributesOutput, Fault> {
    let found = target_groups::find(control, &given::target_group(input.target_group_arn)?)?;
    Ok(attributes::show(target_groups::attributes(&found)))
}

pub(super) async fn modify_attributes(
    control: &Control,
    input: ModifyTargetGroupAttributesInput,
) -> Result<AttributesOutput, Fault> {
    let arn = given::target_group(input.target_group_arn)?;
    let given = attributes::given(input.attributes);
    let changed = target_groups::modify_attributes(control, &arn, &given).await?;
    Ok(attributes::show(target_groups::attributes(&changed)))
}

pub(super) async fn register(control: &Control, input: TargetsInput) -> Result<(), Fault> {
    let arn = given::target_group(input.target_group_arn)?;
    let targets = input.targets.iter().map(given::target).collect::<Result<Vec<_>, Fault>>()?;
    if targets.is_empty() {
        return Err(invalid("At least one target must be specified"));
    }
    Ok(target_groups::register(control, &arn, &targets).await?)
}

pub(super) async fn deregister(control: &Control, input: TargetsInput) -> Result<(), Fault> {
    let arn = given::target_group(input.target_group_arn)?;
    let targets = input.targets.iter().map(given::target).collect::<Result<Vec<_>, Fault>>()?;
    if targets.is_empty() {
        return Err(invalid("At least one target must be specified"));
    }
    Ok(target_groups::deregister(control, &arn, &targets).await?)
}

pub(super) async fn health(
    control: &Control,
    input: DescribeTargetHealthInput,
) -> Result<DescribeTargetHealthOutput, Fault> {
    absent("Include", input.include.as_ref())?;
    let group = target_groups::find(control, &given::target_group(input.target_group_arn)?)?;
    let known = targets::health(&control.store().view(), &group);
    let check_port = |port: u16| group.health_check.port.unwrap_or(port).to_string();
    let shown = known.iter().map(|(target, health)| TargetHealthDescription {
        target: Target {
            id: target.address.ip.to_string(),
            port: Some(i64::from(target.address.port)),
            availability_zone: None,
        },
        health_check_port: check_port(target.address.port),
        target_health: TargetHealth {
            state: health.state.as_str(),
            reason: health.reason.clone(),
            description: health.description.clone(),
        },
    });
    let mut shown: Vec<_> = shown.collect();
    if !input.targets.is_empty() {
        let asked = input.targets.iter().map(|target| {
            let (ip, port) = given::target(target)?;
            let port = port.unwrap_or(group.port);
            let (id, number) = (ip.to_string(), Some(i64::from(port)));
            let found = shown.iter().find(|known| known.target.id == id && known.target.port == number);
            Ok(found.cloned().unwrap_or_else(|| TargetHealthDescription {
                target: Target { id, port: number, availability_zone: None },
                health_check_port: check_port(port),
                target_health: TargetHealth {
                    state: TargetState::Unused.as_str(),
                    reason: Some("Target.NotRegistered".to_owned()),
                    description: Some("Target is not registered to the target group".to_owned()),
                },
            }))
        });
        shown = asked.collect::<Result<_, Fault>>()?;
    }
    Ok(DescribeTargetHealthOutput { target_health_descriptions: shown })
}

fn show(control: &Control, found: &target_group::TargetGroup) -> TargetGroup {
    let HealthCheck { enabled, path, port, interval_secs, timeout_secs, healthy_threshold, .. } =
        &found.health_check;
    let load_balancers = balancing::load_balancers(control, &found.arn);
    TargetGroup {
        target_group_arn: found.arn.to_string(),
        target_group_name: found.name.clone(),
        protocol: "HTTP",
        port: found.port,
        vpc_id: found.vpc.to_string(),
        health_check_protocol: "HTTP",
        health_check_port: port.map_or_else(|| "traffic-port".to_owned(), |port| port.to_string()),
        health_check_enabled: *enabled,
        health_check_interval_seconds: *interval_secs,
        health_check_timeout_seconds: *timeout_secs,
        healthy_threshold_count: *healthy_threshold,
        unhealthy_threshold_count: found.health_check.unhealthy_threshold,
        health_check_path: path.clone(),
        matcher: matcher(found),
        load_balancer_arns: load_balancers.iter().map(ToString::to_string).collect(),
        target_type: "ip",
        protocol_version: found.protocol_version.as_str(),
        ip_address_type: "ipv4",
    }
}

fn matcher(of: &target_group::TargetGroup) -> Matcher {
    let code = Some(of.health_check.matcher.clone());
    match of.protocol_version {
        ProtocolVersion::Grpc => Matcher { http_code: None, grpc_code: code },
        ProtocolVersion::Http1 | ProtocolVersion::Http2 => Matcher { http_code: code, grpc_code: None },
    }
}

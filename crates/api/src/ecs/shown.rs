//! From the model's values to what callers read, where several operations show the same.

use wharf_aws::{Timestamp, ecs};
use wharf_control::operations::Failure;
use wharf_model::{
    self as model,
    capacity::StrategyItem,
    placement::{Constraint, Resource, SpreadBy, Strategy},
    service::{AwsvpcConfiguration, ServiceLoadBalancer},
    tag::Tag,
    task_definition::{EnvironmentFile, LaunchType},
};

pub(super) fn time(at: model::Timestamp) -> Timestamp {
    Timestamp::from_millis(at.0)
}

pub(super) fn tags(tags: &[Tag]) -> Vec<ecs::Tag> {
    tags.iter().map(|tag| ecs::Tag { key: tag.key.clone(), value: tag.value.clone() }).collect()
}

pub(super) fn failures(failures: Vec<Failure>) -> Vec<ecs::Failure> {
    let shown = |Failure { arn, reason, detail }| ecs::Failure { arn, reason, detail };
    failures.into_iter().map(shown).collect()
}

pub(super) fn launch_type(launch_type: LaunchType) -> &'static str {
    match launch_type {
        LaunchType::Fargate => "FARGATE",
        LaunchType::Ec2 => "EC2",
    }
}

/// Returns the platform's version and family, which only Fargate has.
pub(super) fn platform(launch_type: LaunchType) -> Option<(&'static str, &'static str)> {
    match launch_type {
        LaunchType::Fargate => Some(("1.4.0", "Linux")),
        LaunchType::Ec2 => None,
    }
}

pub(super) fn network(network: &AwsvpcConfiguration) -> Option<ecs::NetworkConfiguration> {
    if network.is_nowhere() {
        return None;
    }
    let assign = if network.assign_public_ip { "ENABLED" } else { "DISABLED" };
    Some(ecs::NetworkConfiguration {
        awsvpc_configuration: Some(ecs::AwsVpcConfiguration {
            subnets: network.subnets.iter().map(ToString::to_string).collect(),
            security_groups: network.security_groups.iter().map(ToString::to_string).collect(),
            assign_public_ip: Some(assign.to_owned()),
        }),
    })
}

/// Returns the shape of a task's disk.
pub(super) fn ephemeral_storage(gibibytes: u32) -> ecs::EphemeralStorage {
    ecs::EphemeralStorage { size_in_gib: i32::try_from(gibibytes).unwrap_or(i32::MAX) }
}

/// Returns the shapes of files of environment variables.
pub(super) fn environment_files<'a>(
    files: impl IntoIterator<Item = &'a EnvironmentFile>,
) -> Vec<ecs::EnvironmentFile> {
    let shape =
        |file: &EnvironmentFile| ecs::EnvironmentFile { value: file.value.clone(), kind: "s3".to_owned() };
    files.into_iter().map(shape).collect()
}

pub(super) fn strategy(strategy: &[StrategyItem]) -> Vec<ecs::CapacityProviderStrategyItem> {
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let item = |item: &StrategyItem| ecs::CapacityProviderStrategyItem {
        capacity_provider: item.provider.clone(),
        weight: number(item.weight),
        base: number(item.base),
    };
    strategy.iter().map(item).collect()
}

pub(super) fn constraints(constraints: &[Constraint]) -> Vec<ecs::PlacementConstraint> {
    let shown = |constraint: &Constraint| match constraint {
        Constraint::DistinctInstance => {
            ecs::PlacementConstraint { r#type: Some("distinctInstance".to_owned()), expression: None }
        }
        Constraint::MemberOf(expression) => ecs::PlacementConstraint {
            r#type: Some("memberOf".to_owned()),
            expression: Some(expression.clone()),
        },
    };
    constraints.iter().map(shown).collect()
}

pub(super) fn placement_strategies(strategies: &[Strategy]) -> Vec<ecs::PlacementStrategy> {
    let shown = |strategy: &Strategy| {
        let (kind, field) = match strategy {
            Strategy::Random => ("random", None),
            Strategy::Binpack(Resource::Cpu) => ("binpack", Some("CPU".to_owned())),
            Strategy::Binpack(Resource::Memory) => ("binpack", Some("MEMORY".to_owned())),
            Strategy::Spread(SpreadBy::Instance) => ("spread", Some("instanceId".to_owned())),
            Strategy::Spread(SpreadBy::Attribute(name)) => ("spread", Some(format!("attribute:{name}"))),
        };
        ecs::PlacementStrategy { r#type: Some(kind.to_owned()), field }
    };
    strategies.iter().map(shown).collect()
}

pub(super) fn load_balancer(load_balancer: &ServiceLoadBalancer) -> ecs::LoadBalancer {
    ecs::LoadBalancer {
        target_group_arn: Some(load_balancer.target_group.to_string()),
        container_name: Some(load_balancer.container_name.clone()),
        container_port: Some(load_balancer.container_port.into()),
        ..ecs::LoadBalancer::default()
    }
}

pub(super) fn pairs(pairs: &[(String, String)]) -> Vec<ecs::KeyValuePair> {
    pairs.iter().map(|(name, value)| pair(name, value)).collect()
}

pub(super) fn pair(name: &str, value: impl ToString) -> ecs::KeyValuePair {
    ecs::KeyValuePair { name: name.to_owned(), value: value.to_string() }
}

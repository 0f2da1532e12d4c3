//! The service operations.

pub(super) mod shape;

use super::{given, shown};
use crate::{Caller, Fault};
use std::sync::Arc;
use wharf_aws::ecs::{
    CircuitBreakerInput, CreateServiceInput, DeleteServiceInput, DeploymentConfigurationInput,
    DeploymentController, DescribeServicesInput, DescribeServicesOutput, ListServicesByNamespaceInput,
    ListServicesInput, ListServicesOutput, LoadBalancer, ServiceOutput, ThresholdConfiguration,
    UpdateServiceInput,
};
use wharf_control::{
    Control,
    operations::{
        Error,
        capacity_providers::Capacity,
        references,
        services::{self, CreateService, UpdateService},
    },
};
use wharf_model::{
    placement::Placement,
    service::{
        CircuitBreaker, Controller, PropagateTags, Scheduling, Service, ServiceLoadBalancer, Threshold,
    },
};

/// What a service may ask for and does not get, with the values that ask for nothing.
const NOT_HONOURED: [(&str, &str); 6] = [
    ("serviceRegistries", ""),
    ("serviceConnectConfiguration", ""),
    ("volumeConfigurations", ""),
    ("vpcLatticeConfigurations", ""),
    ("gatewayConnectors", ""),
    ("monitoring", ""),
];

/// The same of how deployments go.
const NOT_HONOURED_OF_DEPLOYMENTS: [(&str, &str); 6] = [
    ("strategy", "ROLLING"),
    ("bakeTimeInMinutes", ""),
    ("lifecycleHooks", ""),
    ("linearConfiguration", ""),
    ("canaryConfiguration", ""),
    ("earlySuccessCriteria", ""),
];

pub(super) async fn create(
    control: &Control,
    caller: &Caller,
    input: CreateServiceInput,
) -> Result<ServiceOutput, Error> {
    let place = &control.config().place;
    // A role is for load balancers of the first generation; tasks with interfaces of their own need the linked one.
    let not_taken = [("role", "")];
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    given::refuse(&input.others, "", &not_taken).map_err(|_| {
        Error::invalid("You cannot specify an IAM role for services that require a service linked role.")
    })?;
    let given = &input.service_name;
    let name = given.parse().map_err(|_| {
        Error::invalid(format!(
            "Invalid service name '{given}': up to 255 letters, numbers, hyphens and underscores."
        ))
    })?;
    let capacity = given::capacity(input.launch_type.as_deref(), &input.capacity_provider_strategy)?;
    given::platform_version(input.platform_version.as_deref(), &capacity)?;
    let deployments = Deployments::read(input.deployment_configuration.as_ref(), None)?;
    if input.client_token.as_ref().is_some_and(|token| token.len() > 36) {
        return Err(Error::invalid("clientToken can have at most 36 characters."));
    }
    let request = CreateService {
        cluster: references::cluster(input.cluster.as_deref(), place)?,
        name,
        definition: input.task_definition.filter(|given| !given.is_empty()),
        desired_count: input.desired_count.map(|count| given::count(count, "desiredCount")).transpose()?,
        capacity,
        placement: Placement {
            constraints: given::constraints(&input.placement_constraints)?,
            strategies: given::placement_strategies(&input.placement_strategy)?,
        },
        scheduling: match input.scheduling_strategy.as_deref() {
            None | Some("" | "REPLICA") => Scheduling::Replica,
            Some("DAEMON") => Scheduling::Daemon,
            Some(other) => return Err(Error::invalid(format!("Invalid schedulingStrategy '{other}'."))),
        },
        controller: controller(input.deployment_controller.as_ref())?,
        zone_rebalancing: zone_rebalancing(input.availability_zone_rebalancing.as_deref())?.unwrap_or(false),
        healthy_min_percent: deployments.healthy_min_percent,
        live_max_percent: deployments.live_max_percent,
        circuit_breaker: deployments.circuit_breaker.unwrap_or_default(),
        load_balancers: load_balancers(&input.load_balancers)?,
        network: given::network(input.network_configuration.as_ref())?,
        grace_secs: given::count(
            input.health_check_grace_period_seconds.unwrap_or(0),
            "healthCheckGracePeriodSeconds",
        )?,
        client_token: input.client_token,
        propagate_tags: given::propagate_tags(input.propagate_tags.as_deref())?,
        managed_tags: input.enable_ecs_managed_tags,
        enable_execute_command: input.enable_execute_command,
        tags: given::tags(input.tags)?,
        created_by: caller.principal.clone(),
    };
    let created = services::create(control, request).await?;
    Ok(ServiceOutput { service: shape::service(&created, place, true) })
}

pub(super) async fn update(control: &Control, input: UpdateServiceInput) -> Result<ServiceOutput, Error> {
    let place = &control.config().place;
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    if let Some(version) =
        input.platform_version.as_deref().filter(|given| !matches!(*given, "" | "LATEST" | "1.4.0"))
    {
        return Err(given::unsupported("platformVersion", &format!(" {version}")));
    }
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    // What is there says what an update that names a part of a configuration leaves as it is.
    let known = services::find(control, &cluster, &input.service)?;
    if input.deployment_controller.is_some()
        && controller(input.deployment_controller.as_ref())? != known.controller
    {
        return Err(given::unsupported("deploymentController", " of an update: it cannot be changed"));
    }
    let deployments =
        Deployments::read(input.deployment_configuration.as_ref(), Some(known.circuit_breaker))?;
    let number =
        |given: Option<i32>, member: &str| given.map(|given| given::count(given, member)).transpose();
    let propagate = |given: &str| -> Result<PropagateTags, Error> { given::propagate_tags(Some(given)) };
    let strategies = input.placement_strategy.as_deref().map(given::placement_strategies);
    let capacity = match input.capacity_provider_strategy.as_deref() {
        None => None,
        // An empty strategy takes the service back to its launch type.
        Some([]) => Some(Capacity::Launch(known.launch_type)),
        Some(given) => Some(Capacity::Strategy(given::strategy(given)?)),
    };
    let request = UpdateService {
        desired_count: number(input.desired_count, "desiredCount")?,
        definition: input.task_definition.filter(|given| !given.is_empty()),
        capacity,
        constraints: input.placement_constraints.as_deref().map(given::constraints).transpose()?,
        strategies: strategies.transpose()?,
        zone_rebalancing: zone_rebalancing(input.availability_zone_rebalancing.as_deref())?,
        healthy_min_percent: deployments.healthy_min_percent,
        live_max_percent: deployments.live_max_percent,
        circuit_breaker: deployments.circuit_breaker,
        network: given::network(input.network_configuration.as_ref())?,
        load_balancers: input.load_balancers.as_deref().map(load_balancers).transpose()?,
        grace_secs: number(input.health_check_grace_period_seconds, "healthCheckGracePeriodSeconds")?,
        propagate_tags: input.propagate_tags.as_deref().map(propagate).transpose()?,
        managed_tags: input.enable_ecs_managed_tags,
        enable_execute_command: input.enable_execute_command,
        force_new_deployment: input.force_new_deployment,
    };
    let updated = services::update(control, &cluster, &input.service, request).await?;
    Ok(ServiceOutput { service: shape::service(&updated, place, true) })
}

pub(super) async fn delete(control: &Control, input: DeleteServiceInput) -> Result<ServiceOutput, Error> {
    let place = &control.config().place;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    let deleted = services::delete(control, &cluster, &input.service, input.force).await?;
    Ok(ServiceOutput { service: shape::service(&deleted, place, true) })
}

pub(super) fn describe(
    control: &Control,
    input: &DescribeServicesInput,
) -> Result<DescribeServicesOutput, Error> {
    let place = &control.config().place;
    let with_tags = given::includes_tags(&input.include, &[])?;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    if input.services.is_empty() {
        return Err(Error::invalid("Services cannot be empty."));
    }
    if input.services.len() > 10 {
        return Err(Error::invalid("Services can have at most 10 items."));
    }
    let described = services::describe(control, &cluster, &input.services)?;
    Ok(DescribeServicesOutput {
        services: described.found.iter().map(|detail| shape::service(detail, place, with_tags)).collect(),
        failures: shown::failures(described.failures),
    })
}

pub(super) fn list(control: &Control, input: &ListServicesInput) -> Result<ListServicesOutput, Fault> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    given::refuse(&input.others, "", &[("resourceManagementType", "CUSTOMER")])?;
    let launch_type =
        input.launch_type.as_deref().map(|given| given::launch_type(Some(given))).transpose()?;
    let mut found = services::list(control, &cluster)?;
    found.retain(|service| launch_type.is_none_or(|launch_type| service.launch_type == launch_type));
    let scheduling = match input.scheduling_strategy.as_deref() {
        None => None,
        Some("REPLICA") => Some(Scheduling::Replica),
        Some("DAEMON") => Some(Scheduling::Daemon),
        Some(other) => return Err(Error::invalid(format!("Invalid schedulingStrategy '{other}'.")).into()),
    };
    found.retain(|service| scheduling.is_none_or(|scheduling| service.scheduling == scheduling));
    let key = |service: &Arc<Service>| service.name.to_string();
    let page = given::page(found, key, input.next_token.as_deref(), input.max_results, 10)?;
    Ok(ListServicesOutput {
        service_arns: page.items.iter().map(|service| service.arn.to_string()).collect(),
        next_token: page.next,
    })
}

/// Namespaces are Service Connect's and Cloud Map's: without these, there is none that services are in.
pub(super) fn list_by_namespace(input: &ListServicesByNamespaceInput) -> Result<ListServicesOutput, Fault> {
    if input.namespace.is_empty() {
        return Err(Error::invalid("namespace must be specified.").into());
    }
    Err(Error::NamespaceNotFound(input.namespace.clone()).into())
}

/// How deployments go; what is absent was not given.
#[derive(Default)]
struct Deployments {
    healthy_min_percent: Option<u32>,
    live_max_percent: Option<u32>,
    circuit_breaker: Option<CircuitBreaker>,
}

impl Deployments {
    /// What a breaker does not say stays as it was `known`.
    fn read(
        given: Option<&DeploymentConfigurationInput>,
        known: Option<CircuitBreaker>,
    ) -> Result<Deployments, Error> {
        let Some(given) = given else { return Ok(Deployments::default()) };
        let of = " of deploymentConfiguration";
        given::refuse(&given.others, of, &NOT_HONOURED_OF_DEPLOYMENTS)?;
        if given.alarms.as_ref().is_some_and(|alarms| alarms.enable) {
            return Err(given::unsupported("alarms", of));
        }
        let percent = |given: Option<i32>, member| given.map(|given| given::count(given, member)).transpose();
        Ok(Deployments {
            healthy_min_percent: percent(given.minimum_healthy_percent, "minimumHealthyPercent")?,
            live_max_percent: percent(given.maximum_percent, "maximumPercent")?,
            circuit_breaker: given
                .deployment_circuit_breaker
                .as_ref()
                .map(|given| breaker(given, known.unwrap_or_default()))
                .transpose()?,
        })
    }
}

fn breaker(given: &CircuitBreakerInput, known: CircuitBreaker) -> Result<CircuitBreaker, Error> {
    let threshold = match &given.threshold_configuration {
        None => known.threshold,
        Some(given) => Some(threshold(given)?),
    };
    Ok(CircuitBreaker {
        enable: given.enable,
        rollback: given.rollback,
        reset_on_healthy_task: given.reset_on_healthy_task.unwrap_or(known.reset_on_healthy_task),
        threshold,
    })
}

fn threshold(given: &ThresholdConfiguration) -> Result<Threshold, Error> {
    let ThresholdConfiguration { r#type, value } = given;
    let invalid = |range: &str| {
        Error::invalid(format!("value of thresholdConfiguration must be {range} for type {}.", r#type))
    };
    let value = u32::try_from(*value).ok().filter(|value| *value > 0);
    let percent = || value.filter(|value| *value <= 100).ok_or_else(|| invalid("between 1 and 100"));
    match r#type.as_str() {
        "COUNT" => Ok(Threshold::Count(value.ok_or_else(|| invalid("at least 1"))?)),
        "BOUNDED_PERCENT" => Ok(Threshold::BoundedPercent(percent()?)),
        "UNBOUNDED_PERCENT" => Ok(Threshold::UnboundedPercent(percent()?)),
        other => Err(Error::invalid(format!("Invalid type '{other}' of thresholdConfiguration."))),
    }
}

fn controller(given: Option<&DeploymentController>) -> Result<Controller, Error> {
    match given.map(|given| given.r#type.as_str()) {
        None | Some("" | "ECS") => Ok(Controller::Ecs),
        Some("EXTERNAL") => Ok(Controller::External),
        Some("CODE_DEPLOY") => Err(given::unsupported("deploymentController", " CODE_DEPLOY")),
        Some(other) => Err(Error::invalid(format!("Invalid deploymentController type '{other}'."))),
    }
}

fn zone_rebalancing(given: Option<&str>) -> Result<Option<bool>, Error> {
    match given {
        None | Some("") => Ok(None),
        Some("ENABLED") => Ok(Some(true)),
        Some("DISABLED") => Ok(Some(false)),
        Some(other) => Err(Error::invalid(format!("Invalid availabilityZoneRebalancing '{other}'."))),
    }
}

/// Returns the target groups of a service or task set.
pub(super) fn load_balancers(given: &[LoadBalancer]) -> Result<Vec<ServiceLoadBalancer>, Error> {
    given
        .iter()
        .map(|given| {
            if given.load_balancer_name.as_ref().is_some_and(|name| !name.is_empty()) {
                return Err(given::unsupported("loadBalancerName", " of loadBalancers; use targetGroupArn"));
            }
            if given.advanced_configuration.is_some() {
                return Err(given::unsupported("advancedConfiguration", " of loadBalancers"));
            }
            let arn = given.target_group_arn.clone().unwrap_or_default();
            Ok(ServiceLoadBalancer {
                target_group: arn
                    .parse()
                    .map_err(|_| Error::invalid(format!("Invalid targetGroupArn '{arn}'.")))?,
                container_name: given.container_name.clone().unwrap_or_default(),
                container_port: given::port(given.container_port, "containerPort of loadBalancers")?,
            })
        })
        .collect()
}

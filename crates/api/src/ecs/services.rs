//! The service operations.

mod shape;

use super::{given, shown};
use crate::{Caller, Fault};
use std::sync::Arc;
use wharf_aws::ecs::{
    CircuitBreakerInput, CreateServiceInput, DeleteServiceInput, DeploymentConfigurationInput,
    DeploymentController, DescribeServicesInput, DescribeServicesOutput, ListServicesInput,
    ListServicesOutput, LoadBalancer, ServiceOutput, UpdateServiceInput,
};
use wharf_control::{
    Control,
    operations::{
        Error, references,
        services::{self, CreateService, UpdateService},
    },
};
use wharf_model::service::{CircuitBreaker, DeploymentBounds, PropagateTags, Service, ServiceLoadBalancer};

/// What a service may ask for and does not get, with the values that ask for nothing.
const NOT_HONOURED: [(&str, &str); 13] = [
    ("availabilityZoneRebalancing", "DISABLED"),
    ("serviceRegistries", ""),
    ("capacityProviderStrategy", ""),
    ("role", ""),
    ("placementConstraints", ""),
    ("placementStrategy", ""),
    ("schedulingStrategy", "REPLICA"),
    ("enableExecuteCommand", ""),
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
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    check_controller(input.deployment_controller.as_ref())?;
    let given = &input.service_name;
    let name = given.parse().map_err(|_| {
        Error::invalid(format!(
            "Invalid service name '{given}': up to 255 letters, numbers, hyphens and underscores."
        ))
    })?;
    let launch_type = given::launch_type(input.launch_type.as_deref())?;
    given::platform_version(input.platform_version.as_deref(), launch_type)?;
    let deployments = Deployments::read(input.deployment_configuration.as_ref())?;
    let desired = input.desired_count.ok_or_else(|| Error::invalid("desiredCount must be specified."))?;
    let definition = input.task_definition.filter(|given| !given.is_empty());
    if input.client_token.as_ref().is_some_and(|token| token.len() > 36) {
        return Err(Error::invalid("clientToken can have at most 36 characters."));
    }
    let request = CreateService {
        cluster: references::cluster(input.cluster.as_deref(), place)?,
        name,
        definition: definition.ok_or_else(|| Error::invalid("taskDefinition must be specified."))?,
        desired_count: given::count(desired, "desiredCount")?,
        launch_type,
        bounds: DeploymentBounds {
            healthy_min_percent: deployments.healthy_min_percent.unwrap_or(100),
            live_max_percent: deployments.live_max_percent.unwrap_or(200),
        },
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
        tags: given::tags(input.tags)?,
        created_by: caller.principal.clone(),
    };
    let created = services::create(control, request).await?;
    Ok(ServiceOutput { service: shape::service(&created, place, true) })
}

pub(super) async fn update(control: &Control, input: UpdateServiceInput) -> Result<ServiceOutput, Error> {
    let place = &control.config().place;
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    check_controller(input.deployment_controller.as_ref())?;
    if let Some(version) =
        input.platform_version.as_deref().filter(|given| !matches!(*given, "" | "LATEST" | "1.4.0"))
    {
        return Err(given::unsupported("platformVersion", &format!(" {version}")));
    }
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    let deployments = Deployments::read(input.deployment_configuration.as_ref())?;
    let number =
        |given: Option<i32>, member: &str| given.map(|given| given::count(given, member)).transpose();
    let propagate = |given: &str| -> Result<PropagateTags, Error> { given::propagate_tags(Some(given)) };
    let request = UpdateService {
        desired_count: number(input.desired_count, "desiredCount")?,
        definition: input.task_definition.filter(|given| !given.is_empty()),
        healthy_min_percent: deployments.healthy_min_percent,
        live_max_percent: deployments.live_max_percent,
        circuit_breaker: deployments.circuit_breaker,
        network: given::network(input.network_configuration.as_ref())?,
        load_balancers: input.load_balancers.as_deref().map(load_balancers).transpose()?,
        grace_secs: number(input.health_check_grace_period_seconds, "healthCheckGracePeriodSeconds")?,
        propagate_tags: input.propagate_tags.as_deref().map(propagate).transpose()?,
        managed_tags: input.enable_ecs_managed_tags,
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
    if input.scheduling_strategy.as_deref().is_some_and(|strategy| strategy != "REPLICA") {
        found.clear();
    }
    let key = |service: &Arc<Service>| service.name.to_string();
    let page = given::page(found, key, input.next_token.as_deref(), input.max_results, 10)?;
    Ok(ListServicesOutput {
        service_arns: page.items.iter().map(|service| service.arn.to_string()).collect(),
        next_token: page.next,
    })
}

/// How deployments go; what is absent was not given.
#[derive(Default)]
struct Deployments {
    healthy_min_percent: Option<u32>,
    live_max_percent: Option<u32>,
    circuit_breaker: Option<CircuitBreaker>,
}

impl Deployments {
    fn read(given: Option<&DeploymentConfigurationInput>) -> Result<Deployments, Error> {
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
            circuit_breaker: given.deployment_circuit_breaker.as_ref().map(breaker).transpose()?,
        })
    }
}

fn breaker(given: &CircuitBreakerInput) -> Result<CircuitBreaker, Error> {
    let of = " of deploymentCircuitBreaker";
    given::refuse(&given.others, of, &[("thresholdConfiguration", "")])?;
    if given.reset_on_healthy_task == Some(false) {
        return Err(given::unsupported("resetOnHealthyTask", &format!(" false{of}")));
    }
    Ok(CircuitBreaker { enable: given.enable, rollback: given.rollback })
}

fn check_controller(given: Option<&DeploymentController>) -> Result<(), Error> {
    match given.map(|given| given.r#type.as_str()) {
        None | Some("" | "ECS") => Ok(()),
        Some(other) => Err(given::unsupported("deploymentController", &format!(" {other}"))),
    }
}

fn load_balancers(given: &[LoadBalancer]) -> Result<Vec<ServiceLoadBalancer>, Error> {
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

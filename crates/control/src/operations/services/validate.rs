//! The rules of a service.

use super::{CreateService, UpdateService};
use crate::{
    Control,
    operations::{
        Error, balancing,
        capacity_providers::{Capacity, Chosen},
        network_configuration, references,
        run_task::{check_launch_type, check_placement, read},
        task_definitions,
    },
};
use wharf_model::{
    placement::{Constraint, Placement},
    service::{AwsvpcConfiguration, Controller, DeploymentBounds, Scheduling, Service, ServiceLoadBalancer},
    target_group::TargetGroup,
    task::TaskOverride,
    task_definition::{LaunchType, NetworkMode, Revision, TaskDefinition},
};
use wharf_store::Draft;

/// The most target groups of a service, and the most tasks.
const LOAD_BALANCERS_MAX: usize = 5;
const TASKS_MAX: u32 = 5_000;

/// What was looked up on the way.
pub(super) struct Checked {
    /// Absent when somebody else deploys.
    pub(super) definition: Option<Revision>,
    pub(super) network: AwsvpcConfiguration,
    pub(super) bounds: DeploymentBounds,
}

/// Checks the request for a new service.
pub(super) fn create(
    draft: &Draft<'_>,
    control: &Control,
    request: &CreateService,
    chosen: &Chosen,
) -> Result<Checked, Error> {
    let bounds =
        bounds(request.healthy_min_percent, request.live_max_percent, default_bounds(request.scheduling));
    check_bounds(bounds, request.scheduling)?;
    check_count(request.desired_count.unwrap_or(0))?;
    check_scheduling(request.scheduling, request.desired_count, chosen.launch_type, &request.placement)?;
    if request.controller == Controller::External {
        check_external(request)?;
        return Ok(Checked { definition: None, network: AwsvpcConfiguration::default(), bounds });
    }
    if request.scheduling == Scheduling::Replica && request.desired_count.is_none() {
        return Err(Error::invalid("desiredCount must be specified."));
    }
    let given = request.definition.as_deref();
    let given = given.ok_or_else(|| Error::invalid("taskDefinition must be specified."))?;
    let definition = task_definitions::to_start(draft, control, given)?;
    check_launch_type(chosen.launch_type, &definition, &TaskOverride::default())?;
    check_placement(chosen.launch_type, &definition, &request.placement)?;
    let network = network_configuration::of(draft, &definition, request.network.as_ref())?;
    check_load_balancers(draft, &request.load_balancers, &definition)?;
    Ok(Checked { definition: Some(definition.name()), network, bounds })
}

/// Checks a change; the service has the capacity and placement that it asks for already.
pub(super) fn update(
    draft: &Draft<'_>,
    control: &Control,
    service: &Service,
    request: &UpdateService,
) -> Result<Checked, Error> {
    check_count(request.desired_count.unwrap_or(0))?;
    let bounds = bounds(request.healthy_min_percent, request.live_max_percent, service.deployment_bounds);
    check_bounds(bounds, service.scheduling)?;
    check_scheduling(service.scheduling, request.desired_count, service.launch_type, &service.placement)?;
    if service.controller == Controller::External {
        check_external_change(request)?;
        return Ok(Checked { definition: None, network: service.network.clone(), bounds });
    }
    let primary = service.deployments.first().map(|primary| primary.definition.to_string());
    let given = request.definition.clone().or(primary).unwrap_or_default();
    // Scaling goes on with a definition that has been taken out of use; only a new one has to be active.
    let definition = match request.definition {
        Some(_) => task_definitions::to_start(draft, control, &given)?,
        None => references::definition(&given, &control.config().place)
            .and_then(|named| task_definitions::get(draft, &named.exact()?))
            .ok_or_else(|| Error::client("TaskDefinition not found."))?,
    };
    check_launch_type(service.launch_type, &definition, &TaskOverride::default())?;
    check_placement(service.launch_type, &definition, &service.placement)?;
    let own = definition.network_mode == NetworkMode::Awsvpc && !service.network.is_nowhere();
    let network = match &request.network {
        // What the service has was checked when it came.
        None if own => service.network.clone(),
        given => network_configuration::of(draft, &definition, given.as_ref())?,
    };
    match &request.load_balancers {
        Some(given) => check_load_balancers(draft, given, &definition)?,
        None if request.definition.is_some() => check_ports(&service.load_balancers, &definition)?,
        None => {}
    }
    Ok(Checked { definition: Some(definition.name()), network, bounds })
}

fn default_bounds(scheduling: Scheduling) -> DeploymentBounds {
    match scheduling {
        Scheduling::Replica => DeploymentBounds { healthy_min_percent: 100, live_max_percent: 200 },
        Scheduling::Daemon => DeploymentBounds { healthy_min_percent: 0, live_max_percent: 100 },
    }
}

fn bounds(min: Option<u32>, max: Option<u32>, known: DeploymentBounds) -> DeploymentBounds {
    DeploymentBounds {
        healthy_min_percent: min.unwrap_or(known.healthy_min_percent),
        live_max_percent: max.unwrap_or(known.live_max_percent),
    }
}

fn check_scheduling(
    scheduling: Scheduling,
    count: Option<u32>,
    launch_type: LaunchType,
    placement: &Placement,
) -> Result<(), Error> {
    read(placement)?;
    match scheduling {
        Scheduling::Replica => Ok(()),
        Scheduling::Daemon if count.is_some() => Err(Error::invalid(
            "The daemon scheduling strategy does not support a desired count for services. Remove the desired count \
             value and try again",
        )),
        Scheduling::Daemon if launch_type == LaunchType::Fargate => {
            Err(Error::invalid("The daemon scheduling strategy does not support the FARGATE launch type."))
        }
        Scheduling::Daemon if !placement.strategies.is_empty() => {
            Err(Error::invalid("Placement strategies are not supported with DAEMON scheduling strategy."))
        }
        Scheduling::Daemon if placement.constraints.contains(&Constraint::DistinctInstance) => {
            Err(Error::invalid("distinctInstance is not supported with DAEMON scheduling strategy."))
        }
        Scheduling::Daemon => Ok(()),
    }
}

/// With a controller of somebody else's, tasks are described by task sets alone.
fn check_external(request: &CreateService) -> Result<(), Error> {
    let given = [
        ("taskDefinition", request.definition.is_some()),
        ("networkConfiguration", request.network.is_some()),
        ("loadBalancers", !request.load_balancers.is_empty()),
        ("placementConstraints", !request.placement.constraints.is_empty()),
        ("placementStrategy", !request.placement.strategies.is_empty()),
        ("schedulingStrategy DAEMON", request.scheduling == Scheduling::Daemon),
        ("deploymentCircuitBreaker", request.circuit_breaker.enable),
        ("availabilityZoneRebalancing", request.zone_rebalancing),
    ];
    refuse_for_external(&given)
}

fn check_external_change(request: &UpdateService) -> Result<(), Error> {
    let given = [
        ("taskDefinition", request.definition.is_some()),
        ("networkConfiguration", request.network.is_some()),
        ("loadBalancers", request.load_balancers.is_some()),
        ("capacityProviderStrategy", request.capacity.is_some()),
        ("placementConstraints", request.constraints.is_some()),
        ("placementStrategy", request.strategies.is_some()),
        ("forceNewDeployment", request.force_new_deployment),
        ("deploymentCircuitBreaker", request.circuit_breaker.is_some_and(|breaker| breaker.enable)),
        ("availabilityZoneRebalancing", request.zone_rebalancing == Some(true)),
    ];
    refuse_for_external(&given)
}

fn refuse_for_external(given: &[(&str, bool)]) -> Result<(), Error> {
    match given.iter().find(|(_, given)| *given) {
        Some((member, _)) => Err(Error::invalid(format!(
            "Unable to use {member} with a service that has the EXTERNAL deployment controller. Use CreateTaskSet."
        ))),
        None => Ok(()),
    }
}

/// Returns whether a request asks for what is there already.
pub(super) fn is_repetition(known: &Service, request: &CreateService, control: &Control) -> bool {
    let primary = known.deployments.first().map(|primary| &primary.definition);
    let same_definition = match &request.definition {
        None => primary.is_none(),
        Some(given) => references::definition(given, &control.config().place).is_some_and(|named| {
            primary.is_some_and(|primary| {
                primary.family == named.family
                    && named.revision.is_none_or(|revision| revision == primary.revision)
            })
        }),
    };
    let same_capacity = match &request.capacity {
        Capacity::Unsaid => true,
        Capacity::Launch(launch_type) => known.strategy.is_empty() && known.launch_type == *launch_type,
        Capacity::Strategy(strategy) => known.strategy == *strategy,
    };
    let asked =
        bounds(request.healthy_min_percent, request.live_max_percent, default_bounds(request.scheduling));
    same_definition
        && same_capacity
        && known.client_token == request.client_token
        && request.desired_count.is_none_or(|count| known.desired_count == count)
        && known.deployment_bounds == asked
        && known.load_balancers == request.load_balancers
        && known.placement == request.placement
        && (known.scheduling, known.controller) == (request.scheduling, request.controller)
        && known.network == request.network.clone().unwrap_or_default()
}

fn check_count(count: u32) -> Result<(), Error> {
    if count > TASKS_MAX {
        return Err(Error::invalid(format!("desiredCount must be at most {TASKS_MAX}.")));
    }
    Ok(())
}

fn check_bounds(bounds: DeploymentBounds, scheduling: Scheduling) -> Result<(), Error> {
    if bounds.healthy_min_percent > 100 {
        return Err(Error::invalid("minimumHealthyPercent must be between 0 and 100."));
    }
    if bounds.live_max_percent < 100 || bounds.live_max_percent > 200 {
        return Err(Error::invalid("maximumPercent must be between 100 and 200."));
    }
    if scheduling == Scheduling::Daemon
        && bounds == (DeploymentBounds { healthy_min_percent: 100, live_max_percent: 100 })
    {
        return Err(Error::invalid(
            "minimumHealthyPercent and maximumPercent cannot both be 100 for a daemon.",
        ));
    }
    Ok(())
}

/// Checks the target groups that tasks are registered with.
pub(in crate::operations) fn check_load_balancers(
    draft: &Draft<'_>,
    given: &[ServiceLoadBalancer],
    definition: &TaskDefinition,
) -> Result<(), Error> {
    if given.len() > LOAD_BALANCERS_MAX {
        return Err(Error::invalid(format!("load balancers can have at most {LOAD_BALANCERS_MAX} items.")));
    }
    let reach = balancing::reach(draft);
    for load_balancer in given {
        let arn = &load_balancer.target_group;
        if draft.get::<TargetGroup>(&arn.to_string()).is_none() {
            return Err(Error::TargetGroupNotFound(arn.to_string()));
        }
        if definition.network_mode != NetworkMode::Awsvpc {
            return Err(Error::invalid(format!(
                "The provided target group {arn} has target type ip, which is incompatible with the network mode \
                 specified in the task definition."
            )));
        }
        if !reach.has(arn) {
            return Err(Error::invalid(format!(
                "The target group with targetGroupArn {arn} does not have an associated load balancer."
            )));
        }
    }
    check_ports(given, definition)
}

fn check_ports(given: &[ServiceLoadBalancer], definition: &TaskDefinition) -> Result<(), Error> {
    for ServiceLoadBalancer { container_name, container_port, .. } in given {
        let container =
            definition.containers.iter().find(|container| container.name == *container_name).ok_or_else(
                || {
                    Error::invalid(format!(
                        "The container {container_name} does not exist in the task definition."
                    ))
                },
            )?;
        if !container.port_mappings.iter().any(|port| port.container_port == *container_port) {
            return Err(Error::invalid(format!(
                "The container {container_name} did not have a container port {container_port} defined."
            )));
        }
    }
    Ok(())
}

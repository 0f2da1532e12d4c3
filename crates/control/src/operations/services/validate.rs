//! The rules of a service.

use super::{CreateService, UpdateService};
use crate::{
    Control,
    operations::{
        Error, balancing, network_configuration, references, run_task::check_launch_type, task_definitions,
    },
};
use wharf_model::{
    service::{AwsvpcConfiguration, DeploymentBounds, Service, ServiceLoadBalancer},
    target_group::TargetGroup,
    task::TaskOverride,
    task_definition::{NetworkMode, Revision, TaskDefinition},
};
use wharf_store::Draft;

/// The most target groups of a service, and the most tasks.
const LOAD_BALANCERS_MAX: usize = 5;
const TASKS_MAX: u32 = 5_000;

/// What was looked up on the way.
pub(super) struct Checked {
    pub(super) definition: Revision,
    pub(super) network: AwsvpcConfiguration,
    pub(super) bounds: DeploymentBounds,
}

/// Checks the request for a new service.
pub(super) fn create(
    draft: &Draft<'_>,
    control: &Control,
    request: &CreateService,
) -> Result<Checked, Error> {
    let definition = task_definitions::to_start(draft, control, &request.definition)?;
    check_launch_type(request.launch_type, &definition, &TaskOverride::default())?;
    let network = network_configuration::of(draft, &definition, request.network.as_ref())?;
    check_count(request.desired_count)?;
    check_bounds(request.bounds)?;
    check_load_balancers(draft, &request.load_balancers, &definition)?;
    Ok(Checked { definition: definition.name(), network, bounds: request.bounds })
}

/// Checks a change.
pub(super) fn update(
    draft: &Draft<'_>,
    control: &Control,
    service: &Service,
    request: &UpdateService,
) -> Result<Checked, Error> {
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
    let own = definition.network_mode == NetworkMode::Awsvpc && !service.network.is_nowhere();
    let network = match &request.network {
        // What the service has was checked when it came.
        None if own => service.network.clone(),
        given => network_configuration::of(draft, &definition, given.as_ref())?,
    };
    check_count(request.desired_count.unwrap_or(0))?;
    let known = service.deployment_bounds;
    let bounds = DeploymentBounds {
        healthy_min_percent: request.healthy_min_percent.unwrap_or(known.healthy_min_percent),
        live_max_percent: request.live_max_percent.unwrap_or(known.live_max_percent),
    };
    check_bounds(bounds)?;
    match &request.load_balancers {
        Some(given) => check_load_balancers(draft, given, &definition)?,
        None if request.definition.is_some() => check_ports(&service.load_balancers, &definition)?,
        None => {}
    }
    Ok(Checked { definition: definition.name(), network, bounds })
}

/// Returns whether a request asks for what is there already.
pub(super) fn is_repetition(known: &Service, request: &CreateService, control: &Control) -> bool {
    let primary = known.deployments.first().map(|primary| &primary.definition);
    let named = references::definition(&request.definition, &control.config().place);
    let same_definition = named.is_some_and(|named| {
        primary.is_some_and(|primary| {
            primary.family == named.family
                && named.revision.is_none_or(|revision| revision == primary.revision)
        })
    });
    same_definition
        && known.client_token == request.client_token
        && known.desired_count == request.desired_count
        && known.launch_type == request.launch_type
        && known.deployment_bounds == request.bounds
        && known.load_balancers == request.load_balancers
        && known.network == request.network.clone().unwrap_or_default()
}

fn check_count(count: u32) -> Result<(), Error> {
    if count > TASKS_MAX {
        return Err(Error::invalid(format!("desiredCount must be at most {TASKS_MAX}.")));
    }
    Ok(())
}

fn check_bounds(bounds: DeploymentBounds) -> Result<(), Error> {
    if bounds.healthy_min_percent > 100 {
        return Err(Error::invalid("minimumHealthyPercent must be between 0 and 100."));
    }
    if bounds.live_max_percent < 100 || bounds.live_max_percent > 200 {
        return Err(Error::invalid("maximumPercent must be between 100 and 200."));
    }
    Ok(())
}

fn check_load_balancers(
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

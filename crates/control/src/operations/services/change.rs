//! Changing a service: in place, or by a new deployment.

use super::{ServiceDetail, active, deployment, detail, replace_primary, terms, validate};
use crate::{
    Control,
    operations::{
        Error,
        capacity_providers::{self, Capacity},
        clusters, service_deployments,
    },
};
use std::sync::Arc;
use wharf_model::{
    ClusterName,
    placement::{Constraint, Strategy},
    service::{AwsvpcConfiguration, CircuitBreaker, DeploymentState, PropagateTags, ServiceLoadBalancer},
};

/// What of a service is changed; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct UpdateService {
    /// How many tasks it keeps.
    pub desired_count: Option<u32>,
    /// What its tasks are started from.
    pub definition: Option<String>,
    /// What its tasks are placed by.
    pub capacity: Option<Capacity>,
    /// What its tasks' nodes must be.
    pub constraints: Option<Vec<Constraint>>,
    /// What makes a node the better one.
    pub strategies: Option<Vec<Strategy>>,
    /// Whether its zones are kept even.
    pub zone_rebalancing: Option<bool>,
    /// The lower bound of its deployments, in percent.
    pub healthy_min_percent: Option<u32>,
    /// The upper bound of its deployments, in percent.
    pub live_max_percent: Option<u32>,
    /// Whether a deployment that does not come up is given up.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Where its tasks' interfaces are made.
    pub network: Option<AwsvpcConfiguration>,
    /// The target groups that its tasks are registered with.
    pub load_balancers: Option<Vec<ServiceLoadBalancer>>,
    /// Seconds in which failed checks of a new task do not count.
    pub grace_secs: Option<u32>,
    /// From where its tasks take their tags.
    pub propagate_tags: Option<PropagateTags>,
    /// Whether its tasks are tagged with their cluster and service.
    pub managed_tags: Option<bool>,
    /// Whether commands can be run in the containers of its tasks.
    pub enable_execute_command: Option<bool>,
    /// Whether its tasks are replaced even if nothing else changes.
    pub force_new_deployment: bool,
}

/// Changes a service; what concerns its tasks makes a new deployment.
pub async fn update(
    control: &Control,
    cluster: &ClusterName,
    given: &str,
    request: UpdateService,
) -> Result<ServiceDetail, Error> {
    let now = control.now();
    let place = &control.config().place;
    let updated = control
        .store()
        .update(|draft| {
            let known = active(draft, control, cluster, given)?;
            let mut service = (*known).clone();
            if let Some(capacity) = &request.capacity {
                let cluster = clusters::active(draft, cluster)?;
                let chosen = capacity_providers::choose(draft, place, &cluster, capacity)?;
                service.launch_type = chosen.launch_type;
                service.strategy = chosen.strategy;
            }
            if let Some(constraints) = request.constraints.clone() {
                service.placement.constraints = constraints;
            }
            if let Some(strategies) = request.strategies.clone() {
                service.placement.strategies = strategies;
            }
            let checked = validate::update(draft, control, &service, &request)?;
            service.desired_count = request.desired_count.unwrap_or(service.desired_count);
            service.grace_secs = request.grace_secs.unwrap_or(service.grace_secs);
            service.circuit_breaker = request.circuit_breaker.unwrap_or(service.circuit_breaker);
            service.propagate_tags = request.propagate_tags.unwrap_or(service.propagate_tags);
            service.managed_tags = request.managed_tags.unwrap_or(service.managed_tags);
            service.enable_execute_command =
                request.enable_execute_command.unwrap_or(service.enable_execute_command);
            service.zone_rebalancing = request.zone_rebalancing.unwrap_or(service.zone_rebalancing);
            service.deployment_bounds = checked.bounds;
            if let Some(load_balancers) = request.load_balancers {
                service.load_balancers = load_balancers;
            }
            service.network = checked.network.clone();
            if let Some(definition) = checked.definition {
                let replaces = request.force_new_deployment
                    || service.network != known.network
                    || service.load_balancers != known.load_balancers
                    || (service.launch_type, &service.strategy) != (known.launch_type, &known.strategy)
                    || service.placement != known.placement
                    || service.enable_execute_command != known.enable_execute_command
                    || service.deployments.first().is_none_or(|primary| primary.definition != definition);
                if replaces {
                    if let Some(open) = service.deployments.first() {
                        let reason = "A newer deployment of the service was started.";
                        service_deployments::stop(
                            draft,
                            &service,
                            open,
                            DeploymentState::Stopped,
                            reason,
                            now,
                        );
                    }
                    let mut next = deployment(definition, checked.network, terms(&service), now);
                    service_deployments::begin(draft, place, &service, &mut next, now);
                    replace_primary(&mut service, next);
                } else if let Some(primary) = service.deployments.first_mut()
                    && service.desired_count != known.desired_count
                {
                    primary.updated_at = now;
                }
            }
            if service != *known {
                draft.put(service.clone());
            }
            Ok::<_, Error>(detail(draft, Arc::new(service)))
        })
        .await?;
    Ok(updated)
}

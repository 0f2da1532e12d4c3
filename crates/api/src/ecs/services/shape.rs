//! From the model's service to its shape.

use crate::ecs::{shown, task_sets};
use wharf_aws::ecs;
use wharf_control::operations::{service_deployments, services::ServiceDetail};
use wharf_model::{
    Place,
    service::{
        CircuitBreaker, Controller, Deployment, DeploymentBounds, DeploymentStatus, PropagateTags, Rollout,
        Scheduling, Service, ServiceStatus, TaskSet, Threshold,
    },
};

/// Returns a service's shape.
pub(crate) fn service(detail: &ServiceDetail, place: &Place, with_tags: bool) -> ecs::Service {
    let service = &detail.service;
    let total = detail.total();
    let platform = shown::platform(service.launch_type);
    let by_launch_type = service.strategy.is_empty();
    let primary = service.deployments.first().map(|primary| &primary.definition);
    let last = service.last_completed.as_ref().map(|last| &last.definition);
    ecs::Service {
        service_arn: service.arn.to_string(),
        service_name: service.name.to_string(),
        cluster_arn: place.arn("ecs", format_args!("cluster/{}", service.cluster)).to_string(),
        load_balancers: service.load_balancers.iter().map(shown::load_balancer).collect(),
        service_registries: Vec::new(),
        status: match service.status {
            ServiceStatus::Active => "ACTIVE",
            ServiceStatus::Draining => "DRAINING",
            ServiceStatus::Inactive => "INACTIVE",
        },
        desired_count: service.desired_count,
        running_count: total.running,
        pending_count: total.pending,
        launch_type: by_launch_type.then(|| shown::launch_type(service.launch_type)),
        capacity_provider_strategy: shown::strategy(&service.strategy),
        platform_version: platform.map(|_| "LATEST"),
        platform_family: platform.map(|(_, family)| family),
        task_definition: primary
            .or(last)
            .map(|definition| place.arn("ecs", format_args!("task-definition/{definition}")).to_string()),
        deployment_configuration: configuration(service.deployment_bounds, &service.circuit_breaker),
        task_sets: (service.controller == Controller::External).then(|| {
            let set = |set: &TaskSet| task_sets::shape(set, detail, place, with_tags);
            service.task_sets.iter().map(set).collect()
        }),
        current_service_deployment: service_deployments::current(service, place).map(|arn| arn.to_string()),
        current_service_revisions: service_deployments::of_revisions(detail, place)
            .iter()
            .map(|(arn, counts)| shape_of_revision(&arn.to_string(), *counts))
            .collect(),
        deployments: service
            .deployments
            .iter()
            .map(|deployment| self::deployment(detail, deployment, place))
            .collect(),
        events: service
            .events
            .iter()
            .map(|event| ecs::ServiceEvent {
                id: event.id.clone(),
                created_at: shown::time(event.created_at),
                message: event.message.clone(),
            })
            .collect(),
        created_at: shown::time(service.created_at),
        placement_constraints: shown::constraints(&service.placement.constraints),
        placement_strategy: shown::placement_strategies(&service.placement.strategies),
        network_configuration: shown::network(&service.network),
        health_check_grace_period_seconds: service.grace_secs,
        scheduling_strategy: match service.scheduling {
            Scheduling::Replica => "REPLICA",
            Scheduling::Daemon => "DAEMON",
        },
        deployment_controller: ecs::DeploymentController {
            r#type: match service.controller {
                Controller::Ecs => "ECS".to_owned(),
                Controller::External => "EXTERNAL".to_owned(),
            },
        },
        tags: with_tags.then(|| shown::tags(&service.tags)),
        created_by: service.created_by.clone(),
        enable_ecs_managed_tags: service.managed_tags,
        propagate_tags: match service.propagate_tags {
            PropagateTags::None => "NONE",
            PropagateTags::Service => "SERVICE",
            PropagateTags::TaskDefinition => "TASK_DEFINITION",
        },
        enable_execute_command: service.enable_execute_command,
        availability_zone_rebalancing: if service.zone_rebalancing { "ENABLED" } else { "DISABLED" },
        resource_management_type: "CUSTOMER",
    }
}

/// Returns how deployments go.
pub(crate) fn configuration(
    bounds: DeploymentBounds,
    breaker: &CircuitBreaker,
) -> ecs::DeploymentConfiguration {
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let (kind, value) = match breaker.threshold {
        None => ("BOUNDED_PERCENT", 50),
        Some(Threshold::BoundedPercent(percent)) => ("BOUNDED_PERCENT", percent),
        Some(Threshold::UnboundedPercent(percent)) => ("UNBOUNDED_PERCENT", percent),
        Some(Threshold::Count(count)) => ("COUNT", count),
    };
    ecs::DeploymentConfiguration {
        deployment_circuit_breaker: ecs::CircuitBreaker {
            enable: breaker.enable,
            rollback: breaker.rollback,
            reset_on_healthy_task: breaker.reset_on_healthy_task,
            threshold_configuration: ecs::ThresholdConfiguration {
                r#type: kind.to_owned(),
                value: number(value),
            },
        },
        maximum_percent: bounds.live_max_percent,
        minimum_healthy_percent: bounds.healthy_min_percent,
        strategy: "ROLLING",
        bake_time_in_minutes: 0,
    }
}

/// Returns the numbers of a revision's tasks.
pub(crate) fn shape_of_revision(
    arn: &str,
    (requested, running, pending): (usize, usize, usize),
) -> ecs::ServiceRevisionSummary {
    ecs::ServiceRevisionSummary {
        arn: arn.to_owned(),
        requested_task_count: requested,
        running_task_count: running,
        pending_task_count: pending,
    }
}

fn deployment(detail: &ServiceDetail, deployment: &Deployment, place: &Place) -> ecs::Deployment {
    let service: &Service = &detail.service;
    let counts = detail.of(&deployment.id);
    let launch_type = deployment.terms.launch_type.unwrap_or(service.launch_type);
    let strategy = &deployment.terms.strategy;
    let platform = shown::platform(launch_type);
    let id = &deployment.id;
    let (state, words) = match deployment.rollout {
        Rollout::InProgress => ("IN_PROGRESS", format!("ECS deployment {id} in progress.")),
        Rollout::Completed => ("COMPLETED", format!("ECS deployment {id} completed.")),
        Rollout::Failed => ("FAILED", format!("ECS deployment {id} failed.")),
    };
    let (status, desired_count) = match deployment.status {
        DeploymentStatus::Primary => {
            ("PRIMARY", usize::try_from(service.desired_count).unwrap_or(usize::MAX))
        }
        DeploymentStatus::Active => ("ACTIVE", counts.wanted),
    };
    ecs::Deployment {
        id: id.to_string(),
        status,
        task_definition: place
            .arn("ecs", format_args!("task-definition/{}", deployment.definition))
            .to_string(),
        desired_count,
        pending_count: counts.pending,
        running_count: counts.running,
        failed_tasks: deployment.failed_tasks,
        created_at: shown::time(deployment.created_at),
        updated_at: shown::time(deployment.updated_at),
        launch_type: strategy.is_empty().then(|| shown::launch_type(launch_type)),
        capacity_provider_strategy: shown::strategy(strategy),
        platform_version: platform.map(|(version, _)| version),
        platform_family: platform.map(|(_, family)| family),
        network_configuration: shown::network(&deployment.network),
        rollout_state: state,
        rollout_state_reason: deployment.rollout_reason.clone().unwrap_or(words),
    }
}

//! From the model's service to its shape.

use crate::ecs::shown;
use wharf_aws::ecs;
use wharf_control::operations::services::ServiceDetail;
use wharf_model::{
    Place,
    service::{
        Deployment, DeploymentStatus, PropagateTags, Rollout, Service, ServiceLoadBalancer, ServiceStatus,
    },
};

/// Returns a service's shape.
pub(super) fn service(detail: &ServiceDetail, place: &Place, with_tags: bool) -> ecs::Service {
    let service = &detail.service;
    let total = detail.total();
    let platform = shown::platform(service.launch_type);
    let primary = service.deployments.first().map(|primary| &primary.definition);
    let last = service.last_completed.as_ref().map(|last| &last.definition);
    let bounds = service.deployment_bounds;
    ecs::Service {
        service_arn: service.arn.to_string(),
        service_name: service.name.to_string(),
        cluster_arn: place.arn("ecs", format_args!("cluster/{}", service.cluster)).to_string(),
        load_balancers: service.load_balancers.iter().map(load_balancer).collect(),
        service_registries: Vec::new(),
        status: match service.status {
            ServiceStatus::Active => "ACTIVE",
            ServiceStatus::Draining => "DRAINING",
            ServiceStatus::Inactive => "INACTIVE",
        },
        desired_count: service.desired_count,
        running_count: total.running,
        pending_count: total.pending,
        launch_type: shown::launch_type(service.launch_type),
        platform_version: platform.map(|_| "LATEST"),
        platform_family: platform.map(|(_, family)| family),
        task_definition: primary
            .or(last)
            .map(|definition| place.arn("ecs", format_args!("task-definition/{definition}")).to_string())
            .unwrap_or_default(),
        deployment_configuration: ecs::DeploymentConfiguration {
            deployment_circuit_breaker: ecs::CircuitBreaker {
                enable: service.circuit_breaker.enable,
                rollback: service.circuit_breaker.rollback,
            },
            maximum_percent: bounds.live_max_percent,
            minimum_healthy_percent: bounds.healthy_min_percent,
            strategy: "ROLLING",
            bake_time_in_minutes: 0,
        },
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
        placement_constraints: Vec::new(),
        placement_strategy: Vec::new(),
        network_configuration: shown::network(&service.network),
        health_check_grace_period_seconds: service.grace_secs,
        scheduling_strategy: "REPLICA",
        deployment_controller: ecs::DeploymentController { r#type: "ECS".to_owned() },
        tags: with_tags.then(|| shown::tags(&service.tags)),
        created_by: service.created_by.clone(),
        enable_ecs_managed_tags: service.managed_tags,
        propagate_tags: match service.propagate_tags {
            PropagateTags::None => "NONE",
            PropagateTags::Service => "SERVICE",
            PropagateTags::TaskDefinition => "TASK_DEFINITION",
        },
        enable_execute_command: false,
        availability_zone_rebalancing: "DISABLED",
    }
}

fn load_balancer(load_balancer: &ServiceLoadBalancer) -> ecs::LoadBalancer {
    ecs::LoadBalancer {
        target_group_arn: Some(load_balancer.target_group.to_string()),
        container_name: Some(load_balancer.container_name.clone()),
        container_port: Some(load_balancer.container_port.into()),
        ..ecs::LoadBalancer::default()
    }
}

fn deployment(detail: &ServiceDetail, deployment: &Deployment, place: &Place) -> ecs::Deployment {
    let service: &Service = &detail.service;
    let counts = detail.of(&deployment.id);
    let platform = shown::platform(service.launch_type);
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
        launch_type: shown::launch_type(service.launch_type),
        platform_version: platform.map(|(version, _)| version),
        platform_family: platform.map(|(_, family)| family),
        network_configuration: shown::network(&deployment.network),
        rollout_state: state,
        rollout_state_reason: deployment.rollout_reason.clone().unwrap_or(words),
    }
}

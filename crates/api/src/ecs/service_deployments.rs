//! The operations on service deployments and service revisions.

use super::{given, services::shape as services_shape, shown};
use crate::Fault;
use std::sync::Arc;
use wharf_aws::ecs::{
    self, ContainerImage, DescribeServiceDeploymentsInput, DescribeServiceDeploymentsOutput,
    DescribeServiceRevisionsInput, DescribeServiceRevisionsOutput, ListServiceDeploymentsInput,
    ListServiceDeploymentsOutput, Rollback, ServiceDeploymentAlarms, ServiceDeploymentBrief,
    ServiceDeploymentCircuitBreaker, ServiceDeploymentInput, ServiceDeploymentOutput,
};
use wharf_control::{
    Control,
    operations::{
        Error, references,
        service_deployments::{self, DeploymentDetail, Filter, StopType},
        task_definitions,
    },
};
use wharf_model::{
    Arn, Place, Timestamp,
    service::{DeploymentState, ServiceDeployment, ServiceRevision},
};

pub(super) fn list(
    control: &Control,
    input: &ListServiceDeploymentsInput,
) -> Result<ListServiceDeploymentsOutput, Fault> {
    let place = &control.config().place;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    let time = |given: Option<wharf_aws::Timestamp>| given.map(|given| Timestamp(given.as_millis()));
    let span = input.created_at.clone().unwrap_or_default();
    let mut states = Vec::new();
    for given in &input.status {
        states.extend(state(given)?);
    }
    let filter = Filter { states, after: time(span.after), before: time(span.before) };
    let mut found = service_deployments::list(control, &cluster, &input.service, &filter)?;
    // Those that are asked for by a state that passes at once are none.
    if !input.status.is_empty() && filter.states.is_empty() {
        found.clear();
    }
    // Pages go by ascending keys, and the newest comes first: so times are counted downwards.
    let key = |story: &Arc<ServiceDeployment>| format!("{:020} {}", i64::MAX - story.created_at.0, story.id);
    let page = given::page(found, key, input.next_token.as_deref(), input.max_results, 20)?;
    Ok(ListServiceDeploymentsOutput {
        service_deployments: page.items.iter().map(|story| brief(story, place)).collect(),
        next_token: page.next,
    })
}

pub(super) fn describe(
    control: &Control,
    input: &DescribeServiceDeploymentsInput,
) -> Result<DescribeServiceDeploymentsOutput, Error> {
    let place = &control.config().place;
    let described = service_deployments::describe(control, &input.service_deployment_arns)?;
    Ok(DescribeServiceDeploymentsOutput {
        service_deployments: described.found.iter().map(|detail| shape(detail, place)).collect(),
        failures: shown::failures(described.failures),
    })
}

pub(super) fn describe_revisions(
    control: &Control,
    input: &DescribeServiceRevisionsInput,
) -> Result<DescribeServiceRevisionsOutput, Error> {
    let described = service_deployments::describe_revisions(control, &input.service_revision_arns)?;
    Ok(DescribeServiceRevisionsOutput {
        service_revisions: described.found.iter().map(|revision| self::revision(control, revision)).collect(),
        failures: shown::failures(described.failures),
    })
}

pub(super) async fn stop(
    control: &Control,
    input: ServiceDeploymentInput,
) -> Result<ServiceDeploymentOutput, Error> {
    let how = match input.stop_type.as_deref() {
        None | Some("ROLLBACK") => StopType::Rollback,
        Some("ABORT") => StopType::Abort,
        Some(other) => return Err(Error::invalid(format!("Invalid stopType '{other}'."))),
    };
    let arn = service_deployments::stop_by_request(control, &input.service_deployment_arn, how).await?;
    Ok(ServiceDeploymentOutput { service_deployment_arn: arn.to_string() })
}

pub(super) fn go_on(
    control: &Control,
    input: &ServiceDeploymentInput,
) -> Result<ServiceDeploymentOutput, Error> {
    if !matches!(input.action.as_deref(), None | Some("CONTINUE" | "ROLLBACK")) {
        return Err(Error::invalid("action must be CONTINUE or ROLLBACK."));
    }
    let given = &input.service_deployment_arn;
    let arn = service_deployments::continue_by_request(control, given, &input.hook_id)?;
    Ok(ServiceDeploymentOutput { service_deployment_arn: arn.to_string() })
}

/// Returns the state of a name. What AWS has between a request and its begin passes here at once.
fn state(given: &str) -> Result<Option<DeploymentState>, Error> {
    let known = [
        DeploymentState::InProgress,
        DeploymentState::Successful,
        DeploymentState::Stopped,
        DeploymentState::RollbackInProgress,
        DeploymentState::RollbackSuccessful,
        DeploymentState::RollbackFailed,
    ];
    match known.into_iter().find(|state| state.as_str() == given) {
        Some(state) => Ok(Some(state)),
        None if matches!(given, "PENDING" | "STOP_REQUESTED" | "ROLLBACK_REQUESTED") => Ok(None),
        None => Err(Error::invalid(format!("Invalid status '{given}'."))),
    }
}

fn brief(story: &ServiceDeployment, place: &Place) -> ServiceDeploymentBrief {
    ServiceDeploymentBrief {
        service_deployment_arn: story.arn.to_string(),
        service_arn: service_arn(story, place).to_string(),
        cluster_arn: place.arn("ecs", format_args!("cluster/{}", story.cluster)).to_string(),
        started_at: shown::time(story.created_at),
        created_at: shown::time(story.created_at),
        finished_at: story.finished_at.map(shown::time),
        target_service_revision_arn: story.target.to_string(),
        status: story.state.as_str(),
        status_reason: story.reason.clone(),
    }
}

fn shape(detail: &DeploymentDetail, place: &Place) -> ecs::ServiceDeployment {
    let DeploymentDetail { story, counts, .. } = detail;
    let revision = |arn: &Arn| {
        services_shape::shape_of_revision(&arn.to_string(), counts.get(arn).copied().unwrap_or_default())
    };
    ecs::ServiceDeployment {
        service_deployment_arn: story.arn.to_string(),
        service_arn: service_arn(story, place).to_string(),
        cluster_arn: place.arn("ecs", format_args!("cluster/{}", story.cluster)).to_string(),
        created_at: shown::time(story.created_at),
        started_at: shown::time(story.created_at),
        finished_at: story.finished_at.map(shown::time),
        stopped_at: story.stopped_at.map(shown::time),
        updated_at: shown::time(story.updated_at),
        source_service_revisions: story.sources.iter().map(revision).collect(),
        target_service_revision: revision(&story.target),
        status: story.state.as_str(),
        status_reason: story.reason.clone(),
        deployment_configuration: services_shape::configuration(story.bounds, &story.circuit_breaker),
        rollback: story.rollback.as_ref().map(|back| Rollback {
            reason: back.reason.clone(),
            started_at: shown::time(back.started_at),
            service_revision_arn: back.revision.to_string(),
        }),
        deployment_circuit_breaker: ServiceDeploymentCircuitBreaker {
            status: match (story.circuit_breaker.enable, story.broken, story.state.is_open()) {
                (false, ..) => "DISABLED",
                (true, true, _) => "TRIGGERED",
                (true, false, true) => "MONITORING",
                (true, false, false) => "MONITORING_COMPLETE",
            },
            failure_count: detail.failures,
            threshold: story.failures.1,
        },
        alarms: ServiceDeploymentAlarms {
            status: "DISABLED",
            alarm_names: Vec::new(),
            triggered_alarm_names: Vec::new(),
        },
    }
}

fn revision(control: &Control, revision: &ServiceRevision) -> ecs::ServiceRevision {
    let place = &control.config().place;
    let (cluster, service) = (&revision.cluster, &revision.service);
    let platform = shown::platform(revision.launch_type);
    let terms = &revision.terms;
    let definition = place.arn("ecs", format_args!("task-definition/{}", revision.definition)).to_string();
    let containers = task_definitions::describe(control, &definition)
        .map(|definition| definition.containers.clone())
        .unwrap_or_default();
    ecs::ServiceRevision {
        service_revision_arn: revision.arn.to_string(),
        service_arn: place.arn("ecs", format_args!("service/{cluster}/{service}")).to_string(),
        cluster_arn: place.arn("ecs", format_args!("cluster/{cluster}")).to_string(),
        task_definition: definition,
        capacity_provider_strategy: shown::strategy(&terms.strategy),
        launch_type: terms.strategy.is_empty().then(|| shown::launch_type(revision.launch_type)),
        platform_version: platform.map(|(version, _)| version),
        platform_family: platform.map(|(_, family)| family),
        load_balancers: terms.load_balancers.iter().flatten().map(shown::load_balancer).collect(),
        service_registries: Vec::new(),
        network_configuration: shown::network(&revision.network),
        container_images: containers
            .iter()
            .map(|container| ContainerImage {
                container_name: container.name.clone(),
                image: container.image.clone(),
                image_digest: revision.images.get(&container.name).cloned(),
            })
            .collect(),
        guard_duty_enabled: false,
        created_at: shown::time(revision.created_at),
    }
}

fn service_arn(story: &ServiceDeployment, place: &Place) -> Arn {
    place.arn("ecs", format_args!("service/{}/{}", story.cluster, story.service))
}

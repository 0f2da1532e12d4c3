//! The task set operations.

use super::{given, services, shown};
use wharf_aws::ecs::{
    self, CreateTaskSetInput, DescribeTaskSetsInput, DescribeTaskSetsOutput, Scale, TaskSetInput,
    TaskSetOutput,
};
use wharf_control::{
    Control,
    operations::{
        Error, references,
        services::ServiceDetail,
        task_sets::{self, CreateTaskSet, TaskSetDetail},
    },
};
use wharf_model::{Place, service::TaskSet};

pub(super) async fn create(control: &Control, input: CreateTaskSetInput) -> Result<TaskSetOutput, Error> {
    given::refuse(&input.others, "", &[("serviceRegistries", "")])?;
    let place = &control.config().place;
    let capacity = given::capacity(input.launch_type.as_deref(), &input.capacity_provider_strategy)?;
    given::platform_version(input.platform_version.as_deref(), &capacity)?;
    if input.client_token.as_ref().is_some_and(|token| token.len() > 36) {
        return Err(Error::invalid("clientToken can have at most 36 characters."));
    }
    let request = CreateTaskSet {
        cluster: references::cluster(input.cluster.as_deref(), place)?,
        service: input.service,
        external_id: input.external_id.filter(|id| !id.is_empty()),
        definition: input.task_definition,
        network: given::network(input.network_configuration.as_ref())?,
        load_balancers: services::load_balancers(&input.load_balancers)?,
        capacity,
        scale: input.scale.as_ref().map(scale).transpose()?.unwrap_or(0),
        client_token: input.client_token,
        tags: given::tags(input.tags)?,
    };
    output(task_sets::create(control, request).await?, place)
}

pub(super) async fn update(control: &Control, input: TaskSetInput) -> Result<TaskSetOutput, Error> {
    let place = &control.config().place;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    let given = input.scale.as_ref().ok_or_else(|| Error::invalid("scale must be specified."))?;
    let scaled = task_sets::scale(control, &cluster, &input.service, &input.task_set, scale(given)?).await?;
    output(scaled, place)
}

pub(super) async fn make_primary(control: &Control, input: TaskSetInput) -> Result<TaskSetOutput, Error> {
    let place = &control.config().place;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    let given = &input.primary_task_set;
    output(task_sets::make_primary(control, &cluster, &input.service, given).await?, place)
}

pub(super) async fn delete(control: &Control, input: TaskSetInput) -> Result<TaskSetOutput, Error> {
    let place = &control.config().place;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    let deleted = task_sets::delete(control, &cluster, &input.service, &input.task_set, input.force).await?;
    output(deleted, place)
}

pub(super) fn describe(
    control: &Control,
    input: &DescribeTaskSetsInput,
) -> Result<DescribeTaskSetsOutput, Error> {
    let place = &control.config().place;
    let with_tags = given::includes_tags(&input.include, &[])?;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    let described = task_sets::describe(control, &cluster, &input.service, &input.task_sets)?;
    let set = |detail: &TaskSetDetail| shape(&detail.set, &detail.service, place, with_tags);
    Ok(DescribeTaskSetsOutput {
        task_sets: described.found.iter().map(set).collect(),
        failures: shown::failures(described.failures),
    })
}

fn output(detail: TaskSetDetail, place: &Place) -> Result<TaskSetOutput, Error> {
    Ok(TaskSetOutput { task_set: shape(&detail.set, &detail.service, place, true) })
}

/// Returns a share in hundredths of a percent.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn scale(given: &Scale) -> Result<u32, Error> {
    if given.unit.as_deref().is_some_and(|unit| unit != "PERCENT") {
        return Err(Error::invalid("unit of scale must be PERCENT."));
    }
    if !(0.0..=100.0).contains(&given.value) {
        return Err(Error::invalid("value of scale must be between 0 and 100."));
    }
    Ok((given.value * 100.0).round() as u32)
}

/// Returns a task set's shape.
pub(super) fn shape(set: &TaskSet, detail: &ServiceDetail, place: &Place, with_tags: bool) -> ecs::TaskSet {
    let service = &detail.service;
    let deployment = &set.deployment;
    let launch_type = deployment.terms.launch_type.unwrap_or(service.launch_type);
    let platform = shown::platform(launch_type);
    let counts = detail.of(&deployment.id);
    let load_balancers = deployment.terms.load_balancers.as_deref().unwrap_or_default();
    ecs::TaskSet {
        id: deployment.id.to_string(),
        task_set_arn: set.arn.to_string(),
        service_arn: service.arn.to_string(),
        cluster_arn: place.arn("ecs", format_args!("cluster/{}", service.cluster)).to_string(),
        started_by: set.external_id.clone().unwrap_or_default(),
        external_id: set.external_id.clone(),
        status: match (set.draining, set.primary) {
            (true, _) => "DRAINING",
            (false, true) => "PRIMARY",
            (false, false) => "ACTIVE",
        },
        task_definition: place
            .arn("ecs", format_args!("task-definition/{}", deployment.definition))
            .to_string(),
        computed_desired_count: set.count(service.desired_count),
        pending_count: counts.pending,
        running_count: counts.running,
        created_at: shown::time(deployment.created_at),
        updated_at: shown::time(deployment.updated_at),
        launch_type: deployment.terms.strategy.is_empty().then(|| shown::launch_type(launch_type)),
        capacity_provider_strategy: shown::strategy(&deployment.terms.strategy),
        platform_version: platform.map(|(version, _)| version),
        platform_family: platform.map(|(_, family)| family),
        network_configuration: shown::network(&deployment.network),
        load_balancers: load_balancers.iter().map(shown::load_balancer).collect(),
        service_registries: Vec::new(),
        scale: Scale { value: f64::from(set.scale) / 100.0, unit: Some("PERCENT".to_owned()) },
        stability_status: if set.stable.0 { "STEADY_STATE" } else { "STABILIZING" },
        stability_status_at: shown::time(set.stable.1),
        tags: with_tags.then(|| shown::tags(&set.tags)),
    }
}

//! RunTask.

use super::task_definitions::{environment_file, ephemeral_storage};
use super::{given, shown, tasks};
use wharf_aws::ecs::{ContainerOverrideInput, RunTaskInput, StartTaskInput, TaskOverrideInput, TasksOutput};
use wharf_control::{
    Control,
    operations::{
        Error,
        capacity_providers::Capacity,
        references,
        run_task::{self, RunTask},
        start_task,
    },
};
use wharf_model::{
    CpuUnits, Mebibytes,
    placement::Placement,
    service::PropagateTags,
    task::{ContainerOverride, TaskOverride},
    task_definition::LaunchType,
};

/// What RunTask may be asked for and does not do, with the values that ask for nothing.
const NOT_HONOURED: [(&str, &str); 1] = [("volumeConfigurations", "")];

/// The longest overrides of containers, in bytes.
const OVERRIDES_MAX: usize = 8192;

pub(super) async fn run_task(control: &Control, input: RunTaskInput) -> Result<TasksOutput, Error> {
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    let capacity = given::capacity(input.launch_type.as_deref(), &input.capacity_provider_strategy)?;
    given::platform_version(input.platform_version.as_deref(), &capacity)?;
    given::reference_id(input.reference_id.as_deref())?;
    let propagate = given::propagate_tags(input.propagate_tags.as_deref())?;
    if propagate == PropagateTags::Service {
        return Err(Error::invalid("propagateTags SERVICE is not valid for tasks without a service."));
    }
    if let Some(token) = &input.client_token
        && (token.is_empty() || token.len() > 64 || !token.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        return Err(Error::invalid("clientToken must have 1 to 64 printable ASCII characters."));
    }
    let request = RunTask {
        cluster: references::cluster(input.cluster.as_deref(), &control.config().place)?,
        definition: input.task_definition,
        count: given::count(input.count.unwrap_or(1), "count")?,
        capacity,
        placement: Placement {
            constraints: given::constraints(&input.placement_constraints)?,
            strategies: given::placement_strategies(&input.placement_strategy)?,
        },
        network: given::network(input.network_configuration.as_ref())?,
        overrides: input.overrides.map(overrides).transpose()?.unwrap_or_default(),
        group: input.group.filter(|group| !group.is_empty()),
        started_by: input.started_by.filter(|by| !by.is_empty()),
        client_token: input.client_token,
        tags: given::tags(input.tags)?,
        propagate_from_definition: propagate == PropagateTags::TaskDefinition,
        managed_tags: input.enable_ecs_managed_tags,
        enable_execute_command: input.enable_execute_command,
    };
    let described = run_task::run_task(control, request).await?;
    let place = &control.config().place;
    Ok(TasksOutput {
        tasks: described.found.iter().map(|detail| tasks::shape(detail, place, true)).collect(),
        failures: shown::failures(described.failures),
    })
}

/// StartTask is RunTask with the instances chosen.
pub(super) async fn start_task(control: &Control, input: StartTaskInput) -> Result<TasksOutput, Error> {
    given::refuse(&input.others, "", &NOT_HONOURED)?;
    given::reference_id(input.reference_id.as_deref())?;
    let propagate = given::propagate_tags(input.propagate_tags.as_deref())?;
    if propagate == PropagateTags::Service {
        return Err(Error::invalid("propagateTags SERVICE is not valid for tasks without a service."));
    }
    let request = RunTask {
        cluster: references::cluster(input.cluster.as_deref(), &control.config().place)?,
        definition: input.task_definition,
        count: 1,
        capacity: Capacity::Launch(LaunchType::Ec2),
        placement: Placement::default(),
        network: given::network(input.network_configuration.as_ref())?,
        overrides: input.overrides.map(overrides).transpose()?.unwrap_or_default(),
        group: input.group.filter(|group| !group.is_empty()),
        started_by: input.started_by.filter(|by| !by.is_empty()),
        client_token: None,
        tags: given::tags(input.tags)?,
        propagate_from_definition: propagate == PropagateTags::TaskDefinition,
        managed_tags: input.enable_ecs_managed_tags,
        enable_execute_command: input.enable_execute_command,
    };
    let described = start_task::start_task(control, request, &input.container_instances).await?;
    let place = &control.config().place;
    Ok(TasksOutput {
        tasks: described.found.iter().map(|detail| tasks::shape(detail, place, true)).collect(),
        failures: shown::failures(described.failures),
    })
}

fn overrides(given: TaskOverrideInput) -> Result<TaskOverride, Error> {
    let written = serde_json::to_vec(&given.container_overrides).map_or(0, |bytes| bytes.len());
    if written > OVERRIDES_MAX {
        return Err(Error::invalid(format!("Container Overrides length must be at most {OVERRIDES_MAX}")));
    }
    given::refuse(&given.others, " of overrides", &[("inferenceAcceleratorOverrides", "")])?;
    Ok(TaskOverride {
        cpu: given.cpu.as_deref().filter(|cpu| !cpu.is_empty()).map(given::cpu).transpose()?,
        memory: given.memory.as_deref().filter(|memory| !memory.is_empty()).map(given::memory).transpose()?,
        task_role_arn: given.task_role_arn.filter(|role| !role.is_empty()),
        execution_role_arn: given.execution_role_arn.filter(|role| !role.is_empty()),
        ephemeral_storage_gib: given.ephemeral_storage.map(ephemeral_storage).transpose()?,
        containers: given.container_overrides.into_iter().map(container).collect::<Result<_, _>>()?,
    })
}

fn container(given: ContainerOverrideInput) -> Result<ContainerOverride, Error> {
    let of = format!(" of the override of container '{}'", given.name);
    given::refuse(&given.others, &of, &[("resourceRequirements", "")])?;
    let number = |value: Option<i32>, member: &str| {
        value.map(|value| given::count(value, &format!("'{member}'{of}"))).transpose()
    };
    Ok(ContainerOverride {
        command: given.command.filter(|words| !words.is_empty()),
        environment: given.environment.into_iter().map(|pair| (pair.name, pair.value)).collect(),
        environment_files: (!given.environment_files.is_empty())
            .then(|| given.environment_files.into_iter().map(|file| environment_file(file, &of)).collect())
            .transpose()?,
        cpu: number(given.cpu, "cpu")?.map(CpuUnits),
        memory: number(given.memory, "memory")?.map(Mebibytes),
        memory_reservation: number(given.memory_reservation, "memoryReservation")?.map(Mebibytes),
        name: given.name,
    })
}

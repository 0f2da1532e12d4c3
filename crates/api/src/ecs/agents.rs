//! What agents that are not ours ask and say.

use super::given;
use wharf_aws::ecs::{
    Acknowledgment, ContainerStateChange, DiscoverPollEndpointInput, DiscoverPollEndpointOutput,
    NetworkBindingInput, SubmitAttachmentStateChangesInput, SubmitContainerStateChangeInput,
    SubmitTaskStateChangeInput,
};
use wharf_control::{
    Control,
    operations::{
        Error,
        agent_reports::{self, ContainerChange, TaskChange},
        references,
    },
};
use wharf_model::{
    Timestamp,
    task::{ContainerStatus, NetworkBinding, TaskStatus},
    task_definition::Transport,
};

/// Agents find everything at the one endpoint there is.
pub(super) fn endpoint(
    control: &Control,
    input: &DiscoverPollEndpointInput,
) -> Result<DiscoverPollEndpointOutput, Error> {
    let place = &control.config().place;
    let cluster = references::cluster(input.cluster.as_deref(), place)?;
    if let Some(given) = input.container_instance.as_deref().filter(|given| !given.is_empty()) {
        references::instance(given, &cluster, place)
            .ok_or_else(|| Error::invalid(format!("Invalid containerInstance '{given}'.")))?;
    }
    let endpoint = format!("http://{}", control.config().endpoint);
    Ok(DiscoverPollEndpointOutput { telemetry_endpoint: endpoint.clone(), endpoint })
}

pub(super) async fn submit_task(
    control: &Control,
    input: SubmitTaskStateChangeInput,
) -> Result<Acknowledgment, Error> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    if !input.managed_agents.is_empty() {
        return Err(given::unsupported("managedAgents", ""));
    }
    for attachment in &input.attachments {
        agent_reports::attachment(control, &cluster, &attachment.attachment_arn)?;
    }
    let time = |given: Option<wharf_aws::Timestamp>| given.map(|given| Timestamp(given.as_millis()));
    let change = TaskChange {
        status: input.status.as_deref().map(task_status).transpose()?,
        reason: input.reason.filter(|reason| !reason.is_empty()),
        containers: input.containers.into_iter().map(container).collect::<Result<_, _>>()?,
        pull_started_at: time(input.pull_started_at),
        pull_stopped_at: time(input.pull_stopped_at),
        execution_stopped_at: time(input.execution_stopped_at),
    };
    agent_reports::submit(control, &cluster, &input.task.unwrap_or_default(), change).await?;
    Ok(heard())
}

pub(super) async fn submit_container(
    control: &Control,
    input: SubmitContainerStateChangeInput,
) -> Result<Acknowledgment, Error> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    let change = container(ContainerStateChange {
        container_name: input.container_name,
        image_digest: None,
        runtime_id: input.runtime_id,
        exit_code: input.exit_code,
        network_bindings: input.network_bindings,
        reason: input.reason,
        status: input.status,
    })?;
    let change = TaskChange { containers: vec![change], ..TaskChange::default() };
    agent_reports::submit(control, &cluster, &input.task.unwrap_or_default(), change).await?;
    Ok(heard())
}

pub(super) fn submit_attachments(
    control: &Control,
    input: &SubmitAttachmentStateChangesInput,
) -> Result<Acknowledgment, Error> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    for attachment in &input.attachments {
        agent_reports::attachment(control, &cluster, &attachment.attachment_arn)?;
    }
    Ok(heard())
}

fn heard() -> Acknowledgment {
    Acknowledgment { acknowledgment: "ok".to_owned() }
}

fn container(given: ContainerStateChange) -> Result<ContainerChange, Error> {
    let name = given.container_name.unwrap_or_default();
    let status = match given.status.as_deref() {
        None => None,
        Some("PENDING") => Some(ContainerStatus::Pending),
        Some("RUNNING") => Some(ContainerStatus::Running),
        Some("STOPPED") => Some(ContainerStatus::Stopped),
        Some(other) => return Err(Error::invalid(format!("Invalid status '{other}' of a container."))),
    };
    Ok(ContainerChange {
        name,
        status,
        image_digest: given.image_digest,
        runtime_id: given.runtime_id,
        exit_code: given.exit_code,
        reason: given.reason,
        network_bindings: given.network_bindings.iter().map(binding).collect::<Result<_, _>>()?,
    })
}

fn binding(given: &NetworkBindingInput) -> Result<NetworkBinding, Error> {
    Ok(NetworkBinding {
        container_port: given::port(given.container_port, "containerPort of networkBindings")?,
        host_port: given::port(given.host_port, "hostPort of networkBindings")?,
        protocol: match given.protocol.as_deref() {
            None | Some("tcp") => Transport::Tcp,
            Some("udp") => Transport::Udp,
            Some(other) => {
                return Err(Error::invalid(format!("Invalid protocol '{other}' of networkBindings.")));
            }
        },
    })
}

fn task_status(given: &str) -> Result<TaskStatus, Error> {
    let known = [
        TaskStatus::Provisioning,
        TaskStatus::Pending,
        TaskStatus::Activating,
        TaskStatus::Running,
        TaskStatus::Deactivating,
        TaskStatus::Stopping,
        TaskStatus::Deprovisioning,
        TaskStatus::Stopped,
    ];
    let found = known.into_iter().find(|status| status.as_str() == given);
    found.ok_or_else(|| Error::invalid(format!("Invalid status '{given}' of a task.")))
}

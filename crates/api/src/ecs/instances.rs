//! The container instance operations.

use super::{given, shown};
use crate::Fault;
use std::collections::BTreeSet;
use wharf_aws::ecs::{
    self, Attribute, ContainerInstanceHealth, ContainerInstanceOutput, ContainerInstancesOutput,
    DeregisterContainerInstanceInput, DescribeContainerInstancesInput, ListContainerInstancesInput,
    ListContainerInstancesOutput, RegisterContainerInstanceInput, Resource,
    UpdateContainerInstancesStateInput, VersionInfo,
};
use wharf_control::{
    Control,
    operations::{
        Error,
        instances::{self, InstanceDetail, Registration},
        references,
    },
};
use wharf_model::{
    CpuUnits, Mebibytes,
    instance::{self, External, InstanceStatus},
    task_definition::Transport,
};

/// The most instances of one request.
const DESCRIBED_MAX: usize = 100;
const CHANGED_MAX: usize = 10;

pub(super) async fn register(
    control: &Control,
    input: RegisterContainerInstanceInput,
) -> Result<ContainerInstanceOutput, Error> {
    given::refuse(&input.others, "", &[("platformDevices", "")])?;
    let attribute = |given: Attribute| instance::Attribute { name: given.name, value: given.value };
    let registration = Registration {
        cluster: references::cluster(input.cluster.as_deref(), &control.config().place)?,
        known: input.container_instance_arn.clone().filter(|arn| !arn.is_empty()),
        machine: machine(&input)?,
        attributes: input.attributes.into_iter().map(attribute).collect(),
        tags: given::tags(input.tags)?,
    };
    let registered = instances::register(control, registration).await?;
    Ok(ContainerInstanceOutput { container_instance: shape(&registered, true, false) })
}

pub(super) async fn deregister(
    control: &Control,
    input: DeregisterContainerInstanceInput,
) -> Result<ContainerInstanceOutput, Error> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    let gone = instances::deregister(control, &cluster, &input.container_instance, input.force).await?;
    Ok(ContainerInstanceOutput { container_instance: shape(&gone, true, false) })
}

pub(super) fn describe(
    control: &Control,
    input: &DescribeContainerInstancesInput,
) -> Result<ContainerInstancesOutput, Error> {
    let with_tags = given::includes_tags(&input.include, &["CONTAINER_INSTANCE_HEALTH"])?;
    let with_health = input.include.iter().any(|include| include == "CONTAINER_INSTANCE_HEALTH");
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    check_number(&input.container_instances, DESCRIBED_MAX)?;
    let described = instances::describe(control, &cluster, &input.container_instances)?;
    Ok(ContainerInstancesOutput {
        container_instances: described
            .found
            .iter()
            .map(|detail| shape(detail, with_tags, with_health))
            .collect(),
        failures: shown::failures(described.failures),
    })
}

pub(super) fn list(
    control: &Control,
    input: &ListContainerInstancesInput,
) -> Result<ListContainerInstancesOutput, Fault> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    let filter = input.filter.as_deref().filter(|given| !given.is_empty());
    let status = match input.status.as_deref() {
        None | Some("") => None,
        Some("ACTIVE") => Some(InstanceStatus::Active),
        Some("DRAINING") => Some(InstanceStatus::Draining),
        // Instances are registered and deregistered at once here, and a registration that fails leaves none.
        Some("REGISTERING" | "DEREGISTERING" | "REGISTRATION_FAILED") => Some(InstanceStatus::Inactive),
        Some(other) => return Err(Error::invalid(format!("Invalid status '{other}'.")).into()),
    };
    let found = instances::list(control, &cluster, status, filter)?;
    let key = |detail: &InstanceDetail| detail.instance.record.id.to_string();
    let page = given::page(found, key, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(ListContainerInstancesOutput {
        container_instance_arns: page.items.iter().map(|detail| detail.arn.to_string()).collect(),
        next_token: page.next,
    })
}

pub(super) async fn set_status(
    control: &Control,
    input: UpdateContainerInstancesStateInput,
) -> Result<ContainerInstancesOutput, Error> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    check_number(&input.container_instances, CHANGED_MAX)?;
    let status = match input.status.as_str() {
        "ACTIVE" => InstanceStatus::Active,
        "DRAINING" => InstanceStatus::Draining,
        _ => return Err(Error::invalid("Container instance status must be one of [ACTIVE, DRAINING]")),
    };
    let changed = instances::set_status(control, &cluster, &input.container_instances, status).await?;
    Ok(ContainerInstancesOutput {
        container_instances: changed.found.iter().map(|detail| shape(detail, true, false)).collect(),
        failures: shown::failures(changed.failures),
    })
}

fn check_number(given: &[String], most: usize) -> Result<(), Error> {
    if given.is_empty() {
        return Err(Error::invalid("Container Instances cannot be empty."));
    }
    if given.len() > most {
        return Err(Error::invalid(format!("containerInstances can have at most {most} items.")));
    }
    Ok(())
}

/// Returns the machine that an agent describes, if it does.
fn machine(input: &RegisterContainerInstanceInput) -> Result<Option<External>, Error> {
    let find = |name: &str| input.total_resources.iter().find(|resource| resource.name == name);
    let (Some(cpu), Some(memory)) = (find("CPU"), find("MEMORY")) else { return Ok(None) };
    let amount = |resource: &Resource| {
        u32::try_from(resource.integer_value).ok().filter(|amount| *amount > 0).ok_or_else(|| {
            Error::invalid(format!("integerValue of the resource {} must be positive.", resource.name))
        })
    };
    let mut reserved_ports = Vec::new();
    for (name, transport) in [("PORTS", Transport::Tcp), ("PORTS_UDP", Transport::Udp)] {
        for port in find(name).iter().flat_map(|resource| resource.string_set_value.iter().flatten()) {
            let port = port.parse().map_err(|_| Error::invalid(format!("Invalid port '{port}'.")))?;
            reserved_ports.push((port, transport));
        }
    }
    let known = ["CPU", "MEMORY", "PORTS", "PORTS_UDP"];
    if let Some(other) = input.total_resources.iter().find(|given| !known.contains(&given.name.as_str())) {
        return Err(given::unsupported(&other.name, " of totalResources"));
    }
    let versions = input.version_info.clone().unwrap_or_default();
    Ok(Some(External {
        cpu: CpuUnits(amount(cpu)?),
        memory: Mebibytes(amount(memory)?),
        reserved_ports,
        agent_version: versions.agent_version.unwrap_or_default(),
        agent_hash: versions.agent_hash.unwrap_or_default(),
        runtime_version: versions.docker_version.unwrap_or_default(),
        instance_id: instance_id(input.instance_identity_document.as_deref())?,
    }))
}

/// Returns the instance's id in an identity document. Its signature says nothing here: the request itself is signed.
fn instance_id(document: Option<&str>) -> Result<Option<String>, Error> {
    let Some(document) = document.filter(|document| !document.is_empty()) else { return Ok(None) };
    let invalid = || Error::client("The instance identity document is invalid.");
    let document: serde_json::Value = serde_json::from_str(document).map_err(|_| invalid())?;
    document["instanceId"].as_str().map(|id| Some(id.to_owned())).ok_or_else(invalid)
}

fn shape(detail: &InstanceDetail, with_tags: bool, with_health: bool) -> ecs::ContainerInstance {
    let InstanceDetail { instance, taken_cpu, taken_memory, .. } = detail;
    let (record, external) = (&instance.record, instance.record.external.as_ref());
    let text = |given: Option<&String>| given.filter(|text| !text.is_empty()).cloned();
    let (cpu, memory) = (i64::from(instance.cpu().0), i64::from(instance.memory().0));
    let left = |whole: i64, taken: u64| (whole - i64::try_from(taken).unwrap_or(i64::MAX)).max(0);
    let agent_connected = instance.is_connected();
    ecs::ContainerInstance {
        container_instance_arn: detail.arn.to_string(),
        ec2_instance_id: external.and_then(|external| external.instance_id.clone()),
        capacity_provider_name: None,
        version: record.version,
        version_info: VersionInfo {
            agent_version: text(Some(&instance.agent_version().to_owned())),
            agent_hash: text(external.map(|external| &external.agent_hash)),
            docker_version: text(external.map(|external| &external.runtime_version)),
        },
        remaining_resources: resources(left(cpu, *taken_cpu), left(memory, *taken_memory), &detail.ports),
        registered_resources: resources(cpu, memory, &instance.reserved_ports()),
        status: record.status.as_str(),
        agent_connected,
        running_tasks_count: detail.running,
        pending_tasks_count: detail.pending,
        attributes: detail
            .attributes
            .iter()
            .map(|(name, value)| Attribute {
                name: name.clone(),
                value: value.clone(),
                ..Attribute::default()
            })
            .collect(),
        registered_at: shown::time(record.registered_at),
        attachments: Vec::new(),
        tags: if with_tags { shown::tags(&record.tags) } else { Vec::new() },
        health_status: with_health.then(|| ContainerInstanceHealth {
            overall_status: if agent_connected { "OK" } else { "INSUFFICIENT_DATA" },
            details: Vec::new(),
        }),
    }
}

fn resources(cpu: i64, memory: i64, ports: &BTreeSet<(u16, Transport)>) -> Vec<Resource> {
    let number = |name: &str, value: i64| Resource {
        name: name.to_owned(),
        r#type: "INTEGER".to_owned(),
        integer_value: value,
        ..Resource::default()
    };
    let set = |name: &str, transport: Transport| Resource {
        name: name.to_owned(),
        r#type: "STRINGSET".to_owned(),
        string_set_value: Some(
            ports.iter().filter(|(_, of)| *of == transport).map(|(port, _)| port.to_string()).collect(),
        ),
        ..Resource::default()
    };
    vec![
        number("CPU", cpu),
        number("MEMORY", memory),
        set("PORTS", Transport::Tcp),
        set("PORTS_UDP", Transport::Udp),
    ]
}

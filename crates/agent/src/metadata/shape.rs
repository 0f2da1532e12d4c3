//! What the endpoint says of a task and its containers.

use super::Source;
use crate::record::Record;
use serde_json::{Map, Value, json};
use std::net::Ipv4Addr;
use wharf_model::{
    Timestamp,
    task::TaskStatus,
    task_definition::{LaunchType, NetworkMode, Transport},
};
use wharf_plan::{mounts, task::Life};
use wharf_sandbox::storage;

/// Returns a container.
pub(super) fn container(record: &Record, place: usize, nameservers: &[Ipv4Addr]) -> Value {
    let (definition, arn) = &record.assignment.containers[place];
    let note = &record.notes[place];
    let assignment = &record.assignment;
    let mut labels: Map<String, Value> = definition
        .docker_labels
        .iter()
        .map(|(key, value)| (key.clone(), Value::from(value.clone())))
        .collect();
    let own = [
        ("cluster", assignment.cluster_arn.to_string()),
        ("container-name", definition.name.clone()),
        ("task-arn", assignment.arn.to_string()),
        ("task-definition-family", assignment.definition.family.to_string()),
        ("task-definition-version", assignment.definition.revision.to_string()),
    ];
    labels.extend(own.map(|(key, value)| (format!("com.amazonaws.ecs.{key}"), Value::from(value))));
    let mut limits = json!({ "CPU": definition.cpu.0.max(2) });
    if let Some(memory) = definition.memory {
        limits["Memory"] = json!(memory.0);
    }
    let mut shown = json!({
        "DockerId": note.id,
        "Name": definition.name,
        "DockerName": record.docker_name(place),
        "Image": definition.image,
        "ImageID": note.image.as_ref().map_or("", |image| image.id.as_str()),
        "Labels": labels,
        "DesiredStatus": desired(record),
        "KnownStatus": known(&record.task.containers[place].life),
        "Limits": limits,
        "Type": "NORMAL",
        "ContainerARN": arn.to_string(),
        "Networks": [network(record, nameservers)],
        "Snapshotter": "overlayfs",
    });
    if !definition.port_mappings.is_empty() {
        let port = |mapping: &wharf_model::task_definition::PortMapping| {
            json!({
                "ContainerPort": mapping.container_port,
                "HostPort": mapping.host_port.unwrap_or(mapping.container_port),
                "Protocol": match mapping.protocol { Transport::Tcp => "tcp", Transport::Udp => "udp" },
            })
        };
        shown["Ports"] = definition.port_mappings.iter().map(port).collect();
    }
    if let Some(log) = &definition.log_configuration {
        shown["LogDriver"] = log.driver.as_str().into();
        shown["LogOptions"] = json!(log.options);
    }
    if let Life::Ended(ending) = &record.task.containers[place].life
        && let Some(code) = ending.code
    {
        shown["ExitCode"] = code.into();
    }
    time(&mut shown, "CreatedAt", note.started_at);
    time(&mut shown, "StartedAt", note.started_at);
    if record.task.containers[place].ended() {
        time(&mut shown, "FinishedAt", note.finished_at);
    }
    if let Some(health) = &record.task.containers[place].health {
        shown["Health"] = json!({ "status": health.status.as_str() });
        time(&mut shown["Health"], "statusSince", health.since);
        if let Some(code) = health.exit_code {
            shown["Health"]["exitCode"] = code.into();
        }
        if !health.output.is_empty() {
            shown["Health"]["output"] = health.output.clone().into();
        }
    }
    if definition.restart_policy.as_ref().is_some_and(|policy| policy.enabled) {
        shown["RestartCount"] = record.task.containers[place].restarts.into();
    }
    let containers: Vec<_> = assignment.containers.iter().map(|(definition, _)| definition).collect();
    let volumes = mounts::of(&containers, place);
    if !volumes.is_empty() {
        let volume = |seen: &mounts::Mounted| json!({ "DockerName": seen.volume, "Destination": seen.path });
        shown["Volumes"] = volumes.iter().map(volume).collect();
    }
    shown
}

/// Returns the task with its containers.
pub(super) fn task(record: &Record, source: &Source, with_tags: bool) -> Value {
    let (storage, nameservers) = (source.storage.as_deref(), source.uplink.nameservers.as_slice());
    let assignment = &record.assignment;
    let fargate = assignment.launch_type == LaunchType::Fargate;
    let mut shown = json!({
        "Cluster": assignment.cluster_arn.to_string(),
        "TaskARN": assignment.arn.to_string(),
        "Family": assignment.definition.family.as_str(),
        "Revision": assignment.definition.revision.to_string(),
        "DesiredStatus": desired(record),
        "KnownStatus": record.task.status().as_str(),
        "AvailabilityZone": assignment.zone,
        "LaunchType": if fargate { "FARGATE" } else { "EC2" },
        "Containers": (0..record.notes.len()).map(|place| container(record, place, nameservers)).collect::<Vec<_>>(),
        "VPCID": assignment.interface.as_ref().map_or("", |interface| interface.vpc_id.as_str()),
        "ServiceName": assignment.service.as_ref().map_or("", |service| service.as_str()),
        "Group": assignment.group,
        "FaultInjectionEnabled": false,
    });
    let mut limits = Map::new();
    if let Some(cpu) = assignment.cpu_limit {
        limits.insert("CPU".to_owned(), json!(f64::from(cpu.0) / 1024.0));
    }
    if let Some(memory) = assignment.memory_limit {
        limits.insert("Memory".to_owned(), json!(memory.0));
    }
    if !limits.is_empty() {
        shown["Limits"] = Value::Object(limits);
    }
    if let Some(usage) = storage.and_then(|at| storage::usage(at).ok()) {
        // In mebibytes, as ECS has it.
        shown["EphemeralStorageMetrics"] =
            json!({ "Utilized": usage.used >> 20, "Reserved": usage.total >> 20 });
    }
    time(&mut shown, "PullStartedAt", record.task.times.pull_started_at);
    time(&mut shown, "PullStoppedAt", record.task.times.pull_stopped_at);
    time(&mut shown, "ExecutionStoppedAt", record.task.times.execution_stopped_at);
    if with_tags && !assignment.tags.is_empty() {
        shown["TaskTags"] = json!(assignment.tags);
    }
    shown
}

fn network(record: &Record, nameservers: &[Ipv4Addr]) -> Value {
    let addresses = |address: Option<String>| Value::from_iter(address);
    match (record.assignment.network_mode, &record.assignment.interface) {
        (_, Some(interface)) => {
            let subnet = interface.subnet_cidr;
            json!({
                "NetworkMode": "awsvpc",
                "IPv4Addresses": [interface.private_ip.to_string()],
                "AttachmentIndex": 0,
                "MACAddress": interface.mac.to_string(),
                "IPv4SubnetCIDRBlock": subnet.to_string(),
                "DomainNameServers": nameservers.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "DomainNameSearchList": [format!("{}.compute.internal", record.assignment.arn.region)],
                "PrivateDNSName": interface.private_dns_name,
                "SubnetGatewayIpv4Address": format!("{}/{}", subnet.gateway(), subnet.prefix),
            })
        }
        (NetworkMode::Bridge, None) => json!({
            "NetworkMode": "bridge",
            "IPv4Addresses": addresses(record.bridge.as_ref().map(|bridge| bridge.ip.to_string())),
        }),
        (NetworkMode::Host, None) => json!({ "NetworkMode": "host", "IPv4Addresses": addresses(None) }),
        (NetworkMode::None | NetworkMode::Awsvpc, None) => {
            json!({ "NetworkMode": "none", "IPv4Addresses": addresses(None) })
        }
    }
}

fn desired(record: &Record) -> &'static str {
    if record.task.status() < TaskStatus::Stopping { "RUNNING" } else { "STOPPED" }
}

fn known(life: &Life) -> &'static str {
    match life {
        Life::Pulling => "NONE",
        Life::Pulled | Life::Starting => "PULLED",
        Life::Running | Life::Resetting(_) | Life::Stopping { .. } => "RUNNING",
        Life::Ended(_) => "STOPPED",
    }
}

fn time(shown: &mut Value, name: &str, at: Option<Timestamp>) {
    if let Some(at) = at {
        shown[name] = at.to_rfc3339().into();
    }
}

//! A container as keeper wants it, from its definition, its image and its task.

mod linux;
mod namespaces;

pub(crate) use linux::refusal;
pub(crate) use namespaces::{holder, holder_id, shares};

use crate::{files, record::Record};
use camino::Utf8Path;
use std::{fmt::Write, net::Ipv4Addr};
use wharf_image::Image;
use wharf_model::task_definition::{LaunchType, NetworkMode};
use wharf_plan::links;
use wharf_sandbox::spec::{ContainerSpec, Ulimit};

/// Why a container cannot be described.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpecError {
    #[error("No command specified: neither the image nor the task definition names one")]
    NoCommand,
}

/// Returns one container of a task.
pub(crate) fn container(
    record: &Record,
    place: usize,
    image: &Image,
    task_dir: &Utf8Path,
    cgroup_parent: String,
    nameservers: &[Ipv4Addr],
) -> Result<ContainerSpec, SpecError> {
    let (definition, note) = (record.definition(place), &record.notes[place]);
    let names = names(record, place, nameservers);
    // As in Docker, another entry point takes the image's command away, too.
    let args: Vec<String> = match (&definition.entry_point, &definition.command) {
        (Some(entry), command) => entry.iter().chain(command.iter().flatten()).cloned().collect(),
        (None, Some(command)) => image.config.entrypoint.iter().chain(command).cloned().collect(),
        (None, None) => image.config.entrypoint.iter().chain(&image.config.cmd).cloned().collect(),
    };
    if args.is_empty() {
        return Err(SpecError::NoCommand);
    }
    let mut spec = ContainerSpec {
        dir: task_dir.join(&note.id),
        layers: image.layers.clone(),
        args,
        env: environment(record, place, image, &names.hostname),
        cwd: definition.working_directory.clone().unwrap_or_else(|| image.config.working_dir.clone()),
        user: definition.user.clone().unwrap_or_else(|| image.config.user.clone()),
        hostname: names.hostname,
        hosts: names.hosts,
        resolv_conf: names.resolv_conf,
        cgroup_parent,
        limits: linux::limits(definition),
        ulimits: definition
            .ulimits
            .iter()
            .map(|limit| Ulimit {
                name: limit.name.clone(),
                // -1 is unlimited.
                soft: u64::try_from(limit.soft).unwrap_or(u64::MAX),
                hard: u64::try_from(limit.hard).unwrap_or(u64::MAX),
            })
            .collect(),
        readonly_root: definition.readonly_root_filesystem == Some(true),
        ..ContainerSpec::default()
    };
    linux::allow(&mut spec, definition);
    namespaces::share(&mut spec, record);
    Ok(spec)
}

/// What a container is called, and whom it asks for others.
struct Names {
    hostname: String,
    hosts: String,
    resolv_conf: String,
}

fn names(record: &Record, place: usize, nameservers: &[Ipv4Addr]) -> Names {
    let (definition, assignment) = (record.definition(place), &record.assignment);
    let asked = match assignment.network_mode {
        // The task's own resolver is not there.
        NetworkMode::Host => {
            let servers = files::nameservers(&files::of_host(files::RESOLV_CONF));
            files::resolv_conf(&assignment.arn.region, &servers, definition)
        }
        NetworkMode::Awsvpc | NetworkMode::Bridge | NetworkMode::None => {
            files::resolv_conf(&assignment.arn.region, nameservers, definition)
        }
    };
    let asks = !definition.dns_servers.is_empty() || !definition.dns_search_domains.is_empty();
    let own = |address: Option<Ipv4Addr>, name: String, resolv_conf: String| {
        let hostname = definition.hostname.clone().unwrap_or(name);
        Names { hosts: files::hosts(address, &hostname, &definition.extra_hosts), hostname, resolv_conf }
    };
    // As Docker does it: the beginning of an id.
    let short = || assignment.task.as_str().chars().take(12).collect();
    match (assignment.network_mode, &assignment.interface, &record.bridge) {
        (_, Some(interface), _) => own(Some(interface.private_ip), interface.private_dns_name.clone(), asked),
        (_, None, Some(bridge)) => {
            let mut names = own(Some(bridge.ip), short(), asked);
            for linked in links::names(&record.definitions(), place) {
                let _infallible = writeln!(names.hosts, "{} {linked}", bridge.ip);
            }
            names
        }
        (NetworkMode::Host, None, None) => Names {
            hostname: definition.hostname.clone().unwrap_or_else(files::host_name),
            hosts: files::of_host("/etc/hosts") + &files::entries(&definition.extra_hosts),
            resolv_conf: if asks { asked } else { files::of_host(files::RESOLV_CONF) },
        },
        (NetworkMode::Awsvpc | NetworkMode::Bridge | NetworkMode::None, None, None) => {
            own(None, short(), if asks { asked } else { String::new() })
        }
    }
}

/// Returns where a container finds its metadata.
fn metadata(record: &Record) -> String {
    match record.metadata_port {
        Some(port) => format!("http://127.0.0.1:{port}"),
        None => format!("http://{}", wharf_sandbox::network::METADATA_ADDRESS.ip()),
    }
}

/// What SDKs read to find the services that a task's keys are for.
const OWN_ENDPOINTS: [&str; 3] =
    ["AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "AWS_ENDPOINT_URL_STS"];

/// The image's environment, then the definition's, then what ECS adds.
fn environment(record: &Record, place: usize, image: &Image, hostname: &str) -> Vec<String> {
    let assignment = &record.assignment;
    let id = &record.notes[place].id;
    let mut all: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: String| match all.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => *old = value,
        None => all.push((name.to_owned(), value)),
    };
    for entry in &image.config.env {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        set(name, value.to_owned());
    }
    set("HOSTNAME", hostname.to_owned());
    for (name, value) in &record.definition(place).environment {
        set(name, value.clone());
    }
    if let Some(bridge) = &record.bridge {
        for (name, value) in links::variables(&record.definitions(), place, bridge.ip) {
            set(&name, value);
        }
    }
    for (name, value) in crate::firelens::environment(record, place) {
        set(name, value);
    }
    let metadata = metadata(record);
    set("ECS_CONTAINER_METADATA_URI_V4", format!("{metadata}/v4/{id}"));
    set("ECS_CONTAINER_METADATA_URI", format!("{metadata}/v3/{id}"));
    set("ECS_AGENT_URI", format!("{metadata}/api/{id}"));
    if crate::metadata::gives_keys(record) {
        set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", crate::metadata::credentials_path(&assignment.task));
    }
    match assignment.launch_type {
        LaunchType::Fargate => {
            set("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE".to_owned());
            set("AWS_DEFAULT_REGION", assignment.arn.region.to_string());
            set("AWS_REGION", assignment.arn.region.to_string());
        }
        LaunchType::Ec2 => set("AWS_EXECUTION_ENV", "AWS_ECS_EC2".to_owned()),
    }
    if crate::metadata::gives_keys(record) && all.iter().all(|(name, _)| name != "AWS_ENDPOINT_URL") {
        // The keys are for this Wharf, so the clients of the services they are for are sent here; the others go where
        // they went.
        for name in OWN_ENDPOINTS {
            if all.iter().all(|(known, _)| known != name) {
                all.push((name.to_owned(), metadata.clone()));
            }
        }
    }
    all.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[cfg(test)]
mod tests;

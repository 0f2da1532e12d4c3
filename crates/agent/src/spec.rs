//! A container as keeper wants it, from its definition, its image and its task.

use crate::{files, record::Record};
use camino::Utf8Path;
use std::net::Ipv4Addr;
use wharf_image::Image;
use wharf_model::{Mebibytes, task_definition::LaunchType};
use wharf_sandbox::spec::{ContainerSpec, Limits, Ulimit};

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
    let interface = &record.assignment.interface;
    // As in Docker, another entry point takes the image's command away, too.
    let args: Vec<String> = match (&definition.entry_point, &definition.command) {
        (Some(entry), command) => entry.iter().chain(command.iter().flatten()).cloned().collect(),
        (None, Some(command)) => image.config.entrypoint.iter().chain(command).cloned().collect(),
        (None, None) => image.config.entrypoint.iter().chain(&image.config.cmd).cloned().collect(),
    };
    if args.is_empty() {
        return Err(SpecError::NoCommand);
    }
    let bytes = |size: Option<Mebibytes>| size.map_or(0, Mebibytes::bytes);
    Ok(ContainerSpec {
        dir: task_dir.join(&note.id),
        layers: image.layers.clone(),
        args,
        env: environment(record, place, image),
        cwd: definition.working_directory.clone().unwrap_or_else(|| image.config.working_dir.clone()),
        user: definition.user.clone().unwrap_or_else(|| image.config.user.clone()),
        hostname: interface.private_dns_name.clone(),
        hosts: files::hosts(interface.private_ip, &interface.private_dns_name),
        resolv_conf: files::resolv_conf(&record.assignment.arn.region, nameservers),
        cgroup_parent,
        limits: Limits {
            // The kernel's least, which is what ECS gives a container without shares of its own.
            cpu_shares: u64::from(definition.cpu.0.max(2)),
            memory_bytes: bytes(definition.memory),
            memory_reservation_bytes: bytes(definition.memory_reservation),
            pids: 0,
        },
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
    })
}

/// The image's environment, then the definition's, then what ECS adds.
fn environment(record: &Record, place: usize, image: &Image) -> Vec<String> {
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
    set("HOSTNAME", assignment.interface.private_dns_name.clone());
    for (name, value) in &record.definition(place).environment {
        set(name, value.clone());
    }
    set("ECS_CONTAINER_METADATA_URI_V4", format!("http://169.254.170.2/v4/{id}"));
    set("ECS_CONTAINER_METADATA_URI", format!("http://169.254.170.2/v3/{id}"));
    set("ECS_AGENT_URI", format!("http://169.254.170.2/api/{id}"));
    match assignment.launch_type {
        LaunchType::Fargate => {
            set("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE".to_owned());
            set("AWS_DEFAULT_REGION", assignment.arn.region.clone());
            set("AWS_REGION", assignment.arn.region.clone());
        }
        LaunchType::Ec2 => set("AWS_EXECUTION_ENV", "AWS_ECS_EC2".to_owned()),
    }
    all.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[cfg(test)]
mod tests;

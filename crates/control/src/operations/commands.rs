//! ExecuteCommand: commands in containers that run.

use super::{Error, clusters, references};
use crate::{Control, links::commands::Offer};
use std::sync::Arc;
use wharf_model::{
    Arn, ClusterName,
    task::{Container, ContainerStatus, Task, TaskStatus},
};
use wharf_nodelink::agent::ExecOrder;
use wharf_plan::command_line;

/// What is to be run where.
#[derive(Debug, Clone)]
pub struct ExecuteCommand {
    /// The cluster.
    pub cluster: ClusterName,
    /// The task, as given.
    pub task: String,
    /// The container's name; may be absent when the task has only one.
    pub container: Option<String>,
    /// The program with its arguments, in one line.
    pub command: String,
    /// Whether it has a terminal.
    pub interactive: bool,
}

/// A command that waits for whoever asked for it.
#[derive(Debug, Clone)]
pub struct Offered {
    /// The task.
    pub task: Arc<Task>,
    /// Its cluster.
    pub cluster_arn: Arn,
    /// The container.
    pub container: Container,
    /// What opens the session.
    pub offer: Offer,
}

/// Offers a command in a container.
pub fn execute(control: &Control, request: &ExecuteCommand) -> Result<Offered, Error> {
    let place = &control.config().place;
    let words = command_line::words(&request.command).filter(|words| !words.is_empty());
    let command =
        words.ok_or_else(|| Error::invalid("command must name a program, and close its quotes."))?;
    let (task, cluster_arn) = {
        let view = control.store().view();
        let cluster = clusters::active(&view, &request.cluster)?;
        let task = references::task(&request.task, &request.cluster, place)
            .and_then(|id| view.get::<Task>(&format!("{}/{id}", request.cluster)))
            .ok_or_else(|| Error::invalid("The referenced task was not found."))?;
        (task, cluster.arn.clone())
    };
    let container = match request.container.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => {
            let found = task.containers.iter().find(|container| container.name == name);
            let missing = || Error::invalid(format!("The container {name} does not exist in the task."));
            found.ok_or_else(missing)?
        }
        None if task.containers.len() == 1 => &task.containers[0],
        None => {
            return Err(Error::invalid("container must be specified for a task with several containers."));
        }
    };
    let runs = task.last_status == TaskStatus::Running || task.last_status == TaskStatus::Activating;
    if !task.enable_execute_command || !runs || container.last_status != ContainerStatus::Running {
        return Err(Error::TargetNotConnected);
    }
    let order = ExecOrder {
        ticket: crate::ids::hex(32),
        task: task.id.clone(),
        container: container.name.clone(),
        command,
        terminal: request.interactive,
    };
    let offer = control.commands().offer(&task.node, order);
    let offer =
        offer.ok_or_else(|| Error::client("Too many sessions wait to be opened; try again later."))?;
    let container = container.clone();
    Ok(Offered { task, cluster_arn, container, offer })
}

//! The task protection operations.

use super::{given, shown};
use wharf_aws::ecs::{ProtectedTask, TaskProtectionInput, TaskProtectionOutput};
use wharf_control::{
    Control,
    operations::{
        Described, Error,
        protection::{self, Protection},
        references,
    },
};

pub(super) fn get(control: &Control, input: &TaskProtectionInput) -> Result<TaskProtectionOutput, Error> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    Ok(shape(protection::get(control, &cluster, &input.tasks)?))
}

pub(super) async fn update(
    control: &Control,
    input: TaskProtectionInput,
) -> Result<TaskProtectionOutput, Error> {
    let cluster = references::cluster(input.cluster.as_deref(), &control.config().place)?;
    let protect = input.protection_enabled;
    let protect = protect.ok_or_else(|| Error::invalid("protectionEnabled must be specified."))?;
    let minutes =
        input.expires_in_minutes.map(|given| given::count(given, "expiresInMinutes")).transpose()?;
    Ok(shape(protection::update(control, &cluster, &input.tasks, protect, minutes).await?))
}

fn shape(described: Described<Protection>) -> TaskProtectionOutput {
    let task = |Protection { task, until }: Protection| ProtectedTask {
        task_arn: task.arn.to_string(),
        protection_enabled: until.is_some(),
        expiration_date: until.map(shown::time),
    };
    TaskProtectionOutput {
        protected_tasks: described.found.into_iter().map(task).collect(),
        failures: shown::failures(described.failures),
    }
}

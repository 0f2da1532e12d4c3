//! Amazon ECS: action name to operation, shapes to model and back.

mod clusters;
mod commands;
mod fault;
mod given;
mod run_task;
mod services;
mod shown;
mod tags;
mod task_definitions;
mod tasks;

use wharf_control::Control;

use crate::{Answer, Body, Caller, Fault, answer};

/// Runs one operation of the service.
pub async fn dispatch(
    control: &Control,
    caller: &Caller,
    operation: &str,
    body: Body,
) -> Result<Answer, Fault> {
    match operation {
        "CreateCluster" => answer(body, |input| clusters::create(control, input)).await,
        "DeleteCluster" => answer(body, |input| clusters::delete(control, input)).await,
        "DescribeClusters" => answer(body, async |input| clusters::describe(control, &input)).await,
        "ListClusters" => answer(body, async |input| clusters::list(control, &input)).await,

        "RegisterTaskDefinition" => {
            answer(body, |input| task_definitions::register(control, caller, input)).await
        }
        "DescribeTaskDefinition" => {
            answer(body, async |input| task_definitions::describe(control, &input)).await
        }
        "DeregisterTaskDefinition" => {
            answer(body, |input| task_definitions::deregister(control, input)).await
        }
        "DeleteTaskDefinitions" => answer(body, |input| task_definitions::delete(control, input)).await,
        "ListTaskDefinitions" => answer(body, async |input| task_definitions::list(control, &input)).await,
        "ListTaskDefinitionFamilies" => {
            answer(body, async |input| task_definitions::families(control, &input)).await
        }

        "RunTask" => answer(body, |input| run_task::run_task(control, input)).await,
        "ExecuteCommand" => answer(body, async |input| commands::execute(control, caller, input)).await,
        "StopTask" => answer(body, |input| tasks::stop(control, input)).await,
        "DescribeTasks" => answer(body, async |input| tasks::describe(control, &input)).await,
        "ListTasks" => answer(body, async |input| tasks::list(control, &input)).await,

        "CreateService" => answer(body, |input| services::create(control, caller, input)).await,
        "UpdateService" => answer(body, |input| services::update(control, input)).await,
        "DeleteService" => answer(body, |input| services::delete(control, input)).await,
        "DescribeServices" => answer(body, async |input| services::describe(control, &input)).await,
        "ListServices" => answer(body, async |input| services::list(control, &input)).await,

        "TagResource" => answer(body, |input| tags::add(control, input)).await,
        "UntagResource" => answer(body, |input| tags::remove(control, input)).await,
        "ListTagsForResource" => answer(body, |input| tags::list(control, input)).await,
        _ => Err(Fault::unknown_operation()),
    }
}

#[cfg(test)]
mod tests;

//! Amazon ECS: action name to operation, shapes to model and back.

mod account_settings;
mod agents;
mod attributes;
mod capacity_providers;
mod clusters;
mod commands;
mod coverage;
mod fault;
mod given;
mod instances;
mod protection;
mod run_task;
mod service_deployments;
mod services;
mod shown;
mod tags;
mod task_definitions;
mod task_sets;
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
        "UpdateCluster" => answer(body, |input| clusters::update(control, input)).await,
        "UpdateClusterSettings" => {
            answer(body, async |input| clusters::update_settings(control, &input)).await
        }
        "PutClusterCapacityProviders" => {
            answer(body, |input| clusters::put_capacity_providers(control, input)).await
        }

        "CreateCapacityProvider" => answer(body, |input| capacity_providers::create(control, input)).await,
        "UpdateCapacityProvider" => answer(body, |input| capacity_providers::update(control, input)).await,
        "DeleteCapacityProvider" => answer(body, |input| capacity_providers::delete(control, input)).await,
        "DescribeCapacityProviders" => {
            answer(body, async |input| capacity_providers::describe(control, &input)).await
        }

        "PutAccountSetting" => answer(body, |input| account_settings::put(control, caller, input)).await,
        "PutAccountSettingDefault" => {
            answer(body, |input| account_settings::put_default(control, caller, input)).await
        }
        "DeleteAccountSetting" => {
            answer(body, |input| account_settings::delete(control, caller, input)).await
        }
        "ListAccountSettings" => {
            answer(body, async |input| account_settings::list(control, caller, input)).await
        }

        "PutAttributes" => answer(body, |input| attributes::put(control, input)).await,
        "DeleteAttributes" => answer(body, |input| attributes::delete(control, input)).await,
        "ListAttributes" => answer(body, async |input| attributes::list(control, input)).await,

        "RegisterContainerInstance" => answer(body, |input| instances::register(control, input)).await,
        "DeregisterContainerInstance" => answer(body, |input| instances::deregister(control, input)).await,
        "DescribeContainerInstances" => {
            answer(body, async |input| instances::describe(control, &input)).await
        }
        "ListContainerInstances" => answer(body, async |input| instances::list(control, &input)).await,
        "UpdateContainerInstancesState" => answer(body, |input| instances::set_status(control, input)).await,
        "DiscoverPollEndpoint" => answer(body, async |input| agents::endpoint(control, &input)).await,
        "SubmitTaskStateChange" => answer(body, |input| agents::submit_task(control, input)).await,
        "SubmitContainerStateChange" => answer(body, |input| agents::submit_container(control, input)).await,
        "SubmitAttachmentStateChanges" => {
            answer(body, async |input| agents::submit_attachments(control, &input)).await
        }

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
        "StartTask" => answer(body, |input| run_task::start_task(control, input)).await,
        "StopTask" => answer(body, |input| tasks::stop(control, input)).await,
        "DescribeTasks" => answer(body, async |input| tasks::describe(control, &input)).await,
        "ListTasks" => answer(body, async |input| tasks::list(control, &input)).await,
        "GetTaskProtection" => answer(body, async |input| protection::get(control, &input)).await,
        "UpdateTaskProtection" => answer(body, |input| protection::update(control, input)).await,

        "CreateService" => answer(body, |input| services::create(control, caller, input)).await,
        "UpdateService" => answer(body, |input| services::update(control, input)).await,
        "DeleteService" => answer(body, |input| services::delete(control, input)).await,
        "DescribeServices" => answer(body, async |input| services::describe(control, &input)).await,
        "ListServices" => answer(body, async |input| services::list(control, &input)).await,
        "ListServicesByNamespace" => answer(body, async |input| services::list_by_namespace(&input)).await,
        "ListServiceDeployments" => {
            answer(body, async |input| service_deployments::list(control, &input)).await
        }
        "DescribeServiceDeployments" => {
            answer(body, async |input| service_deployments::describe(control, &input)).await
        }
        "DescribeServiceRevisions" => {
            answer(body, async |input| service_deployments::describe_revisions(control, &input)).await
        }
        "StopServiceDeployment" => answer(body, |input| service_deployments::stop(control, input)).await,
        "ContinueServiceDeployment" => {
            answer(body, async |input| service_deployments::go_on(control, &input)).await
        }

        "CreateTaskSet" => answer(body, |input| task_sets::create(control, input)).await,
        "UpdateTaskSet" => answer(body, |input| task_sets::update(control, input)).await,
        "DeleteTaskSet" => answer(body, |input| task_sets::delete(control, input)).await,
        "DescribeTaskSets" => answer(body, async |input| task_sets::describe(control, &input)).await,
        "UpdateServicePrimaryTaskSet" => answer(body, |input| task_sets::make_primary(control, input)).await,

        "TagResource" => answer(body, |input| tags::add(control, input)).await,
        "UntagResource" => answer(body, |input| tags::remove(control, input)).await,
        "ListTagsForResource" => answer(body, |input| tags::list(control, input)).await,
        other => Err(coverage::unsupported(other).unwrap_or_else(Fault::unknown_operation)),
    }
}

#[cfg(test)]
mod tests;

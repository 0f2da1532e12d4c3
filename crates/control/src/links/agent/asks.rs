//! What tasks ask through their node. A node is told only of tasks that are placed on it.

use crate::{
    Control,
    operations::{Described, Error, Failure, protection, task_credentials},
};
use wharf_model::{NodeId, TaskId, task::Task};
use wharf_nodelink::agent::{ProtectionChange, TaskAnswer, TaskAsk};
use wharf_store::ON_NODE;

/// Answers a task's question.
pub(super) async fn answer(control: &Control, node: &NodeId, task: &TaskId, ask: TaskAsk) -> TaskAnswer {
    let on_node = control.store().view().find::<Task>(ON_NODE, node.as_str());
    let Some(task) = on_node.into_iter().find(|known| known.id == *task) else {
        tracing::warn!(%node, %task, "a node asks for a task that is not its own");
        return refused("ResourceNotFoundException", "The task is not on this node.");
    };
    match ask {
        TaskAsk::Credentials => match task_credentials::issue(control, &task).await {
            Ok(Some(made)) => TaskAnswer::Credentials {
                role_arn: made.role_arn,
                access_key_id: made.access_key_id,
                secret_access_key: made.secret_access_key,
                token: made.token,
                expires_at: made.expires_at,
            },
            Ok(None) => refused("ResourceNotFoundException", "The task has no role."),
            Err(error) => {
                tracing::error!(%error, task = %task.id, "temporary keys cannot be made");
                refused("ServerException", "The keys cannot be made now.")
            }
        },
        TaskAsk::Protection(change) => protection(control, &task, change).await,
    }
}

/// Answers as UpdateTaskProtection and GetTaskProtection would.
async fn protection(control: &Control, task: &Task, change: Option<ProtectionChange>) -> TaskAnswer {
    let given = [task.arn.to_string()];
    let described = match change {
        Some(ProtectionChange { enabled, minutes }) => {
            protection::update(control, &task.cluster, &given, enabled, minutes).await
        }
        None => protection::get(control, &task.cluster, &given),
    };
    match described {
        Ok(Described { found, failures }) => match (found.into_iter().next(), failures.into_iter().next()) {
            (_, Some(Failure { reason, detail, .. })) => TaskAnswer::Failed { reason, detail },
            (found, None) => TaskAnswer::Protection { until: found.and_then(|found| found.until) },
        },
        Err(Error::ClusterNotFound) => refused("ClusterNotFoundException", "Cluster not found."),
        Err(Error::InvalidParameter(message)) => refused("InvalidParameterException", &message),
        Err(error) => {
            tracing::error!(%error, task = %task.id, "a task's protection cannot be kept");
            refused("ServerException", "The protection cannot be changed now.")
        }
    }
}

fn refused(code: &str, message: &str) -> TaskAnswer {
    TaskAnswer::Refused { code: code.to_owned(), message: message.to_owned() }
}

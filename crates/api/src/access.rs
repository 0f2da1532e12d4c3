//! What a caller may do.
//!
//! The account's owner may everything. A task, by the temporary keys of its role, may write to the log groups of its
//! own containers and read ECS, and nothing else, whatever its role is called: there are no policies yet that could
//! say more.

use std::sync::Arc;

use http::StatusCode;
use wharf_aws::{Protocol, Service};
use wharf_control::operations::task_credentials::KeyOwner;

use crate::services::Call;
use crate::{Caller, Fault};

/// A task as a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskScope {
    /// Its id.
    pub task: String,
    /// The log groups of its containers.
    pub log_groups: Vec<String>,
}

/// Returns a task as the caller of a request.
pub(crate) fn task_caller(owner: &KeyOwner, account: &str, region: &str, access_key: &str) -> Caller {
    let role = owner.role_arn.rsplit('/').next().unwrap_or_default();
    let id = owner.task.id.to_string();
    Caller {
        account: account.to_owned(),
        region: region.to_owned(),
        access_key: access_key.to_owned(),
        principal: format!("arn:aws:sts::{account}:assumed-role/{role}/{id}"),
        user_id: format!("AROA{}:{id}", role_id(&owner.role_arn)),
        task: Some(Arc::new(TaskScope { task: id, log_groups: owner.log_groups.clone() })),
    }
}

/// Returns the 17 characters that stand for a role, the same each time.
fn role_id(role: &str) -> String {
    wharf_aws::mac::sha256_hex(role.as_bytes())[..17].to_uppercase()
}

/// Refuses what a caller may not do.
pub(crate) fn check(call: &Call) -> Result<(), Fault> {
    let Some(scope) = &call.caller.task else { return Ok(()) };
    let operation = call.operation.as_str();
    let reads = ["Describe", "List", "Get"].iter().any(|verb| operation.starts_with(verb));
    let allowed = match call.service {
        Service::Ecs => reads,
        Service::Logs => {
            matches!(operation, "CreateLogStream" | "PutLogEvents")
                && log_group(call.body.content()).is_some_and(|group| scope.log_groups.contains(&group))
        }
        // Everybody may ask who they are.
        Service::Sts => operation == "GetCallerIdentity",
        Service::Elbv2
        | Service::Ec2
        | Service::Ecr
        | Service::SecretsManager
        | Service::Ssm
        | Service::Efs
        | Service::Acm => false,
    };
    if allowed { Ok(()) } else { Err(denied(call)) }
}

fn log_group(content: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(content).ok()?;
    body["logGroupName"].as_str().map(str::to_owned)
}

fn denied(call: &Call) -> Fault {
    let service = call.service.signing_name();
    let operation = &call.operation;
    let message = format!(
        "User: {} is not authorized to perform: {service}:{operation} because no identity-based policy allows the {service}:{operation} action",
        call.caller.principal
    );
    refusal(call.service.protocol(), message)
}

/// Returns the refusal of a caller who may not do something, in the words of the protocol.
pub(crate) fn refusal(protocol: Protocol, message: String) -> Fault {
    match protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => {
            Fault::caller("AccessDeniedException", message)
        }
        Protocol::Query => Fault::caller("AccessDenied", message).status(StatusCode::FORBIDDEN),
        Protocol::Ec2 => Fault::caller("UnauthorizedOperation", message).status(StatusCode::FORBIDDEN),
    }
}
